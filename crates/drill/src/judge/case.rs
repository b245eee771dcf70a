//! A run, with the ways to look things up in it.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use crate::evidence::{
    AlertHistory, Answer, Evidence, Explained, Labels, Prometheus, QueryResult, Reply, Rule, Sample, Series,
    Value,
};
use crate::file::premise::Premise;
use crate::phase_ledger::PhaseLedger;
use crate::promql::Variables;
use firedrill_contract::{Time, display};

use super::clocks::Between;
use super::target::{named, succeeded};
use super::truth::{Shown, Truth, shown};
use super::verdict::Finding;

/// How far a clock may be off before times cannot be compared.
const CLOCKS_APART: Duration = Duration::from_secs(2);

/// How late a request may leave before its phase was not what was asked for.
const LATE: Duration = Duration::from_secs(1);

/// The share of requests that may leave late.
const FEW: f64 = 0.01;

/// How long after the last answer a service may take to count it.
pub(crate) const SETTLED: Duration = Duration::from_secs(1);

/// A run to be judged.
#[derive(Clone)]
pub(crate) struct Case<'a> {
    /// The drill's own, where its file names one.
    pub(crate) workload: Option<&'a str>,
    pub(crate) job: Option<&'a str>,
    pub(super) given: &'a [Premise],
    pub(crate) phases: &'a [PhaseLedger],
    pub(crate) began: Time,
    pub(crate) ended: Time,
    pub(super) interrupted: bool,
    pub(super) clock_moved_ms: i64,
    pub(crate) evidence: &'a Evidence,
    /// What the expectations of the file say will fire.
    pub(crate) expected_alerts: Rc<[ExpectedAlert]>,
    /// The expectation that is judged, from 0.
    pub(crate) expectation: usize,
    pub(super) history: OnceCell<(&'static str, Reply<AlertHistory>)>,
}

/// An alert that an expectation says will fire.
#[derive(Debug, Clone)]
pub(crate) struct ExpectedAlert {
    pub(crate) name: String,
    /// Labels that it has, among others.
    pub(crate) labels: Labels,
}

impl<'a> Case<'a> {
    /// Why nothing in this run can be told, where that is so.
    pub(crate) fn spoiled(&self) -> Option<String> {
        if self.interrupted {
            return Some("the drill was interrupted".to_owned());
        }
        let clocks = [
            ("Prometheus", self.evidence.prometheus.received().map(|prometheus| prometheus.clock)),
            ("the pager", self.evidence.pager.received().map(|pager| pager.clock)),
        ];
        if let Some(moved) = moved(self.clock_moved_ms) {
            return Some(format!(
                "the drill's own clock was put {moved} while it ran: its times mean nothing"
            ));
        }
        for (whose, clock) in clocks {
            let Some(clock) = clock else { continue };
            if let Some(moved) = moved(clock.moved_ms) {
                return Some(format!(
                    "the clock of {whose} was put {moved} while the drill ran: its times mean nothing"
                ));
            }
            let surely = clock.ahead_ms.saturating_abs().saturating_sub(clock.give_or_take_ms);
            if u128::try_from(surely).is_ok_and(|apart| apart > CLOCKS_APART.as_millis()) {
                let side = if clock.ahead_ms > 0 { "ahead of" } else { "behind" };
                let apart = display::duration(Duration::from_millis(clock.ahead_ms.unsigned_abs()));
                return Some(format!(
                    "the clock of {whose} is {apart} {side} the drill's: set both by NTP, or times cannot be compared"
                ));
            }
        }
        None
    }

    /// Why nothing that rests on when requests left can be told, where that is so.
    pub(super) fn late(&self) -> Option<String> {
        self.phases.iter().find_map(late)
    }

