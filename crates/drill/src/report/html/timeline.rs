//! What is drawn: what truly happened, what monitoring saw of it, and when alerts pended, fired and were told.
//!
//! Times are seconds since the drill began, each by the clock of whoever said it.

use crate::evidence::{AlertState, Labels, Page, Sample, Series};
use crate::judge::{concerns, request_counters};
use crate::run::Run;
use firedrill_contract::Time;
use firedrill_load::ledger::{Ledger, Second};

/// Steps that a line has at most, so that a drill of a day is drawn as quickly as one of a minute.
const STEPS: usize = 900;

/// Alerts that are drawn.
const ALERTS: usize = 24;

/// All that is drawn.
pub(super) struct Timeline {
    /// The end; its begin is zero.
    pub(super) to: f64,
    pub(super) phases: Vec<Band>,
    pub(super) truth: Truth,
    pub(super) seen: Seen,
    pub(super) alerts: Vec<Alert>,
    /// Alerts of other workloads, which are not drawn.
    pub(super) others: Vec<Alert>,
    /// Alerts that fired all the while.
    pub(super) constant: Vec<String>,
    /// How many more alerts there were than are drawn.
    pub(super) left_out: usize,
}

pub(super) struct Band {
    pub(super) name: String,
    pub(super) from: f64,
    pub(super) to: f64,
}

/// A value over some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) value: f64,
}

/// What the ledger holds. Rates are by the second, shares from 0 to 1, latencies in seconds.
pub(super) struct Truth {
    pub(super) rate: Vec<Step>,
    pub(super) errors: Vec<Step>,
    pub(super) latency_mean: Vec<Step>,
    pub(super) latency_max: Vec<Step>,
}

/// What raw samples of the counters say.
pub(super) struct Seen {
    /// Whose samples these are; nothing where there are none.
    pub(super) by: Option<&'static str>,
    pub(super) rate: Vec<Step>,
    /// Nothing where the series have no status.
    pub(super) errors: Option<Vec<Step>>,
}

/// An alert with its labels.
pub(super) struct Alert {
    pub(super) name: String,
    /// The labels that say more than its name.
    pub(super) labels: String,
    /// Whether it concerns the drill.
    concerns: bool,
    pub(super) spans: Vec<Span>,
    pub(super) pages: Vec<Told>,
}

/// A time in which it was in one state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) firing: bool,
    pub(super) from: f64,
    pub(super) to: f64,
    /// Whether it still was when the evidence was collected.
    pub(super) open: bool,
}

/// When somebody was told.
pub(super) struct Told {
    pub(super) receiver: String,
    pub(super) rang: Option<f64>,
    pub(super) resolved: Option<f64>,
}

impl Timeline {
    pub(super) fn of(run: &Run) -> Self {
        let since = Since(run.began);
        let mut alerts = alerts(run, since);
        let collected = since.seconds(run.evidence.collected);
        let ends = alerts.iter().flat_map(Alert::ends).filter(|end| *end < collected);
        // A little more, so that the last mark is not on the edge.
        let to = ends.fold(since.seconds(run.ended), f64::max).max(1.0) * 1.02;
        alerts.retain(|alert| alert.is_within(to));
        alerts.sort_by(|one, other| one.begin().total_cmp(&other.begin()));
        let (alerts, others): (Vec<_>, Vec<_>) = alerts.into_iter().partition(|alert| alert.concerns);
        let (constant, mut alerts): (Vec<_>, Vec<_>) =
            alerts.into_iter().partition(|alert| alert.is_constant(to));
        let left_out = alerts.len().saturating_sub(ALERTS);
        alerts.truncate(ALERTS);
        let phases = run.phases.iter().map(|phase| Band {
            name: phase.name.clone(),
            from: since.seconds(phase.began),
            to: since.seconds(phase.ended),
        });
        Self {
            to,
            phases: phases.collect(),
            truth: Truth::of(run),
            seen: Seen::of(run, to),
            others,
            constant: constant.into_iter().map(|alert| alert.name).collect(),
            alerts,
            left_out,
        }
    }
}

