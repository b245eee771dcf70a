//! Many durations in little room.

use std::borrow::Cow;
use std::time::Duration;

use hdrhistogram::Histogram;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most requests that a file may have in one ledger: a thousand times what anybody sends, and so few that
/// sums of them are numbers still.
pub(super) const MOST: u64 = 1 << 40;

/// A distribution of durations: exact to three digits, in microseconds, of bounded size however
/// many are recorded (an HDR histogram, at most half a megabyte).
#[derive(Debug, Clone, PartialEq)]
pub struct Timings(Histogram<u64>);

impl Default for Timings {
    fn default() -> Self {
        Self(Histogram::new(3).expect("three digits are within what the histogram takes"))
    }
}

impl Timings {
    /// Takes one in, rounded to the microsecond.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from((duration.as_nanos() + 500) / 1_000).unwrap_or(u64::MAX);
        self.0.record(micros).expect("the histogram grows to any number of microseconds");
    }

    /// Takes in all that the other holds.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("the histogram grows to any number of microseconds");
    }

    /// How many were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The shortest, to three digits; nothing when none was recorded.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.min()))
    }

    /// What this share of them, from 0 to 1, was not above; nothing when none was recorded.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(share)))
    }

    /// Their mean, to three digits; nothing when none was recorded.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_secs_f64(self.0.mean() / 1e6))
    }

    /// How long all of them were together, to three digits.
    #[must_use]
    pub fn sum(&self) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 of them")]
        self.mean().unwrap_or_default().mul_f64(self.count() as f64)
    }

    /// How many were longer than this, to three digits.
    #[must_use]
    pub fn above(&self, duration: Duration) -> u64 {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.0.len() - self.0.count_between(0, micros)
    }

    /// The longest, to three digits; nothing when none was recorded.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.max()))
    }
}

/// Pairs of microseconds and how many took as long, the shortest first.
impl Serialize for Timings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let recorded = self.0.iter_recorded();
        serializer.collect_seq(recorded.map(|value| (value.value_iterated_to(), value.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Timings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut timings = Self::default();
        let recorded = Vec::<(u64, u64)>::deserialize(deserializer)?;
        at_most(recorded.iter().map(|(_, count)| *count)).map_err(D::Error::custom)?;
        for (micros, count) in recorded {
            timings.0.record_n(micros, count).map_err(D::Error::custom)?;
        }
        Ok(timings)
    }
}

impl JsonSchema for Timings {
    fn schema_name() -> Cow<'static, str> {
        "Timings".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<(u64, u64)>::json_schema(generator);
        let about = "A distribution: pairs of microseconds, to three digits, and how many took as long, the shortest first.";
        schema.insert("description".to_owned(), about.into());
        schema
    }
}

/// Refuses counts that come to more than [`MOST`] together.
pub(super) fn at_most(counts: impl Iterator<Item = u64>) -> Result<(), String> {
    let all = counts.fold(0, u64::saturating_add);
    if all > MOST { Err(format!("found {all} requests, expected at most {MOST}")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_to_three_digits() {
        let mut timings = Timings::default();
        (1..=1_000).for_each(|ms| timings.record(Duration::from_millis(ms)));
        for (share, truth) in [(0.5, 0.5), (0.9, 0.9), (0.99, 0.99), (1.0, 1.0)] {
            let found = timings.quantile(share).unwrap().as_secs_f64();
            assert!((found / truth - 1.0).abs() < 0.001, "{share}: {found}");
        }
        assert_eq!(timings.count(), 1_000);
    }

    #[test]
    fn they_are_read_as_they_were_written() {
        let mut timings = Timings::default();
        (1..=5_000).for_each(|ms| timings.record(Duration::from_micros(ms * 997)));
        let read: Timings = serde_json::from_str(&serde_json::to_string(&timings).unwrap()).unwrap();
        for share in [0.01, 0.5, 0.99, 1.0] {
            assert_eq!(read.quantile(share), timings.quantile(share), "{share}");
        }
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&timings).unwrap());
    }

    #[test]
    fn those_above_an_edge_are_counted() {
        let mut timings = Timings::default();
        [10, 20, 250, 251, 300].into_iter().for_each(|ms| timings.record(Duration::from_millis(ms)));
        assert_eq!(timings.above(Duration::from_millis(250)), 2);
        assert_eq!(timings.mean().map(|mean| mean.as_millis()), Some(166));
    }

    #[test]
    fn any_duration_is_taken_as_it_is() {
        let mut timings = Timings::default();
        let year = Duration::from_secs(365 * 86_400);
        for duration in [Duration::ZERO, Duration::from_nanos(1), year, Duration::MAX] {
            timings.record(duration);
        }
        assert_eq!(timings.count(), 4);
        assert_eq!(timings.quantile(0.25), Some(Duration::ZERO));
        assert!((timings.quantile(0.75).unwrap().as_secs_f64() / year.as_secs_f64() - 1.0).abs() < 0.001);
    }

    #[test]
    fn of_nothing_there_is_no_quantile() {
        assert_eq!(Timings::default().quantile(0.5), None);
        assert_eq!(Timings::default().max(), None);
    }

    #[test]
    fn two_become_one() {
        let (mut one, mut other) = (Timings::default(), Timings::default());
        one.record(Duration::from_millis(1));
        other.record(Duration::from_secs(90));
        one.add(&other);
        assert_eq!(one.count(), 2);
        assert!(one.max().unwrap() >= Duration::from_secs(90));
    }
}
