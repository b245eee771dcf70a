//! What was sent and what came back.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::outcome::{Outcome, Reached};
use super::path::{Path, Trip};
use super::timings::{Timings, at_most};

/// The account of a load: each request that fell due, once, under its outcome.
///
/// Its size is bounded: there are as many outcomes as statuses and a few, timings are histograms, and
/// the timeline has one entry a second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// How many requests had which outcome.
    // `fates` in files of earlier versions.
    #[serde(alias = "fates", serialize_with = "write_outcomes", deserialize_with = "read_outcomes")]
    #[schemars(with = "Vec<Entry>")]
    outcomes: BTreeMap<Outcome, u64>,
    /// Response times: from when each answered request was due to the end of its answer.
    latency: Timings,
    /// Service times: from when each answered request was handed to a connection that was ready to the end of its
    /// answer. Files of earlier versions have none.
    #[serde(default, skip_serializing_if = "Timings::is_empty")]
    service_time: Timings,
    /// What is known of the path between the drill and the service.
    #[serde(default, skip_serializing_if = "Path::is_unknown")]
    path: Path,
    /// How late the generator itself was with each request.
    lag: Timings,
    /// What ended in which second since the load began.
    #[serde(deserialize_with = "read_timeline")]
    timeline: BTreeMap<u64, Second>,
}

/// When a request was due, left and ended, since the load started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When it was due.
    pub due: Duration,
    /// When it left, or would have left.
    pub left: Duration,
    /// When it was handed to a connection that was ready, and what is known of its path; as `left` where this is none.
    pub sent: Option<(Duration, Trip)>,
    /// When its outcome was known.
    pub ended: Duration,
}

/// The requests that ended within one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// How many.
    pub ended: u64,
    /// How many of them failed ([`Outcome::is_error`]).
    pub errors: u64,
    /// How many of them were answered.
    pub answered: u64,
    /// How long those took together, in microseconds.
    pub latency_sum_us: u64,
    /// How long the slowest of those took, in microseconds.
    pub latency_max_us: u64,
}

/// Between how many and how many, both taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Range {
    /// At least so many.
    pub least: u64,
    /// At most so many.
    pub most: u64,
}

impl Ledger {
    /// Enters a request.
    ///
    /// Its lag is how long after it was due it left: the generator's own lateness. Its response time counts
    /// from when it was due, its service time from when it was sent. Only those of answered requests are kept; of the
    /// others nobody knows what they would have been.
    pub fn enter(&mut self, outcome: Outcome, times: Times) {
        *self.outcomes.entry(outcome).or_default() += 1;
        self.lag.record(times.left.saturating_sub(times.due));
        let second = self.timeline.entry(times.ended.as_secs()).or_default();
        second.ended += 1;
        second.errors += u64::from(outcome.is_error());
        if matches!(outcome, Outcome::Answered(_)) {
            let latency = times.ended.saturating_sub(times.due);
            self.latency.record(latency);
            let (sent, trip) = times.sent.unwrap_or((times.left, Trip::default()));
            let service_time = times.ended.saturating_sub(sent);
            self.service_time.record(service_time);
            self.path.record(trip, service_time);
            let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
            second.answered += 1;
            second.latency_sum_us = second.latency_sum_us.saturating_add(micros);
            second.latency_max_us = second.latency_max_us.max(micros);
        }
    }

    /// Enters what is left of `due` requests as abandoned.
    pub fn abandon_the_rest(&mut self, due: u64) {
        let rest = due.saturating_sub(self.due());
        if rest > 0 {
            *self.outcomes.entry(Outcome::Abandoned).or_default() += rest;
        }
    }

    /// Takes in all that the other holds.
    pub fn add(&mut self, other: &Self) {
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
        self.latency.add(&other.latency);
        self.service_time.add(&other.service_time);
        self.path.add(&other.path);
        self.lag.add(&other.lag);
        for (second, other) in &other.timeline {
            self.timeline.entry(*second).or_default().add(other);
        }
    }

    /// How many requests fell due: the sum over all outcomes.
    #[must_use]
    pub fn due(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// How many were answered, whatever the status.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.outcomes()
            .filter(|(outcome, _)| matches!(outcome, Outcome::Answered(_)))
            .map(|(_, count)| count)
            .sum()
    }

    /// How many the service saw, did not see, or may have seen.
    #[must_use]
    pub fn reached(&self, reached: Reached) -> u64 {
        self.outcomes().filter(|(outcome, _)| outcome.reached() == reached).map(|(_, count)| count).sum()
    }

    /// How many requests the service saw. Those whose outcome a client cannot know widen it.
    #[must_use]
    pub fn requests(&self) -> Range {
        let least = self.reached(Reached::Yes);
        Range { least, most: least + self.reached(Reached::Unknown) }
    }