    /// What Prometheus said.
    pub(crate) fn prometheus(&self) -> Result<&'a Prometheus, Finding> {
        received(&self.evidence.prometheus, "Prometheus", "--prometheus")
    }

    /// What alerts did.
    pub(crate) fn alert_history(&self) -> Result<&AlertHistory, Finding> {
        let (source, history) = self.history.get_or_init(|| self.evidence.alert_history());
        received(history, source, "--prometheus")
    }

    /// The raw samples of a selector: Prometheus's or, where the drill has none, those that the drill scraped itself.
    pub(crate) fn samples(&self, selector: &str) -> Result<&'a [Series], Finding> {
        let evidence = self.evidence;
        let samples = match (&evidence.prometheus, &evidence.service) {
            (Reply::NotAsked, Reply::Received(service)) => &service.samples,
            (Reply::NotAsked, Reply::Missing(why)) => {
                return Err(Finding::inconclusive(format!(
                    "the service's /metrics could not be read: {why}"
                )));
            }
            _ => &self.prometheus()?.samples,
        };
        let found = samples.iter().find(|selected| selected.selector == selector);
        found
            .map(|selected| &*selected.series)
            .ok_or_else(|| Finding::inconclusive(format!("the run holds no samples of {selector}")))
    }

    /// What Prometheus answered to a query about a moment: one value for each set of labels.
    pub(crate) fn answer(&self, query: &str, at: Time) -> Result<&'a [Value], Finding> {
        let answers = &self.prometheus()?.answers;
        let found = answers.iter().find(|answer: &&Answer| answer.query == query && answer.at == at);
        match found.map(|answer| &answer.result) {
            Some(QueryResult::Values(values)) => Ok(values),
            Some(QueryResult::Refused(why)) => {
                Err(Finding::inconclusive(format!("Prometheus refuses the query: {why}")))
            }
            None => Err(Finding::inconclusive(format!("the run holds no answer to {query}"))),
        }
    }

    /// The phase of this name, or all of them as one.
    pub(crate) fn phase(&self, name: Option<&str>) -> Result<PhaseLedger, Finding> {
        let none = |why: &str| Finding::inconclusive(why.to_owned());
        match name {
            Some(name) => {
                let found = self.phases.iter().find(|phase| phase.name == name).cloned();
                found.ok_or_else(|| none(&format!("the run has no phase {name:?}")))
            }
            None => {
                let mut phases = self.phases.iter().cloned();
                let first = phases.next().ok_or_else(|| none("the run has no phase"))?;
                Ok(phases.fold(first, |mut whole, phase| {
                    whole.ended = phase.ended;
                    whole.ledger.add(&phase.ledger);
                    whole
                }))
            }
        }
    }

    /// What the variables in queries about this phase stand for.
    pub(crate) fn variables(&self, phase: &PhaseLedger) -> Variables<'a> {
        Variables {
            phase: phase.ended.since(phase.began).unwrap_or_default(),
            workload: self.workload,
            job: self.job,
        }
    }

    /// A selector of the series of a metric that are about the drill's requests: those of its workload, and
    /// of its job where it has one. Nothing where it has no workload, since others' could not be told from them.
    fn own_series(&self, metric: &str) -> Option<String> {
        let workload = self.workload?;
        let job = self.job.iter().map(|job| format!("job=\"{job}\","));
        Some(format!("{metric}{{{}workload=\"{workload}\"}}", job.collect::<String>()))
    }

    /// The series that are about the drill's requests: those that the file names, its variables replaced, or
    /// those of the semantic conventions.
    pub(crate) fn series_of_requests(
        &self,
        named: Option<&String>,
        conventional: &str,
    ) -> Result<String, Finding> {
        match named {
            Some(named) => Ok(self.variables(&self.phase(None)?).expand(named)),
            None => self.own_series(conventional).ok_or_else(|| {
                Finding::inconclusive("the drill names neither a workload nor series of its own")
            }),
        }
    }

    /// The time between two scrapes: of the drill's job, or the longest of any job where it names none. A Prometheus
    /// that has just started knows of no targets yet, but has their samples.
    pub(crate) fn scrape_interval(&self) -> Duration {
        let evidence = self.evidence;
        let millis = match (&evidence.prometheus, &evidence.service) {
            (Reply::Received(prometheus), _) => {
                let intervals = &prometheus.scrape_intervals;
                let of_job = self.job.and_then(|job| intervals.get(job)).copied();
                of_job.or_else(|| self.usual_distance()).or_else(|| intervals.values().max().copied())
            }
            (_, Reply::Received(service)) => Some(service.interval_ms),
            _ => None,
        };
        Duration::from_millis(millis.unwrap_or(15_000))
    }

    /// The median of the times between two scrapes of the drill's job, in milliseconds, where it names one.
    fn usual_distance(&self) -> Option<u64> {
        let targets = self.scrapes(Some(self.job?)).ok()?;
        let apart = |pair: &[Sample]| pair[1].0.since(pair[0].0).unwrap_or_default();
        let mut distances: Vec<_> =
            targets.iter().flat_map(|target| target.samples.windows(2).map(apart)).collect();
        distances.sort_unstable();
        distances.get(distances.len() / 2).and_then(|median| u64::try_from(median.as_millis()).ok())
    }

    /// When and how each scrape of the target went: `up`, by target.
    pub(crate) fn scrapes(&self, job: Option<&str>) -> Result<Vec<Series>, Finding> {
        let evidence = self.evidence;
        if let (Reply::NotAsked, Reply::Received(service)) = (&evidence.prometheus, &evidence.service) {
            let up = |scrape: &crate::evidence::Scrape| {
                Sample(scrape.at, if scrape.error.is_none() { 1.0 } else { 0.0 })
            };
            return Ok(vec![Series {
                labels: Labels::new(),
                samples: service.scrapes.iter().map(up).collect(),
            }]);
        }
        let of_job =
            |series: &&Series| job.is_none_or(|job| series.labels.get("job").is_some_and(|name| name == job));
        Ok(self.samples("up")?.iter().filter(of_job).cloned().collect())
    }

    /// Whether the target has been scraped at all.
    pub(crate) fn is_scraped(&self) -> bool {
        let up = |target: &Series| target.samples.iter().any(succeeded);
        self.scrapes(self.job).is_ok_and(|targets| targets.iter().any(up))
    }

    /// Where scrapes are missing between two moments: not those that failed, but those that never were.
    pub(crate) fn gap(&self, from: Time, to: Time) -> Result<Option<String>, Finding> {
        let job = self.job;
        let most = self.scrape_interval().mul_f64(2.5);
        for series in self.scrapes(job)? {
            let times = series.samples.iter().map(|Sample(at, _)| *at).collect::<Vec<_>>();
            for pair in times.windows(2) {
                let (before, after) = (pair[0], pair[1]);
                let apart = after.since(before).unwrap_or_default();
                if apart > most && after > from && before < to {
                    let apart = display::duration(apart);
                    return Ok(Some(format!(
                        "nothing was scraped for {apart} from {before} on{}",
                        named(&series.labels)
                    )));
                }
            }
        }
        Ok(None)
    }

    /// Why that nothing happened between two moments cannot be told: scrapes are missing, or for a while
    /// no target of the job had one that counts. What is not watched is silent whatever happens.
    pub(crate) fn unwatched(
        &self,
        from: Time,
        to: Time,
        counts: impl Fn(&Sample) -> bool,
    ) -> Result<Option<String>, Finding> {
        if let Some(gap) = self.gap(from, to)? {
            return Ok(Some(gap));
        }
        let targets = self.scrapes(self.job)?;
        let counted = targets.iter().flat_map(|target| &target.samples).filter(|sample| counts(sample));
        let mut times: Vec<_> = counted.map(|sample| sample.0).filter(|at| *at > from && *at < to).collect();
        times.extend([from, to]);
        times.sort();
        let most = self.scrape_interval().mul_f64(2.5);
        let apart = |pair: &[Time]| pair[1].since(pair[0]).unwrap_or_default();
        let longest = times.windows(2).max_by_key(|pair| apart(pair)).filter(|pair| apart(pair) > most);
        Ok(longest.map(|pair| {
            format!("nothing was scraped for {} from {} on", display::duration(apart(pair)), pair[0])
        }))
    }

    /// What the file takes for granted of the traffic and was not so, where anything was.
    fn broken_premise(&self) -> Option<String> {
        let broken = |premise: &Premise, phase: &PhaseLedger| {
            let truth = Truth::of(premise.truth, phase, Between::Nothing);
            let truth = truth.filter(|truth| truth.least > premise.at_most)?;
            let (truth, most) = (Shown(truth, premise.truth), shown(premise.at_most, premise.truth));
            Some(format!("{} was {truth} in {}, where at most {most} is given", premise.truth, phase.name))
        };
        let of = |premise: &Premise| {
            let phases = self.phases.iter();
            let mut about =
                phases.filter(|phase| premise.during.as_ref().is_none_or(|name| *name == phase.name));
            about.find_map(|phase| broken(premise, phase))
        };
        self.given.iter().find_map(of)
    }

    /// That an alert fired which should have been silent: a lie, unless the traffic was not what the file
    /// takes for granted.
    pub(crate) fn should_be_silent(&self, fired: String) -> Finding {
        match self.broken_premise() {
            Some(premise) => Finding::inconclusive(format!("{fired}; but {premise}: it may be right")),
            None => Finding::fail(fired),
        }
    }

    /// The rule that alerts under this name.
    pub(crate) fn alerting_rules(&self, name: &str) -> Result<Vec<&'a Rule>, Finding> {
        Ok(self.prometheus()?.rules.iter().filter(|rule| rule.alerting && rule.name == name).collect())
    }

    /// Whether a rule records this metric.
    pub(crate) fn records(&self, metric: &str) -> bool {
        let rules = self.evidence.prometheus.received().map_or(&[][..], |prometheus| &prometheus.rules);
        rules.iter().any(|rule| !rule.alerting && rule.name == metric)
    }

    /// What is known about why an expression gave what it gave.
    pub(crate) fn explained(&self, expression: &str) -> Vec<&'a Explained> {
        let all = self.evidence.prometheus.received().map_or(&[][..], |prometheus| &prometheus.explained);
        let Some(first) = all.iter().position(|explained| explained.expression == expression) else {
            return Vec::new();
        };
        // What it rests on follows it: the expressions of the rules that record what it reads.
        let rest = all[first + 1..].iter().take_while(|explained| explained.records.is_some());
        std::iter::once(&all[first]).chain(rest).collect()
    }

    pub(crate) fn is_explained(&self, expression: &str) -> bool {
        !self.explained(expression).is_empty()
    }

    /// What is not known at the time of collection, since it may still be scraped or evaluated: an error until then.
    pub(crate) fn known_at(&self, moment: Time, what: &str) -> Result<(), Finding> {
        if self.evidence.collected < moment {
            return Err(Finding::pending(moment, format!("waiting for {what}")));
        }
        Ok(())
    }
}

