//! Each request is counted once.

use super::kind::Kind;
use crate::file::check::context::FileContext;
use crate::file::check::names::check_label;
use crate::file::check::promql::must_count;
use crate::file::place::Place;
use crate::judge::case::{Case, SETTLED};
use crate::judge::cause;
use crate::judge::rise::{self, Rises, START_TIME};
use crate::judge::verdict::Finding;
use crate::phase_ledger::PhaseLedger;
use crate::question::{Explain, Questions};
use firedrill_contract::display;
use firedrill_contract::metric::{REQUEST_DURATION, STATUS_LABEL};
use firedrill_load::ledger::Range;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Each request is counted once: no more, no fewer, each under its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Of which phases: all of them, since only before and after them is it quiet.
    pub counts: AllPhases,
    /// The counters that count, as a selector; those of the semantic conventions where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// The label that holds the status; `http_response_status_code` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// The one thing that can be counted exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AllPhases {
    /// Every request of the drill.
    #[serde(rename = "all phases")]
    AllPhases,
}

impl Kind for Counts {
    fn check(&self, context: &FileContext<'_>, place: &mut Place<'_>) {
        let Self { series, status, .. } = self;
        status.iter().for_each(|status| check_label(status, &mut place.at("status")));
        let Some(selector) = context.selector(series.as_deref(), place) else { return };
        let label_key = if status.is_some() { "status" } else { "series" };
        let status = status.as_deref().unwrap_or(STATUS_LABEL);
        if let Some(known) = context.known(&selector) {
            if !known.labels().any(|label| label == status) {
                let name = known.name();
                place.at(label_key).refuse(format!(
                    "`{name}` has no label `{status}`: set `status` to the label that holds the HTTP status"
                ));
            }
            must_count(known, &mut place.at("series"));
        }
    }

    fn ask(&self, case: &Case<'_>, questions: &mut Questions) {
        questions.selectors.extend(self.selector(case).into_iter().chain([START_TIME.to_owned()]));
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        vec![self.finding(case).unwrap_or_else(|finding| finding).about("counts")]
    }

    fn request_counters(&self, case: &Case<'_>) -> Option<(String, String)> {
        Some((self.selector(case).ok()?, self.status().to_owned()))
    }

    fn explain(&self, case: &Case<'_>) -> Vec<Explain> {
        self.selector(case).into_iter().map(|selector| rise::explain(case, selector)).collect()
    }

    fn depends_on_schedule(&self) -> bool {
        false
    }
}

impl Counts {
    fn selector(&self, case: &Case<'_>) -> Result<String, Finding> {
        case.series_of_requests(self.series.as_ref(), &format!("{}_count", REQUEST_DURATION))
    }

    fn status(&self) -> &str {
        self.status.as_deref().unwrap_or(STATUS_LABEL)
    }

    fn finding(&self, case: &Case<'_>) -> Result<Finding, Finding> {
        let whole = case.phase(None)?;
        let selector = self.selector(case)?;
        let series = case.samples(&selector)?;
        let sent = whole.ledger.requests();
        if sent.most == 0 {
            return Err(Finding::inconclusive("no request reached the service"));
        }
        if series.is_empty() {
            return uncounted(case, &selector, sent);
        }
        let status = self.status();
        let look = |rises: &Rises<'_>| {
            let counted = Counted::of(rises, status);
            let wrong = Countable { sent, lost: rises.lost(case, &whole) }.wrong(&counted, &whole);
            (counted, wrong)
        };
        let rises = Rises::of(case, series, |rises| {
            let (counted, wrong) = look(rises);
            wrong.is_empty() || counted.all >= sent.most
        })?;
        let (counted, wrong) = look(&rises);
        let reason = tally(sent, counted.all, rises.lost(case, &whole), rises.causes());
        let wrong = [rises.fell, wrong].concat();
        if wrong.is_empty() {
            return Ok(Finding::pass(reason).with(rises.notes));
        }
        if rises.moved {
            let reason = format!(
                "{reason}; but others were sending under the same labels: use a workload of the drill's own"
            );
            return Err(Finding::inconclusive(reason).with(wrong).with(rises.notes));
        }
        let mut wrong = wrong.into_iter();
        let first = wrong.next().unwrap_or_default();
        Ok(Finding::fail(format!("{reason}: {first}")).with(wrong).with(rises.notes))
    }
}

