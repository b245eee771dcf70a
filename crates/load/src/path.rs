//! What lies between the drill's clock and the service's own.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::timings::Timings;

/// What is known of the path that answered requests took: the network, proxies and queues between them and the
/// service's own clock. The rule for it is docs/decisions/0010-two-clocks-and-the-path.md.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Path {
    /// How long the TCP handshake of the connection took that each answered request went over: a round trip to whoever
    /// took the connection.
    handshake: Timings,
    /// How long the service had to take at least, of each answered request of which that is known, since it was asked to.
    injected: Timings,
    /// By how many microseconds an answer exceeded what was injected, at least; less than 0 where one came too early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    overhead_us: Option<i64>,
}

/// What is known of the path of one answered request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trip {
    /// How long the TCP handshake of its connection took.
    pub handshake: Duration,
    /// How long the service had to take at least, where that is known.
    pub injected: Option<Duration>,
}

impl Path {
    pub(super) fn record(&mut self, trip: Trip, service_time: Duration) {
        self.handshake.record(trip.handshake);
        if let Some(injected) = trip.injected {
            self.injected.record(injected);
            let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
            let overhead = micros(service_time).saturating_sub(micros(injected));
            self.overhead_us = Some(self.overhead_us.map_or(overhead, |least| least.min(overhead)));
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.handshake.add(&other.handshake);
        self.injected.add(&other.injected);
        self.overhead_us = [self.overhead_us, other.overhead_us].into_iter().flatten().min();
    }

    /// Whether nothing is known, as in run files of earlier versions.
    pub(super) fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// How long TCP handshakes took, one entry an answered request.
    #[must_use]
    pub const fn handshake(&self) -> &Timings {
        &self.handshake
    }

    /// How long the service had to take at least, of those requests of which that is known; nothing where none is, or
    /// where an answer came earlier than that, so that the service does not do what it is asked.
    #[must_use]
    pub fn injected(&self) -> Option<&Timings> {
        self.overhead().map(|_| &self.injected)
    }

    /// By how much answers exceeded what was injected, at least: what the path and the service add to every request.
    #[must_use]
    pub fn overhead(&self) -> Option<Duration> {
        self.overhead_us.and_then(|micros| u64::try_from(micros).ok()).map(Duration::from_micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn path(trips: &[(Option<u32>, u32)]) -> Path {
        let mut path = Path::default();
        for (injected, service_time) in trips {
            let injected = injected.map(|millis| millis * MS);
            path.record(Trip { handshake: MS, injected }, *service_time * MS);
        }
        path
    }

    #[test]
    fn the_overhead_is_the_least_that_any_answer_took_beyond_what_was_injected() {
        let mut known = path(&[(Some(20), 65), (Some(80), 121), (None, 3)]);
        assert_eq!(known.overhead(), Some(41 * MS));
        assert_eq!(known.injected().map(Timings::count), Some(2));
        known.add(&path(&[(Some(20), 60)]));
        assert_eq!((known.overhead(), known.handshake().count()), (Some(40 * MS), 4));
    }

    #[test]
    fn an_answer_that_came_too_early_takes_away_all_that_was_known() {
        let mut hasty = path(&[(Some(20), 65), (Some(80), 79)]);
        assert_eq!((hasty.overhead(), hasty.injected()), (None, None));
        hasty.add(&path(&[(Some(20), 60)]));
        assert_eq!(hasty.overhead(), None);
    }

    #[test]
    fn of_nobody_elses_service_is_known_what_it_takes() {
        assert_eq!((path(&[(None, 3)]).overhead(), path(&[]).overhead()), (None, None));
    }
}