/// The begin of all times.
#[derive(Clone, Copy)]
struct Since(Time);

impl Since {
    fn seconds(self, time: Time) -> f64 {
        time.seconds() - self.0.seconds()
    }
}

impl Truth {
    fn of(run: &Run) -> Self {
        let mut ledger = Ledger::default();
        run.phases.iter().for_each(|phase| ledger.add(&phase.ledger));
        let last = ledger.timeline().last().map_or(0, |(second, _)| second);
        let bin = last / STEPS as u64 + 1;
        let mut bins = vec![Second::default(); usize::try_from(last / bin).unwrap_or(0) + 1];
        for (second, ended) in ledger.timeline() {
            let all = &mut bins[usize::try_from(second / bin).unwrap_or(0)];
            all.ended += ended.ended;
            all.errors += ended.errors;
            all.answered += ended.answered;
            all.latency_sum_us = all.latency_sum_us.saturating_add(ended.latency_sum_us);
            all.latency_max_us = all.latency_max_us.max(ended.latency_max_us);
        }
        let width = float(bin);
        let steps = |value: &dyn Fn(&Second) -> Option<f64>| -> Vec<Step> {
            let each = bins.iter().zip((0..).map(|nth: u32| f64::from(nth) * width));
            each.filter_map(|(all, from)| Some(Step { from, to: from + width, value: value(all)? })).collect()
        };
        Self {
            rate: steps(&|all| Some(float(all.ended) / width)),
            errors: steps(&|all| (all.ended > 0).then(|| float(all.errors) / float(all.ended))),
            latency_mean: steps(&|all| {
                (all.answered > 0).then(|| float(all.latency_sum_us) / float(all.answered) / 1e6)
            }),
            latency_max: steps(&|all| (all.answered > 0).then(|| float(all.latency_max_us) / 1e6)),
        }
    }
}

impl Seen {
    fn of(run: &Run, to: f64) -> Self {
        let Some((series, status)) = request_counters(run) else {
            return Self { by: None, rate: Vec::new(), errors: None };
        };
        let by = if run.evidence.prometheus.received().is_some() { "Prometheus" } else { "/metrics" };
        let since = Since(run.began);
        let rate = rate(series.iter(), since, to);
        let errors = series.iter().any(|series| series.labels.contains_key(&status)).then(|| {
            let failed = series
                .iter()
                .filter(|series| series.labels.get(&status).is_some_and(|status| status.starts_with('5')));
            share(&self::rate(failed, since, to), &rate)
        });
        Self { by: Some(by), rate: thinned(rate), errors: errors.map(thinned) }
    }
}

/// How much counters rose by the second, all together: between each two samples of each.
///
/// Where two are more than thrice as far apart as usual, nothing was seen.
fn rate<'a>(counters: impl Iterator<Item = &'a Series>, since: Since, to: f64) -> Vec<Step> {
    let mut changes = Vec::new();
    for counter in counters {
        let usual = usual_distance(&counter.samples);
        for [Sample(begin, before), Sample(end, after)] in counter.samples.array_windows() {
            let (from, until) = (since.seconds(*begin), since.seconds(*end));
            let span = until - from;
            if until <= 0.0 || from >= to || span <= 0.0 || span > usual * 3.0 {
                continue;
            }
            // A counter that is lower than before began anew.
            let rise = if after >= before { after - before } else { *after };
            let rate = rise / span;
            if rate.is_finite() {
                changes.push((from.max(0.0), rate, 1));
                changes.push((until.min(to), -rate, -1));
            }
        }
    }
    changes.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    let mut steps = Vec::new();
    let (mut value, mut counters) = (0.0_f64, 0);
    for (nth, (at, change, counter)) in changes.iter().enumerate() {
        counters += counter;
        // Sums of what came and went do not end at exactly nothing.
        value = if counters == 0 { 0.0 } else { value + change };
        let next = changes.get(nth + 1).map_or(*at, |(next, ..)| *next);
        if counters > 0 && next > *at {
            steps.push(Step { from: *at, to: next, value: value.max(0.0) });
        }
    }
    steps
}

