//! By how much counters rose while a drill ran.
//!
//! Read from raw samples around the quiet before and after the drill, and not by `increase()`, which
//! extrapolates. A counter that began anew, or whose service is gone, may have taken with it what it
//! counted since its last scrape: as many as ended in that time widen the truth.

use std::time::Duration;

use crate::evidence::{Labels, Sample, Series};
use crate::phase_ledger::PhaseLedger;
use crate::question::Explain;
use firedrill_contract::{Time, display};

use super::case::{Case, SETTLED};
use super::target::{named, of_same_target, scrapes_of, succeeded};
use super::verdict::Finding;

/// How many more scrapes what is missing may take to be counted.
const PATIENCE: u32 = 2;

/// When a process started: that it did again shows even where its counter has overtaken what it stood at.
/// <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>
pub(crate) const START_TIME: &str = "process_start_time_seconds";

/// That each target of the drill's job, as far as it was scraped while the drill ran, was scraped after the last answer or is gone.
pub(super) fn scraped_after(case: &Case<'_>) -> Result<(), Finding> {
    let (began, quiet) = (case.began, case.ended + SETTLED);
    let Some(job) = case.job else { return Ok(()) };
    for up in case.scrapes(Some(job))? {
        if up.samples.iter().any(|scrape| scrape.0 >= began && succeeded(scrape)) {
            case.first_scrape(&up, quiet)?;
        }
    }
    Ok(())
}

/// The counters of a selector, to be taken apart from the first request to the scrape that should have them all.
pub(crate) fn explain(case: &Case<'_>, selector: String) -> Explain {
    let to = case.ended + case.scrape_interval();
    Explain { expression: selector, labels: Labels::new(), from: case.began, to }
}

/// A time in which a target may have counted what nobody saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Blind {
    why: Why,
    from: Time,
    to: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Restarted,
    Gone,
    FoundLate,
}

/// By how much each of some counters rose.
pub(crate) struct Rises<'a> {
    each: Vec<(&'a Series, f64)>,
    /// When a target may have counted what nobody saw.
    blind: Vec<Blind>,
    /// Whether somebody else's requests were counted before the drill or after it.
    pub(crate) moved: bool,
    /// The counters that went down though their process went on, a line each: what no counter may do.
    pub(crate) fell: Vec<String>,
    pub(crate) notes: Vec<String>,
}

impl<'a> Rises<'a> {
    /// As they stand at the first scrape that should have everything; where that is not enough, a few scrapes
    /// later, since a service that is short of processor time counts late.
    pub(crate) fn of(
        case: &Case<'a>,
        series: &'a [Series],
        enough: impl Fn(&Self) -> bool,
    ) -> Result<Self, Finding> {
        let at_once = case.ended + SETTLED;
        let early = Self::until(case, series, at_once)?;
        if enough(&early) {
            return Ok(early);
        }
        let mut patient = Self::until(case, series, at_once + case.scrape_interval() * PATIENCE)?;
        let late = patient.total() - early.total();
        if late > 0.0 {
            let late = display::number(late);
            patient
                .notes
                .push(format!("{late} counted late: not yet at the first scrape that should have had all"));
        }
        Ok(patient)
    }

    /// As they stand at the first scrape from `quiet` on.
    fn until(case: &Case<'a>, series: &'a [Series], quiet: Time) -> Result<Self, Finding> {
        let mut rises =
            Self { each: Vec::new(), blind: Vec::new(), moved: false, fell: Vec::new(), notes: Vec::new() };
        let targets = Targets::of(case)?;
        for series in series {
            let until = targets.settled(case, &series.labels, quiet)?;
            rises.follow(case, series, until, &targets);
        }
        for (labels, from) in targets.gone(case, series) {
            rises.notes.push(format!("not scraped any more since {from}{}", named(&labels)));
            rises.blind.push(Blind { why: Why::Gone, from, to: case.ended });
        }
        rises.blind.sort();
        rises.blind.dedup();
        Ok(rises)
    }

