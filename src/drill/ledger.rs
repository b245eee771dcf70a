//! What was sent and what came back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fate::{Fate, Seen};
use super::timings::Timings;

/// The account of a load: each request that fell due, once, under its fate.
///
/// Its size is bounded: there are as many fates as statuses and a few, and timings are histograms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    fates: BTreeMap<Fate, u64>,
    latency: Timings,
    lag: Timings,
}

impl Ledger {
    /// Enters a request.
    ///
    /// `lag` is how long after it was due it left, or would have left: the generator's own
    /// lateness. `latency` is how long after it was due it ended. Only that of answered requests is
    /// kept; of the others nobody knows what it would have been.
    pub fn enter(&mut self, fate: Fate, lag: Duration, latency: Duration) {
        *self.fates.entry(fate).or_default() += 1;
        self.lag.record(lag);
        if matches!(fate, Fate::Answered(_)) {
            self.latency.record(latency);
        }
    }

    /// Enters what is left of `due` requests as abandoned.
    pub fn abandon_the_rest(&mut self, due: u64) {
        let rest = due.saturating_sub(self.due());
        if rest > 0 {
            *self.fates.entry(Fate::Abandoned).or_default() += rest;
        }
    }

    /// Takes in all that the other holds.
    pub fn add(&mut self, other: &Self) {
        for (fate, count) in &other.fates {
            *self.fates.entry(*fate).or_default() += count;
        }
        self.latency.add(&other.latency);
        self.lag.add(&other.lag);
    }

    /// How many requests fell due: the sum over all fates.
    #[must_use]
    pub fn due(&self) -> u64 {
        self.fates.values().sum()
    }

    /// How many were answered, whatever the status.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.fates().filter(|(fate, _)| matches!(fate, Fate::Answered(_))).map(|(_, count)| count).sum()
    }

    /// How many the service saw, did not see, or may have seen.
    #[must_use]
    pub fn seen(&self, seen: Seen) -> u64 {
        self.fates().filter(|(fate, _)| fate.seen() == seen).map(|(_, count)| count).sum()
    }

    /// Each fate that a request had, answers by status first, with how many had it.
    pub fn fates(&self) -> impl Iterator<Item = (Fate, u64)> {
        self.fates.iter().map(|(fate, count)| (*fate, *count))
    }

    /// How long after it was due each answered request was answered to the end.
    ///
    /// From the time it was due, not from when it was sent, so that a stalled service cannot hide
    /// (coordinated omission; Tene, "How NOT to Measure Latency", 2013).
    #[must_use]
    pub const fn latency(&self) -> &Timings {
        &self.latency
    }

    /// How late the generator itself was with each request.
    #[must_use]
    pub const fn lag(&self) -> &Timings {
        &self.lag
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn each_request_is_counted_once_under_its_fate() {
        let mut ledger = Ledger::default();
        let fates = [
            Fate::Answered(StatusCode::OK),
            Fate::Answered(StatusCode::OK),
            Fate::Answered(StatusCode::INTERNAL_SERVER_ERROR),
            Fate::Truncated(StatusCode::OK),
            Fate::TimedOut,
            Fate::NotSent,
        ];
        fates.iter().for_each(|fate| ledger.enter(*fate, MS, 20 * MS));
        assert_eq!(ledger.due(), 6);
        assert_eq!(ledger.answered(), 3);
        assert_eq!(ledger.fates().next(), Some((Fate::Answered(StatusCode::OK), 2)));
        assert_eq!(ledger.lag().count(), 6);
    }

    #[test]
    fn only_answers_have_a_latency() {
        let mut ledger = Ledger::default();
        ledger.enter(Fate::TimedOut, MS, 30_000 * MS);
        assert_eq!(ledger.latency().max(), None);
        ledger.enter(Fate::Answered(StatusCode::OK), MS, 20 * MS);
        assert_eq!(ledger.latency().count(), 1);
    }

    #[test]
    fn what_the_service_saw_is_an_interval_when_a_client_cannot_know() {
        let mut ledger = Ledger::default();
        for fate in [Fate::Answered(StatusCode::OK), Fate::Reset, Fate::Closed, Fate::TimedOut, Fate::Refused]
        {
            ledger.enter(fate, MS, MS);
        }
        assert_eq!([Seen::Yes, Seen::Unknown, Seen::No].map(|seen| ledger.seen(seen)), [1, 3, 1]);
    }

    #[test]
    fn requests_without_an_end_are_abandoned_and_not_forgotten() {
        let mut ledger = Ledger::default();
        ledger.enter(Fate::Refused, MS, MS);
        ledger.abandon_the_rest(1);
        assert_eq!(ledger.fates().collect::<Vec<_>>(), [(Fate::Refused, 1)]);
        ledger.abandon_the_rest(3);
        assert_eq!(ledger.fates().last(), Some((Fate::Abandoned, 2)));
        assert_eq!(ledger.due(), 3);
    }

    #[test]
    fn two_ledgers_become_one() {
        let (mut one, mut other) = (Ledger::default(), Ledger::default());
        one.enter(Fate::Refused, MS, MS);
        other.enter(Fate::Refused, 2 * MS, MS);
        other.enter(Fate::Answered(StatusCode::OK), MS, 5 * MS);
        one.add(&other);
        assert_eq!((one.due(), one.answered()), (3, 1));
        assert_eq!((one.lag().count(), one.latency().count()), (3, 1));
    }
}