/// The middle one of the distances between samples, in seconds.
fn usual_distance(samples: &[Sample]) -> f64 {
    let mut distances: Vec<_> =
        samples.array_windows().map(|[one, next]| next.0.seconds() - one.0.seconds()).collect();
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied().unwrap_or(0.0)
}

/// Part by whole, where the whole is more than nothing. The steps of the part lie within those of the whole.
fn share(part: &[Step], whole: &[Step]) -> Vec<Step> {
    let mut parts = part.iter().peekable();
    let each = whole.iter().filter_map(|step| {
        while parts.next_if(|part| part.to <= step.from).is_some() {}
        let middle = f64::midpoint(step.from, step.to);
        let part = parts.peek().filter(|part| part.from <= middle).map_or(0.0, |part| part.value);
        (step.value > 1e-9).then(|| Step { value: (part / step.value).min(1.0), ..*step })
    });
    each.collect()
}

/// So few steps that they can be told apart: the mean of each stretch. A gap stays one.
fn thinned(steps: Vec<Step>) -> Vec<Step> {
    if steps.len() <= STEPS {
        return steps;
    }
    let size = steps.len().div_ceil(STEPS);
    let mean = |steps: &[Step]| {
        let (from, to) = (steps.first()?.from, steps.last()?.to);
        let all = steps.iter().map(|step| step.value * (step.to - step.from)).sum::<f64>();
        Some(Step { from, to, value: all / (to - from) })
    };
    let stretches = steps.chunk_by(|one, next| next.from <= one.to);
    stretches.flat_map(|stretch| stretch.chunks(size)).filter_map(mean).collect()
}

/// Each alert that had a state while the drill ran, or of which somebody was told.
fn alerts(run: &Run, since: Since) -> Vec<Alert> {
    let mut found: Vec<(Labels, Alert)> = Vec::new();
    let (_, history) = run.evidence.alert_history();
    for instance in history.received().into_iter().flat_map(|history| &history.alerts) {
        let alert = of_labels(run, &mut found, instance.labels.clone());
        let next = instance.changes.iter().skip(1).map(Some).chain([None]);
        let spans =
            instance.changes.iter().zip(next).filter(|(change, _)| change.state != AlertState::Inactive);
        alert.spans.extend(spans.map(|(change, next)| {
            // The last evaluation at which it was in its state, where that has ended.
            let to = next.map_or(run.evidence.collected, |next| match next.state {
                AlertState::Inactive => next.at - instance.accuracy,
                AlertState::Pending | AlertState::Firing => next.at,
            });
            let firing = change.state == AlertState::Firing;
            Span { firing, from: since.seconds(change.at), to: since.seconds(to), open: next.is_none() }
        }));
    }
    for page in run.evidence.pager.received().into_iter().flat_map(|pager| &pager.pages) {
        // Prometheus adds its external labels on the way to Alertmanager.
        let known = found
            .iter()
            .position(|(labels, _)| labels.iter().all(|(name, value)| page.labels.get(name) == Some(value)));
        let alert = match known {
            Some(nth) => &mut found[nth].1,
            None => of_labels(run, &mut found, page.labels.clone()),
        };
        alert.pages.push(told(page, since));
    }
    found.into_iter().map(|(_, alert)| alert).collect()
}

fn of_labels<'a>(run: &Run, found: &'a mut Vec<(Labels, Alert)>, labels: Labels) -> &'a mut Alert {
    let nth = found.iter().position(|(known, _)| *known == labels).unwrap_or_else(|| {
        let name = labels.get("alertname").map_or("an alert without a name", String::as_str).to_owned();
        let more = labels.iter().filter(|(name, _)| *name != "alertname");
        let more = more.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        let concerns = concerns(run, &labels);
        let alert = Alert { name, labels: more, concerns, spans: Vec::new(), pages: Vec::new() };
        found.push((labels, alert));
        found.len() - 1
    });
    &mut found[nth].1
}