/// In words, by how much a clock was moved, where that is too much.
fn moved(millis: i64) -> Option<String> {
    let by = Duration::from_millis(millis.unsigned_abs());
    let where_to = if millis > 0 { "forward" } else { "back" };
    (by > CLOCKS_APART).then(|| format!("{where_to} by {}", display::duration(by)))
}

/// What a source knows, or why that is missing.
pub(crate) fn received<'a, T>(source: &'a Reply<T>, who: &str, flag: &str) -> Result<&'a T, Finding> {
    match source {
        Reply::Received(evidence) => Ok(evidence),
        Reply::NotAsked => {
            Err(Finding::inconclusive(format!("{who} was not asked: give its address by {flag}")))
        }
        Reply::Missing(why) => Err(Finding::inconclusive(format!("{who} gave no evidence: {why}"))),
    }
}

/// Why the generator's own lateness spoils a phase, where it does.
fn late(phase: &PhaseLedger) -> Option<String> {
    let lag = phase.ledger.lag();
    let late = lag.above(LATE);
    #[expect(clippy::cast_precision_loss, reason = "a share of requests")]
    let share = late as f64 / lag.count().max(1) as f64;
    (share > FEW).then(|| {
        let name = &phase.name;
        format!("the drill itself was behind: in {name}, {late} of {} requests left over {} late; use a lower rate or a machine of its own", lag.count(), display::duration(LATE))
    })
}