    /// How many requests failed ([`Outcome::is_error`]), of those that the service saw or may have seen.
    #[must_use]
    pub fn errors(&self) -> Range {
        let errors = |reached| {
            self.outcomes().filter(move |(outcome, _)| outcome.is_error() && outcome.reached() == reached)
        };
        let count = |reached| errors(reached).map(|(_, count)| count).sum::<u64>();
        let least = count(Reached::Yes);
        Range { least, most: least + count(Reached::Unknown) }
    }

    /// How many were answered with each status, whole or not.
    #[must_use]
    pub fn statuses(&self) -> BTreeMap<u16, u64> {
        let mut statuses = BTreeMap::new();
        for (outcome, count) in self.outcomes() {
            if let Some(status) = outcome.status() {
                *statuses.entry(status.as_u16()).or_default() += count;
            }
        }
        statuses
    }

    /// What ended in which second since the load began, where anything did.
    pub fn timeline(&self) -> impl Iterator<Item = (u64, Second)> {
        self.timeline.iter().map(|(second, ended)| (*second, *ended))
    }

    /// How many ended in the seconds that touch this time since the load began: at least as many as ended within it.
    #[must_use]
    pub fn ended_between(&self, from: Duration, to: Duration) -> u64 {
        self.timeline
            .range(from.as_secs()..=to.as_secs().max(from.as_secs()))
            .map(|(_, second)| second.ended)
            .sum()
    }

    /// Each outcome that a request had, answers by status first, with how many had it.
    pub fn outcomes(&self) -> impl Iterator<Item = (Outcome, u64)> {
        self.outcomes.iter().map(|(outcome, count)| (*outcome, *count))
    }

    /// How long after it was due each answered request was answered to the end.
    ///
    /// From the time it was due, not from when it was sent, so that a stalled service cannot hide
    /// (coordinated omission; Tene, "How NOT to Measure Latency", 2013).
    #[must_use]
    pub const fn latency(&self) -> &Timings {
        &self.latency
    }

    /// How long the service took for each answered request, as far as a client can see: from when it was handed to a
    /// connection that was ready to the end of its answer. Nothing where the file is of a version that kept none.
    #[must_use]
    pub fn service_time(&self) -> Option<&Timings> {
        (self.service_time.count() == self.latency.count()).then_some(&self.service_time)
    }

    /// What is known of the path between the drill and the service.
    #[must_use]
    pub const fn path(&self) -> &Path {
        &self.path
    }

    /// How late the generator itself was with each request.
    #[must_use]
    pub const fn lag(&self) -> &Timings {
        &self.lag
    }
}

impl Second {
    const fn add(&mut self, other: &Self) {
        self.ended += other.ended;
        self.errors += other.errors;
        self.answered += other.answered;
        self.latency_sum_us = self.latency_sum_us.saturating_add(other.latency_sum_us);
        if other.latency_max_us > self.latency_max_us {
            self.latency_max_us = other.latency_max_us;
        }
    }
}

/// An outcome as a run file has it: its name, its status where it has one, and how many had it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// `answered`, `reset` and so on.
    #[serde(alias = "fate")]
    outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    /// The status that was answered with.
    status: Option<u16>,
    /// How many.
    count: u64,
}

fn write_outcomes<S: Serializer>(
    outcomes: &BTreeMap<Outcome, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(outcomes.iter().map(|(outcome, count)| Entry {
        outcome: outcome.name().to_owned(),
        status: outcome.status().map(|status| status.as_u16()),
        count: *count,
    }))
}

fn read_outcomes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Outcome, u64>, D::Error> {
    let mut outcomes = BTreeMap::new();
    for Entry { outcome, status, count } in Vec::deserialize(deserializer)? {
        let status = status.map(StatusCode::from_u16).transpose().map_err(D::Error::custom)?;
        let named = Outcome::named(&outcome, status).ok_or_else(|| {
            D::Error::custom(format!("found the outcome {outcome:?} with status {status:?}, which is none"))
        })?;
        if outcomes.insert(named, count).is_some() {
            return Err(D::Error::custom(format!(
                "found the outcome {outcome:?} with status {status:?} twice"
            )));
        }
    }
    at_most(outcomes.values().copied()).map_err(D::Error::custom)?;
    Ok(outcomes)
}

