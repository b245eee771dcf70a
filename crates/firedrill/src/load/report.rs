//! What a person, or a program, reads when a load has ended.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use firedrill_contract::{Rate, display};
use firedrill_load::load::Summary;
use firedrill_load::outcome::Outcome;
use firedrill_load::timings::Timings;
use firedrill_net::Target;

/// The account of a finished load. Its JSON is in seconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    targets: Vec<String>,
    rate: String,
    seed: u64,
    lasted_seconds: f64,
    /// How many requests fell due; the sum of the counts below.
    due: u64,
    /// By status.
    answered: BTreeMap<u16, u64>,
    /// By the status with which the answer began.
    truncated: BTreeMap<u16, u64>,
    /// By outcome.
    unanswered: BTreeMap<&'static str, u64>,
    /// From when each answered request was due to the end of its answer.
    latency_seconds: Option<Latency>,
    /// From when each answered request was sent to the end of its answer.
    service_time_seconds: Option<Latency>,
    lag_seconds: Option<Lag>,
    #[serde(skip)]
    outcomes: Vec<(Outcome, u64)>,
}

/// How long answers took.
#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

/// How late the generator itself was.
#[derive(Debug, Serialize)]
struct Lag {
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Latency {
    fn from_timings(timings: &Timings) -> Option<Self> {
        let at = |share| seconds(timings, share);
        Some(Self { p50: at(0.5)?, p90: at(0.9)?, p99: at(0.99)?, max: at(1.0)? })
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p90, p99, max] = [self.p50, self.p90, self.p99, self.max].map(display::seconds);
        write!(f, "p50 {p50}   p90 {p90}   p99 {p99}   max {max}")
    }
}

impl Lag {
    fn from_timings(timings: &Timings) -> Option<Self> {
        let at = |share| seconds(timings, share);
        Some(Self { p50: at(0.5)?, p99: at(0.99)?, p999: at(0.999)?, max: at(1.0)? })
    }
}

fn seconds(timings: &Timings, share: f64) -> Option<f64> {
    timings.quantile(share).as_ref().map(Duration::as_secs_f64)
}

impl Report {
    pub(super) fn new(summary: &Summary, targets: &[Target], rate: Rate, seed: u64) -> Self {
        let ledger = summary.ledger();
        let (mut answered, mut truncated, mut unanswered) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (outcome, count) in ledger.outcomes() {
            match (outcome, outcome.status()) {
                (Outcome::Answered(status), _) => answered.insert(status.as_u16(), count),
                (_, Some(status)) => truncated.insert(status.as_u16(), count),
                (_, None) => unanswered.insert(outcome.name(), count),
            };
        }
        Self {
            targets: targets.iter().map(ToString::to_string).collect(),
            rate: rate.to_string(),
            seed,
            lasted_seconds: summary.lasted().as_secs_f64(),
            due: ledger.due(),
            answered,
            truncated,
            unanswered,
            latency_seconds: Latency::from_timings(ledger.latency()),
            service_time_seconds: ledger.service_time().and_then(Latency::from_timings),
            lag_seconds: Lag::from_timings(ledger.lag()),
            outcomes: ledger.outcomes().collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rate, seed, due, .. } = self;
        writeln!(
            f,
            "{due} requests were due in {} s at {rate}   seed {seed}",
            display::number(self.lasted_seconds)
        )?;
        self.targets.iter().try_for_each(|target| writeln!(f, "  {target}"))?;
        writeln!(f)?;
        for (outcome, count) in &self.outcomes {
            let (name, meaning) = (outcome.name(), outcome.meaning());
            match (outcome, outcome.status()) {
                (Outcome::Answered(status), _) => writeln!(f, "  {:<12} {count:>9}", status.as_u16())?,
                (_, Some(status)) => {
                    writeln!(f, "  {name:<12} {count:>9}   {meaning}, status {}", status.as_u16())?;
                }
                (_, None) => writeln!(f, "  {name:<12} {count:>9}   {meaning}")?,
            }
        }
        if self.answered.is_empty() {
            writeln!(f, "\n  Nothing was ever answered.")?;
        }
        writeln!(f)?;
        if let Some(latency) = &self.latency_seconds {
            let answered = self.answered.values().sum::<u64>();
            writeln!(f, "  latency   {latency}")?;
            writeln!(f, "            of the {answered} answered, from when each was due")?;
        }
        if let Some(service_time) = &self.service_time_seconds {
            writeln!(f, "  service   {service_time}")?;
            writeln!(f, "            of the same, from when each was sent")?;
        }
        if let Some(Lag { p50, p99, p999, max }) = &self.lag_seconds {
            let [p50, p99, p999, max] = [p50, p99, p999, max].map(|seconds| display::seconds(*seconds));
            writeln!(f, "  own lag   p50 {p50}   p99 {p99}   p99.9 {p999}   max {max}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use firedrill_contract::Time;
    use firedrill_load::ledger::{Ledger, Times};
    use firedrill_load::load::Phase;

    fn report(outcomes: &[(Outcome, u64)]) -> Report {
        let mut ledger = Ledger::default();
        for (outcome, latency) in outcomes {
            let (due, left) = (Duration::ZERO, Duration::from_millis(1));
            ledger.enter(*outcome, Times { due, left, sent: None, ended: Duration::from_millis(*latency) });
        }
        let (began, lasted) = (Duration::ZERO, Duration::from_secs(30));
        let phase = Phase { name: "load".to_owned(), began, ended: lasted, ledger };
        let summary =
            Summary { began: Time::from_millis(0), phases: vec![phase], ended: lasted, interrupted: false };
        let target = Target::parse("http://app:8080/work").unwrap();
        Report::new(&summary, &[target], "5/s".parse().unwrap(), 7)
    }

    #[test]
    fn a_report_says_what_came_back_and_how_late() {
        let (ok, bad) = (StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR);
        let text = report(&[
            (Outcome::Answered(ok), 20),
            (Outcome::Answered(ok), 20),
            (Outcome::Answered(bad), 150),
            (Outcome::Truncated(ok), 1),
            (Outcome::Reset, 1),
        ])
        .to_string();
        assert_eq!(
            text,
            "\
5 requests were due in 30 s at 5/s   seed 7
  http://app:8080/work

  200                  2
  500                  1
  truncated            1   the answer broke off before the end of its body, status 200
  reset                1   the connection was reset before the answer

  latency   p50 20.02 ms   p90 150 ms   p99 150 ms   max 150 ms
            of the 3 answered, from when each was due
  service   p50 19.01 ms   p90 149.1 ms   p99 149.1 ms   max 149.1 ms
            of the same, from when each was sent
  own lag   p50 1 ms   p99 1 ms   p99.9 1 ms   max 1 ms
"
        );
    }

    #[test]
    fn a_load_without_any_answer_says_so_plainly() {
        let report = report(&[(Outcome::Refused, 1)]);
        assert!(report.to_string().contains("Nothing was ever answered."));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["unanswered"]["refused"], 1);
        assert_eq!(json["latency_seconds"], serde_json::Value::Null);
        assert_eq!(json["service_time_seconds"], serde_json::Value::Null);
        assert_eq!(json["lag_seconds"]["max"], 0.001);
    }
}
