//! Moments, as a run file holds them.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since 1970, UTC: what Prometheus keeps of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// From seconds since 1970, as Prometheus writes them, rounded to the millisecond.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float that is too large becomes the last moment there is"
    )]
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1_000.0).round() as i64)
    }

    /// Seconds since 1970, as Prometheus takes them.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact for some hundred thousand years")]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// How long after `earlier` this is; nothing where it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Option<Duration> {
        u64::try_from(self.0.checked_sub(earlier.0)?).ok().map(Duration::from_millis)
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}

impl fmt::Display for Time {
    /// As RFC 3339 has it, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "{} ms after 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_what_prometheus_writes() {
        let time = Time::from_seconds(1_763_844_000.123);
        assert_eq!(time.millis(), 1_763_844_000_123);
        assert_eq!(Time::from_seconds(time.seconds()), time);
        assert_eq!(time.to_string(), "2025-11-22T20:40:00.123Z");
    }

    #[test]
    fn what_is_before_is_not_after() {
        let time = Time::from_millis(10_000);
        assert_eq!((time + Duration::from_secs(2)).since(time), Some(Duration::from_secs(2)));
        assert_eq!((time - Duration::from_secs(2)).since(time), None);
    }
}
