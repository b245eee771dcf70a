//! Reports of a run that was judged, for people and for programs.
//!
//! A [`Report`] is what a run and its findings come to, in numbers and words: [`Report::new`] makes it,
//! and every form is written from it alone, so that none can say what another does not. It is pure, as
//! the judge is: no clock, no terminal, no file.
//!
//! ```text
//! Run, findings -> Report -> json()                 for programs; its form is the type itself
//!                         -> text(written, look)    for a terminal or a pipe
//!                         -> html(run, written)     for a browser, with charts drawn from the run
//!               [Report] -> junit                   for CI, one suite a drill
//! ```
//!
//! What comes from outside (names, labels, errors) is sanitised on its way to people,
//! so that it cannot move a cursor, colour a line or turn a text round.

pub mod html;
pub mod junit;
pub mod text;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::{Detection, Finding, Verdict};
use super::phase_ledger::PhaseLedger;
use super::run::Run;
use firedrill_contract::{Time, display};
use firedrill_load::ledger::{Ledger, Range};
use firedrill_load::outcome::Outcome;
use firedrill_load::timings::Timings;

/// The version of the form that [`Report`] has in JSON. It counts up when a member goes or changes its
/// meaning; members may be added without.
pub const VERSION: u32 = 2;

/// What a run and its findings come to. In JSON, times are RFC 3339 in UTC and durations are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this form: 2.
    pub version: u32,
    /// The version of the program that made the run.
    pub firedrill: String,
    /// What the drill is called.
    pub name: String,
    /// What it shows, where its file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where requests went: scheme, host and port.
    pub target: String,
    /// What makes the requests repeatable.
    pub seed: u64,
    /// When the first phase began.
    pub began: String,
    /// When the last request had its end.
    pub ended: String,
    /// From the first to the second.
    pub seconds: f64,
    /// Whether somebody stopped the drill before its end.
    pub interrupted: bool,
    /// What all findings come to together.
    pub verdict: Verdict,
    /// The program's exit code for it: 0 pass, 1 fail, 2 inconclusive.
    pub exit_code: u8,
    /// What was sent, phase by phase, and what came back.
    pub phases: Vec<Phase>,
    /// What the judge says of each thing that was expected, in the order of the file.
    pub findings: Vec<Finding>,
}

/// A phase in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// When it began.
    pub began: String,
    /// When it ended.
    pub ended: String,
    /// From the first to the second.
    pub seconds: f64,
    /// How many requests fell due.
    pub requests: u64,
    /// How many of them failed, as their client saw it: a status of 5xx, or no proper answer.
    pub errors: u64,
    /// The second as a share of the first, from 0 to 1; nothing where there was no request.
    pub error_ratio: Option<f64>,
    /// How many requests the service saw, between what is sure and what is possible.
    pub seen: Bounds,
    /// How many of those failed.
    pub seen_errors: Bounds,
    /// What became of the requests, and of how many.
    pub outcomes: Vec<Outcomes>,
    /// Of answered requests, from when each was due to the end of its answer; nothing where none was.
    pub latency: Option<Spread>,
    /// Of the same, from when each was handed to a connection: what monitoring is held to; nothing where the run file
    /// is of a version that kept none.
    pub service_time: Option<Spread>,
    /// How late requests left: the generator's own lateness; nothing where none was due.
    pub lag: Option<Spread>,
}

/// From the least to the most, both taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bounds {
    /// At least so many.
    pub least: u64,
    /// At most so many.
    pub most: u64,
}

/// How many requests had one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcomes {
    /// Its name: `answered`, `truncated`, `hung up`, `reset`, `closed`, `garbled`, `timed out`, `refused`,
    /// `unreachable`, `not sent` or `abandoned`.
    pub outcome: String,
    /// The status, where an answer began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many had it.
    pub count: u64,
}

/// A distribution of durations in a few numbers, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// Their mean.
    pub mean_seconds: f64,
    /// What half of them were not above.
    pub p50_seconds: f64,
    /// What nine in ten were not above.
    pub p90_seconds: f64,
    /// What 99 in a hundred were not above.
    pub p99_seconds: f64,
    /// The longest.
    pub max_seconds: f64,
}

/// Where things were written, and how to have the drill again, as a person is told. Nothing where it was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The run file.
    pub run: Option<String>,
    /// The HTML report.
    pub html: Option<String>,
    /// The command that repeats the drill, without secrets.
    pub again: Option<String>,
}

impl Report {
    /// Of a run and what the judge says of it. The drill is over: evidence that could still come does not.
    #[must_use]
    pub fn new(run: &Run, findings: &[Finding]) -> Self {
        let verdict = Verdict::from_findings(findings);
        Self {
            version: VERSION,
            firedrill: run.firedrill.clone(),
            name: run.drill.name.clone(),
            about: run.drill.about.clone(),
            target: run.target.clone(),
            seed: run.seed,
            began: run.began.to_string(),
            ended: run.ended.to_string(),
            seconds: between(run.began, run.ended),
            interrupted: run.interrupted,
            verdict,
            exit_code: verdict.exit_code(),
            phases: run.phases.iter().map(Phase::of).collect(),
            findings: findings.iter().map(concluded).collect(),
        }
    }