fn read_timeline<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u64, Second>, D::Error> {
    let timeline = BTreeMap::<u64, Second>::deserialize(deserializer)?;
    at_most(timeline.values().map(|second| second.ended.max(second.errors).max(second.answered)))
        .map_err(D::Error::custom)?;
    Ok(timeline)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::timings::MOST;

    const MS: Duration = Duration::from_millis(1);

    /// Of a request that was due a second after the start.
    fn times(lag: Duration, latency: Duration) -> Times {
        let due = Duration::from_secs(1);
        Times { due, left: due + lag, sent: None, ended: due + latency }
    }

    #[test]
    fn each_request_is_counted_once_under_its_outcome() {
        let mut ledger = Ledger::default();
        let outcomes = [
            Outcome::Answered(StatusCode::OK),
            Outcome::Answered(StatusCode::OK),
            Outcome::Answered(StatusCode::INTERNAL_SERVER_ERROR),
            Outcome::Truncated(StatusCode::OK),
            Outcome::TimedOut,
            Outcome::NotSent,
        ];
        outcomes.iter().for_each(|outcome| ledger.enter(*outcome, times(MS, 20 * MS)));
        assert_eq!(ledger.due(), 6);
        assert_eq!(ledger.answered(), 3);
        assert_eq!(ledger.outcomes().next(), Some((Outcome::Answered(StatusCode::OK), 2)));
        assert_eq!(ledger.lag().count(), 6);
    }

    #[test]
    fn only_answers_have_a_latency() {
        let mut ledger = Ledger::default();
        ledger.enter(Outcome::TimedOut, times(MS, 30_000 * MS));
        assert_eq!(ledger.latency().max(), None);
        ledger.enter(Outcome::Answered(StatusCode::OK), times(MS, 20 * MS));
        assert_eq!(ledger.latency().count(), 1);
    }

    #[test]
    fn what_the_service_saw_is_an_interval_when_a_client_cannot_know() {
        let mut ledger = Ledger::default();
        for outcome in [
            Outcome::Answered(StatusCode::OK),
            Outcome::Reset,
            Outcome::Closed,
            Outcome::TimedOut,
            Outcome::Refused,
        ] {
            ledger.enter(outcome, times(MS, MS));
        }
        assert_eq!([Reached::Yes, Reached::Unknown, Reached::No].map(|seen| ledger.reached(seen)), [1, 3, 1]);
    }

    #[test]
    fn requests_without_an_end_are_abandoned_and_not_forgotten() {
        let mut ledger = Ledger::default();
        ledger.enter(Outcome::Refused, times(MS, MS));
        ledger.abandon_the_rest(1);
        assert_eq!(ledger.outcomes().collect::<Vec<_>>(), [(Outcome::Refused, 1)]);
        ledger.abandon_the_rest(3);
        assert_eq!(ledger.outcomes().last(), Some((Outcome::Abandoned, 2)));
        assert_eq!(ledger.due(), 3);
    }

    #[test]
    fn a_file_of_more_requests_than_can_be_added_up_is_refused() {
        let ledger = |outcomes: u64, latency: u64, second: u64| {
            let outcomes =
                format!(r#"[{{"outcome":"refused","count":{outcomes}}},{{"outcome":"reset","count":1}}]"#);
            let second = format!(
                r#"{{"ended":{second},"errors":0,"answered":0,"latency_sum_us":0,"latency_max_us":0}}"#
            );
            let json = format!(
                r#"{{"outcomes":{outcomes},"latency":[[5,{latency}]],"lag":[],"timeline":{{"0":{second},"1":{second}}}}}"#
            );
            serde_json::from_str::<Ledger>(&json).map_err(|error| error.to_string())
        };
        assert!(ledger(1_000_000, 1_000_000, 1_000_000).is_ok());
        for (outcomes, latency, second) in
            [(MOST, 1, 1), (u64::MAX, 1, 1), (1, u64::MAX, 1), (1, 1, u64::MAX)]
        {
            let refused = ledger(outcomes, latency, second).unwrap_err();
            assert!(refused.contains("requests, expected at most 1099511627776"), "{refused}");
        }
    }

    #[test]
    fn two_ledgers_become_one() {
        let (mut one, mut other) = (Ledger::default(), Ledger::default());
        one.enter(Outcome::Refused, times(MS, MS));
        other.enter(Outcome::Refused, times(2 * MS, MS));
        other.enter(Outcome::Answered(StatusCode::OK), times(MS, 5 * MS));
        one.add(&other);
        assert_eq!((one.due(), one.answered()), (3, 1));
        assert_eq!((one.lag().count(), one.latency().count()), (3, 1));
    }

    #[test]
    fn a_ledger_of_an_earlier_version_is_read_and_has_no_service_times() {
        let json = r#"{"fates":[{"fate":"answered","status":200,"count":3}],"latency":[[20000,3]],"lag":[],"timeline":{}}"#;
        let ledger: Ledger = serde_json::from_str(json).unwrap();
        assert_eq!((ledger.answered(), ledger.service_time()), (3, None));
        assert_eq!(ledger.path(), &Path::default());
    }
}
