//! Each request is counted once.
//!
//! Judged on raw samples around the quiet before and after the drill, and not on `increase()`, which
//! extrapolates. A counter that began anew, or whose service is gone, may have taken with it what it
//! counted since its last scrape: as many as ended in that time widen the truth.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contract::quantity::many;
use crate::drill::evidence::{Labels, Sample, Series};
use crate::drill::file::expectation::Counts;
use crate::drill::file::{DrillFile, Expectation};
use crate::drill::ledger::Range;
use crate::drill::question::{Explain, Questions};
use crate::drill::run::{PhaseLedger, Run};
use crate::drill::time::Time;

use super::case::{Case, SETTLED, named, of_same_target, scrapes_of, succeeded};
use super::cause;
use super::verdict::{Finding, Verdict};

/// How many more scrapes what is missing may take to be counted.
const PATIENCE: u32 = 2;

/// When a process started: that it did again shows even where its counter has overtaken what it stood at.
/// <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>
const START_TIME: &str = "process_start_time_seconds";

fn selector(case: &Case<'_>, counts: &Counts) -> Result<String, Finding> {
    case.series_of_requests(counts.series.as_ref(), &format!("{}_count", DrillFile::DURATION))
}

fn status(counts: &Counts) -> &str {
    counts.status.as_deref().unwrap_or(DrillFile::STATUS)
}