/// What was counted, and what could have been where that is not one number.
fn tally(sent: Range, counted: u64, lost: u64, lost_since: impl Iterator<Item = String>) -> String {
    let Range { least, most } = sent;
    if lost == 0 && least == most {
        return format!("{most} sent, {counted} counted");
    }
    let unknown = (most > least)
        .then(|| format!("{} unknown", display::count(most - least, "outcome is", "outcomes are")));
    let lost_since = lost_since.filter(|_| lost > 0);
    let reasons = unknown.into_iter().chain(lost_since).collect::<Vec<_>>().join(" and ");
    let least = least.saturating_sub(lost);
    format!("{counted} counted; between {least} and {most} could be, since {reasons}")
}

/// What can be said where no counter matches.
fn uncounted(case: &Case<'_>, selector: &str, sent: Range) -> Result<Finding, Finding> {
    case.known_at(case.ended + case.scrape_interval() * 2 + SETTLED, "a scrape")?;
    let what = format!("{} sent, none counted", shown(sent));
    let job = case.job;
    if let Some(job) = job
        && case.scrapes(Some(job))?.is_empty()
    {
        return Ok(Finding::fail(format!("{what}: Prometheus scrapes no target of job {job:?}")));
    }
    let causes = cause::of(case, selector);
    let exposed = case.evidence.service.received().is_some_and(|service| {
        let metric = selector.split('{').next().unwrap_or_default();
        service.metrics.iter().any(|name| name == metric)
    });
    let found = cause::blame(&what, causes);
    let hint =
        "the service exposes it: look for a relabelling rule that drops it, or a limit on samples".to_owned();
    Ok(if exposed && case.prometheus().is_ok() { found.with([hint]) } else { found })
}

fn shown(range: Range) -> String {
    let Range { least, most } = range;
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

/// What the counters say.
struct Counted {
    all: u64,
    /// By status, where the series have one.
    statuses: BTreeMap<String, u64>,
    /// Whether they are told apart by status: a series without one is of requests without an answer.
    by_status: bool,
}

impl Counted {
    fn of(rises: &Rises<'_>, status: &str) -> Self {
        let mut counted = Self { all: 0, statuses: BTreeMap::new(), by_status: false };
        for (series, rise) in rises.each() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of requests"
            )]
            let rise = rise.round() as u64;
            let status = series.labels.get(status);
            // A sum that began anew at nothing could be what was sent.
            counted.all = counted.all.saturating_add(rise);
            counted.by_status |= status.is_some();
            let of_status = counted.statuses.entry(status.cloned().unwrap_or_default()).or_default();
            *of_status = of_status.saturating_add(rise);
        }
        counted
    }
}

/// What the ledger allows the counters to say.
struct Countable {
    sent: Range,
    lost: u64,
}

impl Countable {
    /// Each way in which the counters are wrong, as a line.
    fn wrong(&self, counted: &Counted, whole: &PhaseLedger) -> Vec<String> {
        let mut wrong = Vec::new();
        let least = self.sent.least.saturating_sub(self.lost);
        if counted.all < least {
            wrong.push(format!(
                "{} missing",
                display::count(least - counted.all, "request is", "requests are")
            ));
        } else if counted.all > self.sent.most {
            let more = counted.all - self.sent.most;
            let twice =
                if counted.all == 2 * self.sent.most { ", each request was counted twice" } else { "" };
            wrong.push(format!("{} too many{twice}", display::count(more, "request", "requests")));
        }
        if counted.by_status {
            let answered = whole.ledger.statuses();
            // Those without an answer may be counted under any status, or none.
            let unanswered = self.sent.most.saturating_sub(answered.values().sum());
            let names = answered.keys().map(u16::to_string);
            let mut names: Vec<_> = names.chain(counted.statuses.keys().cloned()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let truth =
                    name.parse().ok().and_then(|status: u16| answered.get(&status).copied()).unwrap_or(0);
                let found = counted.statuses.get(&name).copied().unwrap_or(0);
                if found < truth.saturating_sub(self.lost) || found > truth + unanswered {
                    let name =
                        if name.is_empty() { "no status".to_owned() } else { format!("status {name}") };
                    wrong.push(format!("{truth} answered with {name}, {found} counted under it"));
                }
            }
        }
        wrong
    }
}