    /// Takes in what one series counted while the drill ran.
    fn follow(&mut self, case: &Case<'_>, series: &'a Series, until: Time, targets: &Targets<'_>) {
        let began = case.began;
        let (before, after): (Vec<_>, Vec<_>) = series
            .samples
            .iter()
            .copied()
            .filter(|Sample(at, _)| *at <= until)
            .partition(|Sample(at, _)| *at <= began);
        let recent = case.scrape_interval() * 4;
        self.moved |= before
            .windows(2)
            .any(|pair| pair[1].1 > pair[0].1 && began.since(pair[1].0).is_some_and(|ago| ago <= recent));
        // A series that was not there, on a target that was scraped, stood at nothing.
        let scraped =
            targets.up(&series.labels).is_none_or(|up| up.samples.iter().any(|Sample(at, _)| *at <= began));
        let base = before.last().map(|Sample(at, value)| (*at, *value));
        let born = after.first().filter(|_| !scraped).map(|Sample(at, value)| (*at, *value));
        let mut last = base.or(born).unwrap_or((began, 0.0));
        // Of a target that was found later nobody knows since when it counted what it first showed.
        let unknown = born.filter(|(_, value)| base.is_none() && *value > 0.0);
        self.blind.extend(unknown.map(|(at, _)| Blind { why: Why::FoundLate, from: began, to: at }));
        let mut rise = 0.0;
        for Sample(at, value) in after {
            let restarted = targets.restarted(&series.labels, last.0, at);
            if value >= last.1 && restarted != Some(true) {
                rise += value - last.1;
            } else {
                rise += value;
                self.blind.push(Blind { why: Why::Restarted, from: last.0, to: at });
                if restarted == Some(false) {
                    self.fell.push(format!(
                        "it went down from {} to {} at {at}{}, though its process did not start anew",
                        display::number(last.1),
                        display::number(value),
                        named(&series.labels)
                    ));
                }
            }
            last = (at, value);
        }
        self.each.push((series, rise));
    }

    /// Each series, with how much it rose.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'a Series, f64)> {
        self.each.iter().copied()
    }

    /// How much they rose together.
    pub(crate) fn total(&self) -> f64 {
        self.each().map(|(_, rise)| rise).sum()
    }

    /// Why what was counted may be lost, a clause each.
    pub(crate) fn causes(&self) -> impl Iterator<Item = String> {
        let counted = |why| self.blind.iter().filter(move |blind| blind.why == why).count();
        let clauses = [
            (counted(Why::Restarted), "the process restarted", "time", "times"),
            (counted(Why::Gone), "scrapes ended early of", "target", "targets"),
            (counted(Why::FoundLate), "scrapes began late of", "target", "targets"),
        ];
        let clauses = clauses.into_iter().filter(|(count, ..)| *count > 0);
        clauses.map(|(times, what, one, more)| match (times, one) {
            (1, "time") => format!("{what} once"),
            _ => format!("{what} {}", display::count(u64::try_from(times).unwrap_or(u64::MAX), one, more)),
        })
    }

    /// How many requests may have been counted and then lost: as many as ended while nobody looked.
    pub(crate) fn lost(&self, case: &Case<'_>, whole: &PhaseLedger) -> u64 {
        let ended = |Blind { from, to, .. }: &Blind| {
            let since = |time: Time| time.since(case.began).unwrap_or(Duration::ZERO);
            whole.ledger.ended_between(since(*from), since(*to))
        };
        self.blind.iter().map(ended).sum()
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

    /// Whether the process that a series comes from started again between two scrapes; nothing where it does not say.
    fn restarted(&self, labels: &Labels, from: Time, to: Time) -> Option<bool> {
        let same = |started: &&Series| of_same_target(&started.labels, labels);
        let started = self.started.iter().find(same)?;
        let until = |moment| &started.samples[..started.samples.partition_point(|sample| sample.0 <= moment)];
        let (before, since) = (until(from).last()?, until(to).last()?);
        (since.0 > before.0).then_some(since.1 > before.1)
    }

    /// The scrapes of the target that a series comes from.
    fn up(&self, labels: &Labels) -> Option<&Series> {
        scrapes_of(&self.up, labels)
    }

    /// The first scrape that succeeded when everything should have been answered and counted: the one that
    /// tells all, or the last one where the target is gone.
    fn settled(&self, case: &Case<'_>, labels: &Labels, quiet: Time) -> Result<Time, Finding> {
        let Some(up) = self.up(labels) else { return Ok(quiet) };
        case.first_scrape(up, quiet)
    }

    /// Those of these series that were scraped while the drill ran and not after it, with when they last were.
    fn gone(&self, case: &Case<'_>, series: &[Series]) -> Vec<(Labels, Time)> {
        let quiet = case.ended + SETTLED;
        let last = |up: &Series| up.samples.iter().rfind(|sample| succeeded(sample)).map(|Sample(at, _)| *at);
        let gone = |up: &Series| last(up).filter(|at| *at < quiet && *at >= case.began);
        let ours = |up: &&Series| series.iter().any(|series| self.up(&series.labels) == Some(*up));
        self.up.iter().filter(ours).filter_map(|up| gone(up).map(|at| (up.labels.clone(), at))).collect()
    }
}

impl Case<'_> {
    /// The first scrape of a target that succeeded from then on; that moment, where the target is gone.
    fn first_scrape(&self, up: &Series, quiet: Time) -> Result<Time, Finding> {
        let mut after = up.samples.iter().filter(|sample| succeeded(sample));
        if let Some(Sample(at, _)) = after.find(|Sample(at, _)| *at >= quiet) {
            return Ok(*at);
        }
        let gone_by = quiet + self.scrape_interval().mul_f64(2.5);
        self.known_at(gone_by, "the scrape after the last answer")?;
        Ok(quiet)
    }
}
