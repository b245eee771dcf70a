//! Each request is counted once.

use std::collections::BTreeMap;

use crate::evidence::Series;
use crate::file::expectation::Counts;
use crate::file::{DrillFile, Expectation};
use crate::question::{Explain, Questions};
use crate::run::{PhaseLedger, Run};
use firedrill_contract::quantity::many;
use firedrill_load::ledger::Range;

use super::case::{Case, SETTLED};
use super::cause;
use super::rise::{Rises, START_TIME};
use super::verdict::Finding;

fn selector(case: &Case<'_>, counts: &Counts) -> Result<String, Finding> {
    case.series_of_requests(counts.series.as_ref(), &format!("{}_count", DrillFile::DURATION))
}

fn status(counts: &Counts) -> &str {
    counts.status.as_deref().unwrap_or(DrillFile::STATUS)
}

/// The counters of a run, as they were seen, and their label for the status; nothing where none were wanted or had.
pub(crate) fn counters(run: &Run) -> Option<(&[Series], &str)> {
    let case = Case::new(run);
    let counts = run.drill.expect.iter().find_map(|expectation| match expectation {
        Expectation::Counts(counts) => Some(counts),
        _ => None,
    })?;
    let series = case.samples(&selector(&case, counts).ok()?).ok()?;
    Some((series, status(counts)))
}

pub(super) fn ask(case: &Case<'_>, counts: &Counts, questions: &mut Questions) {
    questions.selectors.extend(selector(case, counts).into_iter().chain([START_TIME.to_owned()]));
}

pub(super) fn explain(case: &Case<'_>, counts: &Counts) -> Vec<Explain> {
    let (from, to) = (case.run.began, case.run.ended + case.scrape_interval());
    let explain = |expression| Explain { expression, labels: [].into(), from, to };
    selector(case, counts).into_iter().map(explain).collect()
}

pub(super) fn judge(case: &Case<'_>, counts: &Counts) -> Finding {
    found(case, counts).unwrap_or_else(|finding| finding).about("counts")
}

fn found(case: &Case<'_>, counts: &Counts) -> Result<Finding, Finding> {
    let whole = case.phase(None)?;
    let selector = selector(case, counts)?;
    let series = case.samples(&selector)?;
    let sent = whole.ledger.requests();
    if sent.most == 0 {
        return Err(Finding::inconclusive("no request reached the service"));
    }
    if series.is_empty() {
        return uncounted(case, &selector, sent);
    }
    let status = status(counts);
    let look = |rises: &Rises<'_>| {
        let counted = Counted::of(rises, status);
        let wrong = Truth { sent, lost: rises.lost(case, &whole) }.wrong(&counted, &whole);
        (counted, wrong)
    };
    let rises = Rises::of(case, series, |rises| {
        let (counted, wrong) = look(rises);
        wrong.is_empty() || counted.all >= sent.most
    })?;
    let (counted, wrong) = look(&rises);
    let wrong = [rises.fell, wrong].concat();
    let says = format!("{} sent, {} counted", shown(sent), counted.all);
    if wrong.is_empty() {
        return Ok(Finding::pass(says).with(rises.notes));
    }
    if rises.moved {
        let says = format!(
            "{says}; but others were sending under the same labels: use a workload of the drill's own"
        );
        return Err(Finding::inconclusive(says).with(wrong).with(rises.notes));
    }
    let mut wrong = wrong.into_iter();
    let first = wrong.next().unwrap_or_default();
    Ok(Finding::fail(format!("{says}: {first}")).with(wrong).with(rises.notes))
}

/// What can be said where no counter matches.
fn uncounted(case: &Case<'_>, selector: &str, sent: Range) -> Result<Finding, Finding> {
    case.known_at(case.run.ended + case.scrape_interval() * 2 + SETTLED, "a scrape")?;
    let what = format!("{} sent, none counted", shown(sent));
    let job = case.run.drill.job.as_deref();
    if let Some(job) = job
        && case.scrapes(Some(job))?.is_empty()
    {
        return Ok(Finding::fail(format!("{what}: Prometheus scrapes no target of job {job:?}")));
    }
    let causes = cause::of(case, selector);
    let exposed = case.run.evidence.service.said().is_some_and(|service| {
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
struct Truth {
    sent: Range,
    lost: u64,
}

impl Truth {
    /// Each way in which the counters are wrong, as a line.
    fn wrong(&self, counted: &Counted, whole: &PhaseLedger) -> Vec<String> {
        let mut wrong = Vec::new();
        let least = self.sent.least.saturating_sub(self.lost);
        if counted.all < least {
            wrong.push(format!("{} missing", many(least - counted.all, "request is", "requests are")));
        } else if counted.all > self.sent.most {
            let more = counted.all - self.sent.most;
            let twice =
                if counted.all == 2 * self.sent.most { ", each request was counted twice" } else { "" };
            wrong.push(format!("{} too many{twice}", many(more, "request", "requests")));
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