fn told(page: &Page, since: Since) -> Told {
    Told {
        receiver: page.receiver.clone(),
        rang: page.rang_at.map(|at| since.seconds(at)),
        resolved: page.resolved_at.map(|at| since.seconds(at)),
    }
}

impl Alert {
    fn marks(&self) -> impl Iterator<Item = f64> {
        self.pages.iter().flat_map(|told| [told.rang, told.resolved]).flatten()
    }

    /// When something about it ended.
    fn ends(&self) -> impl Iterator<Item = f64> {
        self.spans.iter().filter(|span| !span.open).map(|span| span.to).chain(self.marks())
    }

    fn begin(&self) -> f64 {
        self.spans.iter().map(|span| span.from).chain(self.marks()).fold(f64::INFINITY, f64::min)
    }

    fn is_within(&self, to: f64) -> bool {
        self.spans.iter().any(|span| span.to >= 0.0 && span.from <= to)
            || self.marks().any(|mark| (0.0..=to).contains(&mark))
    }

    fn is_constant(&self, to: f64) -> bool {
        self.spans.iter().any(|span| span.firing && span.from <= 0.0 && span.to >= to)
    }
}

/// A count as a number to compute with.
#[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Prometheus, Reply, Selected};
    use crate::report::example::{self, at};

    /// What Prometheus knows, to be changed.
    fn prometheus_mut(run: &mut Run) -> &mut Prometheus {
        match &mut run.evidence.prometheus {
            Reply::Received(prometheus) => prometheus,
            Reply::NotAsked | Reply::Missing(_) => unreachable!("the example has asked Prometheus"),
        }
    }

    fn counter(samples: &[(i64, f64)]) -> Series {
        let samples = samples.iter().map(|(second, value)| Sample(at(second * 1_000), *value)).collect();
        Series { labels: Labels::new(), samples }
    }

    fn rates(counters: &[Series]) -> Vec<(f64, f64, f64)> {
        let steps = rate(counters.iter(), Since(example::BEGAN), 100.0);
        steps.into_iter().map(|step| (step.from, step.to, step.value)).collect()
    }

    #[test]
    fn counters_are_added_where_both_were_seen() {
        let (one, other) = (counter(&[(0, 0.0), (10, 20.0)]), counter(&[(5, 0.0), (15, 100.0)]));
        assert_eq!(rates(&[one, other]), [(0.0, 5.0, 2.0), (5.0, 10.0, 12.0), (10.0, 15.0, 10.0)]);
    }

    #[test]
    fn a_counter_that_began_anew_rose_from_nothing() {
        assert_eq!(rates(&[counter(&[(0, 90.0), (10, 20.0)])]), [(0.0, 10.0, 2.0)]);
    }

    #[test]
    fn where_nothing_was_scraped_nothing_was_seen() {
        let gap = counter(&[(0, 0.0), (5, 5.0), (10, 10.0), (40, 100.0), (45, 105.0)]);
        assert_eq!(rates(&[gap]), [(0.0, 5.0, 1.0), (5.0, 10.0, 1.0), (40.0, 45.0, 1.0)]);
    }

    #[test]
    fn what_was_before_the_drill_is_not_drawn() {
        assert_eq!(rates(&[counter(&[(-10, 0.0), (-5, 5.0), (5, 15.0)])]), [(0.0, 5.0, 1.0)]);
    }

    #[test]
    fn monitoring_that_tells_the_truth_saw_what_happened() {
        let Timeline { truth, seen, .. } = Timeline::of(&example::run());
        let at = |steps: &[Step], time: f64| {
            steps.iter().find(|step| step.from <= time && time < step.to).map(|step| step.value)
        };
        for (time, rate, errors) in [(15.0, 20.0, 0.0), (80.0, 20.0, 0.5), (150.0, 20.0, 0.0)] {
            for (rates, shares) in [(&truth.rate, &truth.errors), (&seen.rate, seen.errors.as_ref().unwrap())]
            {
                // What is due in one second may end in the next.
                assert!((at(rates, time).unwrap() - rate).abs() <= 2.0, "{time}");
                assert!((at(shares, time).unwrap() - errors).abs() < 0.05, "{time}");
            }
        }
        // Samples of another selector are not those by which requests are counted.
        let mut run = example::run();
        prometheus_mut(&mut run).samples.insert(
            0,
            Selected {
                selector: "http_server_request_duration_seconds_count{workload=\"demo\"}".to_owned(),
                series: Vec::new(),
            },
        );
        assert_eq!(Timeline::of(&run).seen.rate, seen.rate);
        assert!(at(&truth.latency_max, 15.0) > at(&truth.latency_mean, 15.0));
        assert_eq!(seen.by, Some("Prometheus"));
    }

    #[test]
    fn an_alert_has_its_states_and_who_was_told_of_it() {
        let mut run = example::run();
        prometheus_mut(&mut run).alerts.extend([
            example::alert("Watchdog", "firing", -300, 260),
            example::alert("Yesterday", "firing", -300, -200),
        ]);
        // Alertmanager knows it by one more label.
        if let Reply::Received(pager) = &mut run.evidence.pager {
            pager.pages[0].labels.insert("cluster".to_owned(), "a".to_owned());
        }
        let timeline = Timeline::of(&run);
        assert_eq!(timeline.constant, ["Watchdog"]);
        let [alert, pended] = &*timeline.alerts else { panic!("two alerts had a state while the drill ran") };
        assert_eq!(alert.name, "HighErrorRatio");
        let spans: Vec<_> = alert.spans.iter().map(|span| (span.firing, span.from, span.to)).collect();
        assert_eq!(spans, [(false, 41.0, 51.0), (true, 51.0, 161.0)]);
        assert!((alert.pages[0].rang.unwrap() - 53.4).abs() < 1e-6);
        assert!(pended.pages.is_empty());
        assert!(timeline.to > 171.2 && timeline.to < 260.0, "the last mark, not all that was collected");
    }

    #[test]
    fn alerts_of_other_workloads_are_kept_apart_unless_an_expectation_is_about_them() {
        let mut run = example::run();
        let silent = r#"{ "alert": "HighErrorRatio", "labels": { "workload": "demo" }, "never": "fires" }"#;
        run.drill.expect.push(serde_json::from_str(silent).unwrap());
        let other = |name: &str, workload: &str| {
            let mut series = example::alert(name, "firing", 20, 60);
            series.labels.insert("workload".to_owned(), workload.to_owned());
            series
        };
        prometheus_mut(&mut run)
            .alerts
            .extend([other("HighLatency", "latency"), other("HighErrorRatio", "demo")]);
        let timeline = Timeline::of(&run);
        let names = |alerts: &[Alert]| alerts.iter().map(|alert| alert.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&timeline.others), ["HighLatency"]);
        assert!(
            timeline.alerts.iter().any(|alert| alert.labels.contains("workload=demo")),
            "it should be silent"
        );
    }

    #[test]
    fn a_day_has_no_more_steps_than_a_minute_can_show() {
        let steps = (0..100_000).map(|nth| Step { from: f64::from(nth), to: f64::from(nth + 1), value: 2.0 });
        let mut steps: Vec<_> = steps.collect();
        steps.drain(50_000..50_010);
        let thin = thinned(steps);
        assert!(thin.len() <= STEPS + 1);
        assert_eq!(thin.array_windows().filter(|[one, next]| next.from > one.to).count(), 1, "a gap stays");
        assert!(thin.iter().all(|step| (step.value - 2.0).abs() < 1e-9));
        assert_eq!((thin[0].from, thin.last().unwrap().to), (0.0, 100_000.0));
    }
}