    /// As JSON, with a line feed at its end.
    ///
    /// Control characters beyond those that JSON escapes anyway are escaped as well: a report may be
    /// looked at on a terminal, and it is read as the same text.
    ///
    /// # Panics
    ///
    /// Never: each member has a form in JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("each member has a form in JSON");
        let mut escaped = String::with_capacity(json.len() + 1);
        for c in json.chars() {
            if c != '\n' && firedrill_net::sanitize::is_unsafe(c) {
                escaped.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
            } else {
                escaped.push(c);
            }
        }
        escaped + "\n"
    }

    /// How many findings have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// What all of it comes to, as a person says it: `Monitoring lied about 1 of 6.`
    #[must_use]
    pub fn summary(&self) -> String {
        let (all, failed, unknown) =
            (self.findings.len(), self.count(Verdict::Fail), self.count(Verdict::Inconclusive));
        let sentence = match (all, failed, unknown) {
            (0, ..) => "Inconclusive: nothing was expected.".to_owned(),
            (1, 1, _) => "Monitoring lied.".to_owned(),
            (1, 0, 1) => "Inconclusive.".to_owned(),
            (1, ..) => "Monitoring told the truth.".to_owned(),
            (_, 0, 0) => format!("Monitoring told the truth about all {all}."),
            (_, 0, _) => format!("Inconclusive about {unknown} of {all}."),
            (_, _, 0) => format!("Monitoring lied about {failed} of {all}."),
            _ => format!("Monitoring lied about {failed} of {all}; {unknown} inconclusive."),
        };
        if self.interrupted { format!("The drill was interrupted. {sentence}") } else { sentence }
    }
}

/// A finding when nothing more is waited for.
fn concluded(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    let until = finding.pending_until.take();
    finding.details.extend(until.map(|until| format!("evidence could still have come until {until}")));
    finding
}

impl Phase {
    fn of(phase: &PhaseLedger) -> Self {
        let ledger = &phase.ledger;
        let (requests, errors) = (ledger.due(), failed(ledger));
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 requests")]
        let error_ratio = (requests > 0).then(|| errors as f64 / requests as f64);
        let outcomes = ledger.outcomes().map(|(outcome, count)| Outcomes {
            outcome: outcome.name().to_owned(),
            status: outcome.status().map(|status| status.as_u16()),
            count,
        });
        Self {
            name: phase.name.clone(),
            began: phase.began.to_string(),
            ended: phase.ended.to_string(),
            seconds: between(phase.began, phase.ended),
            requests,
            errors,
            error_ratio,
            seen: ledger.requests().into(),
            seen_errors: ledger.errors().into(),
            outcomes: outcomes.collect(),
            latency: Spread::of(ledger.latency()),
            service_time: ledger.service_time().and_then(Spread::of),
            lag: Spread::of(ledger.lag()),
        }
    }

    /// The outcomes other than a whole answer, with how many had each, the most frequent first.
    fn unanswered(&self) -> Vec<(&str, u64)> {
        let mut unanswered: Vec<(&str, u64)> = Vec::new();
        for Outcomes { outcome, count, .. } in
            self.outcomes.iter().filter(|outcomes| outcomes.outcome != ANSWERED)
        {
            match unanswered.iter_mut().find(|(name, _)| name == outcome) {
                // The same outcome with another status.
                Some((_, all)) => *all += count,
                None => unanswered.push((outcome, *count)),
            }
        }
        unanswered.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        unanswered
    }
}

/// The name of [`Outcome::Answered`].
const ANSWERED: &str = Outcome::Answered(http::StatusCode::OK).name();

/// How many requests failed, as their client saw it.
fn failed(ledger: &Ledger) -> u64 {
    ledger.outcomes().filter(|(outcome, _)| outcome.is_error()).map(|(_, count)| count).sum()
}

impl Spread {
    fn of(timings: &Timings) -> Option<Self> {
        let quantile = |share| timings.quantile(share).as_ref().map(Duration::as_secs_f64);
        Some(Self {
            mean_seconds: timings.mean()?.as_secs_f64(),
            p50_seconds: quantile(0.5)?,
            p90_seconds: quantile(0.9)?,
            p99_seconds: quantile(0.99)?,
            max_seconds: timings.max()?.as_secs_f64(),
        })
    }
}

impl Detection {
    /// Each part that is known, in the order of time, under its name.
    fn parts(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let parts = [
            ("scrape", Some(self.scrape_seconds)),
            ("evaluation", Some(self.evaluation_seconds)),
            ("for", Some(self.for_seconds)),
            ("delivery", self.delivery_seconds),
            ("grouping", self.grouping_seconds),
        ];
        parts.into_iter().filter_map(|(name, seconds)| Some((name, seconds?)))
    }

    /// From the cause to the page, where it came.
    fn told_seconds(&self) -> Option<f64> {
        Some(self.detected_seconds + self.delivery_seconds.unwrap_or_default() + self.grouping_seconds?)
    }

    /// As a line: `2 s scrape + 9 s evaluation + 10 s for = 21 s to fire; + 400 ms delivery + 2 s grouping = 23.4 s to the page`.
    fn sentence(&self) -> String {
        let parts = |names: &[&str]| {
            let named = self.parts().filter(|(name, _)| names.contains(name));
            let each = named.map(|(name, seconds)| format!("{} {name}", display::seconds(seconds)));
            each.collect::<Vec<_>>().join(" + ")
        };
        let fired = parts(&["scrape", "evaluation", "for"]);
        let fired = format!("{fired} = {} to fire", display::seconds(self.detected_seconds));
        match (parts(&["delivery", "grouping"]), self.told_seconds()) {
            (after, _) if after.is_empty() => fired,
            (after, None) => format!("{fired}; + {after}"),
            (after, Some(told)) => format!("{fired}; + {after} = {} to the page", display::seconds(told)),
        }
    }
}

impl From<Range> for Bounds {
    fn from(Range { least, most }: Range) -> Self {
        Self { least, most }
    }
}

fn between(from: Time, to: Time) -> f64 {
    to.since(from).unwrap_or_default().as_secs_f64()
}

#[cfg(any(test, feature = "testing"))]
pub mod example;

#[cfg(test)]
mod tests;