/// The counters of a run, as they were seen, and their label for the status; nothing where none were wanted or had.
pub(in crate::drill) fn counters(run: &Run) -> Option<(&[Series], &str)> {
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

pub(super) fn judge(case: &Case<'_>, counts: &Counts) -> Verdict {
    found(case, counts).unwrap_or_else(|finding| finding).about("counts")
}

fn found(case: &Case<'_>, counts: &Counts) -> Result<Finding, Finding> {
    let whole = case.phase(None)?;
    let selector = selector(case, counts)?;
    let series = case.samples(&selector)?;
    let sent = whole.ledger.requests();
    if sent.most == 0 {
        return Err(Finding::could_not_tell("no request reached the service"));
    }
    if series.is_empty() {
        return uncounted(case, &selector, sent);
    }
    let at_once = case.run.ended + SETTLED;
    let look = |quiet: Time| {
        let counted = Counted::of(case, series, status(counts), quiet)?;
        let truth = Truth { sent, lost: counted.lost(case.run.began, &whole) };
        let wrong = truth.wrong(&counted, &whole);
        Ok::<_, Finding>((counted, wrong))
    };
    let (mut counted, mut wrong) = look(at_once)?;
    if !wrong.is_empty() && counted.all < sent.most {
        // A service that is short of processor time counts late. What it counts once, however late, is no lie.
        let before = counted.all;
        (counted, wrong) = look(at_once + case.scrape_interval() * PATIENCE)?;
        if counted.all > before {
            let late = counted.all - before;
            counted
                .notes
                .push(format!("{late} counted late: not yet at the first scrape that should have had all"));
        }
    }
    let says = format!("{} sent, {} counted", shown(sent), counted.all);
    if wrong.is_empty() {
        return Ok(Finding::held(says).with(counted.notes));
    }
    if counted.moved {
        let says = format!(
            "{says}; but others were sending under the same labels: use a workload of the drill's own"
        );
        return Err(Finding::could_not_tell(says).with(wrong).with(counted.notes));
    }
    let mut wrong = wrong.into_iter();
    let first = wrong.next().unwrap_or_default();
    Ok(Finding::lied(format!("{says}: {first}")).with(wrong).with(counted.notes))
}

/// What can be said where no counter matches.
fn uncounted(case: &Case<'_>, selector: &str, sent: Range) -> Result<Finding, Finding> {
    case.known_at(case.run.ended + case.scrape_interval() * 2 + SETTLED, "a scrape")?;
    let what = format!("{} sent, none counted", shown(sent));
    let job = case.run.drill.job.as_deref();
    if let Some(job) = job
        && case.scrapes(Some(job))?.is_empty()
    {
        return Ok(Finding::lied(format!("{what}: Prometheus scrapes no target of job {job:?}")));
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
    /// The times of which what was counted may be lost.
    blind: Vec<(Time, Time)>,
    /// Whether somebody else's requests were counted before the drill or after it.
    moved: bool,
    notes: Vec<String>,
}

impl Counted {
    /// As they stand at the first scrape from `quiet` on.
    fn of(case: &Case<'_>, series: &[Series], status: &str, quiet: Time) -> Result<Self, Finding> {
        let mut counted = Self {
            all: 0,
            statuses: BTreeMap::new(),
            by_status: series.iter().any(|series| series.labels.contains_key(status)),
            blind: Vec::new(),
            moved: false,
            notes: Vec::new(),
        };
        let targets = Targets::of(case)?;
        for series in series {
            let until = targets.settled(case, &series.labels, quiet)?;
            let account = Account::of(case, series, until, &targets);
            counted.all += account.increase;
            *counted.statuses.entry(series.labels.get(status).cloned().unwrap_or_default()).or_default() +=
                account.increase;
            counted.moved |= account.moved;
            counted.blind.extend(account.resets);
        }
        for (labels, from) in targets.gone(case, series) {
            counted.notes.push(format!("not scraped any more since {from}{}", named(&labels)));
            counted.blind.push((from, case.run.ended));
        }
        counted.blind.sort();
        counted.blind.dedup();
        Ok(counted)
    }

    /// How many requests may have been counted and then lost: as many as ended while nobody looked.
    fn lost(&self, began: Time, whole: &PhaseLedger) -> u64 {
        let ended = |(from, to): &(Time, Time)| {
            let since = |time: Time| time.since(began).unwrap_or(Duration::ZERO);
            whole.ledger.ended_between(since(*from), since(*to))
        };
        self.blind.iter().map(ended).sum()
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

/// The targets that were scraped, by the labels that tell them apart.
struct Targets<'a> {
    up: Vec<Series>,
    started: &'a [Series],
}

impl<'a> Targets<'a> {
    fn of(case: &Case<'a>) -> Result<Self, Finding> {
        // Not every service says when it started.
        let started = case.samples(START_TIME).unwrap_or_default();
        Ok(Self { up: case.scrapes(None)?, started })
    }

    /// Whether the process that a series comes from started again between two scrapes.
    fn restarted(&self, labels: &Labels, from: Time, to: Time) -> bool {
        let same = |started: &&Series| of_same_target(&started.labels, labels);
        let Some(started) = self.started.iter().find(same) else { return false };
        let before = started.samples.iter().rfind(|Sample(at, _)| *at <= from);
        let mut since = started.samples.iter().filter(|Sample(at, _)| *at > from && *at <= to);
        before.is_some_and(|before| since.any(|sample| sample.1 > before.1))
    }

    /// The scrapes of the target that a series comes from.
    fn up(&self, labels: &Labels) -> Option<&Series> {
        scrapes_of(&self.up, labels)
    }

    /// The first scrape that succeeded when everything should have been answered and counted: the one that
    /// tells all, or the last one where the target is gone.
    fn settled(&self, case: &Case<'_>, labels: &Labels, quiet: Time) -> Result<Time, Finding> {
        let Some(up) = self.up(labels) else { return Ok(quiet) };
        let mut after = up.samples.iter().filter(|sample| succeeded(sample));
        if let Some(Sample(at, _)) = after.find(|Sample(at, _)| *at >= quiet) {
            return Ok(*at);
        }
        case.known_at(case.gone_by(quiet), "the scrape after the last answer")?;
        Ok(quiet)
    }

    /// Those of these series that were scraped while the drill ran and not after it, with when they last were.
    fn gone(&self, case: &Case<'_>, series: &[Series]) -> Vec<(Labels, Time)> {
        let quiet = case.run.ended + SETTLED;
        let last = |up: &Series| up.samples.iter().rfind(|sample| succeeded(sample)).map(|Sample(at, _)| *at);
        let gone = |up: &Series| last(up).filter(|at| *at < quiet && *at >= case.run.began);
        let ours = |up: &&Series| series.iter().any(|series| self.up(&series.labels) == Some(*up));
        self.up.iter().filter(ours).filter_map(|up| gone(up).map(|at| (up.labels.clone(), at))).collect()
    }
}

impl Case<'_> {
    /// When a target that was not scraped since then counts as gone.
    fn gone_by(&self, quiet: Time) -> Time {
        quiet + self.scrape_interval().mul_f64(2.5)
    }
}

/// What one series counted while the drill ran.
struct Account {
    increase: u64,
    moved: bool,
    /// When it began anew: between which scrapes.
    resets: Vec<(Time, Time)>,
}

impl Account {
    fn of(case: &Case<'_>, series: &Series, until: Time, targets: &Targets<'_>) -> Self {
        let began = case.run.began;
        let (before, after): (Vec<_>, Vec<_>) = series
            .samples
            .iter()
            .copied()
            .filter(|Sample(at, _)| *at <= until)
            .partition(|Sample(at, _)| *at <= began);
        let recent = case.scrape_interval() * 4;
        let moved = before
            .windows(2)
            .any(|pair| pair[1].1 > pair[0].1 && began.since(pair[1].0).is_some_and(|ago| ago <= recent));
        // A series that was not there, on a target that was scraped, stood at nothing.
        let scraped =
            targets.up(&series.labels).is_none_or(|up| up.samples.iter().any(|Sample(at, _)| *at <= began));
        let base = before.last().map(|Sample(at, value)| (*at, *value));
        let born = after.first().filter(|_| !scraped).map(|Sample(at, value)| (*at, *value));
        let mut last = base.or(born).unwrap_or((began, 0.0));
        // Of a target that was found later nobody knows since when it counted what it first showed.
        let unknown = born.filter(|(_, value)| base.is_none() && *value > 0.0).map(|(at, _)| (began, at));
        let mut account = Self { increase: 0, moved, resets: unknown.into_iter().collect() };
        let mut increase = 0.0;
        for Sample(at, value) in after {
            if value >= last.1 && !targets.restarted(&series.labels, last.0, at) {
                increase += value - last.1;
            } else {
                increase += value;
                account.resets.push((last.0, at));
            }
            last = (at, value);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
        {
            account.increase = increase.round() as u64;
        }
        account
    }
}
