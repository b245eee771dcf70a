//! What alerts did, as `ALERTS` tells it: Prometheus writes a sample of each alert that is pending or firing, with its state, at
//! each evaluation.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Prometheus, Rule};
use crate::evidence::history::{AlertHistory, AlertInstance, AlertState, StateChange};
use crate::evidence::series::{Labels, Sample, Series};
use firedrill_contract::Time;

/// How long after an evaluation its samples are there to be read.
const READABLE: Duration = Duration::from_secs(2);

/// The evaluation interval of an alert whose rule is gone: the default of Prometheus.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

impl Prometheus {
    /// What alerts did, as far as it was known at the time of collection.
    pub(super) fn alert_history(&self, collected: Time) -> AlertHistory {
        let mut series_by_alert: BTreeMap<Labels, Vec<(AlertState, &Series)>> = BTreeMap::new();
        for series in &self.alerts {
            let mut labels = series.labels.clone();
            labels.remove("__name__");
            let state = match labels.remove("alertstate").as_deref() {
                Some("pending") => AlertState::Pending,
                Some("firing") => AlertState::Firing,
                _ => continue,
            };
            series_by_alert.entry(labels).or_default().push((state, series));
        }
        let rules: Vec<_> = self.rules.iter().filter(|rule| rule.alerting).cloned().collect();
        let alerts = series_by_alert.into_iter().map(|(labels, series)| {
            let accuracy = evaluation_interval(&rules, &labels);
            let changes = changes(&series, accuracy, collected);
            AlertInstance { labels, accuracy, changes }
        });
        AlertHistory { alerts: alerts.collect(), rules }
    }
}

/// The time between two evaluations of an alert: several rules may share its name, and not the labels that they add.
fn evaluation_interval(rules: &[Rule], labels: &Labels) -> Duration {
    let named = || rules.iter().filter(|rule| labels.get("alertname") == Some(&rule.name));
    let adds = |rule: &&Rule| {
        let mut added = rule.labels.iter();
        added.all(|(name, value)| value.contains("{{") || labels.get(name) == Some(value))
    };
    let longest = named().filter(adds).map(|rule| rule.interval_ms).max();
    let longest = longest.or_else(|| named().map(|rule| rule.interval_ms).max());
    longest.map_or(DEFAULT_INTERVAL, Duration::from_millis)
}

/// The changes of state of one alert.
fn changes(series: &[(AlertState, &Series)], interval: Duration, collected: Time) -> Vec<StateChange> {
    let each = series.iter().flat_map(|(state, series)| {
        runs(&series.samples, interval).into_iter().map(|(first, last)| (first, last, *state))
    });
    let mut runs: Vec<_> = each.collect();
    runs.sort_unstable();
    let mut changes = Vec::new();
    for (nth, (first, last, state)) in runs.iter().enumerate() {
        changes.push(StateChange { at: *first, state: *state });
        // That it is over is known when an evaluation without it has passed.
        let over = *last + interval;
        let is_over = match runs.get(nth + 1) {
            Some((next, ..)) => !follows(*last, *next, interval),
            None => over + READABLE <= collected,
        };
        if is_over {
            changes.push(StateChange { at: over, state: AlertState::Inactive });
        }
    }
    changes
}

/// The first and the last of samples that follow one another from evaluation to evaluation.
fn runs(samples: &[Sample], interval: Duration) -> Vec<(Time, Time)> {
    let runs = samples.chunk_by(|one, next| follows(one.0, next.0, interval));
    runs.filter_map(|run| Some((run.first()?.0, run.last()?.0))).collect()
}

/// Whether there was no evaluation between two moments.
fn follows(one: Time, next: Time, interval: Duration) -> bool {
    one + interval.mul_f64(1.5) >= next
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlertState::{Firing, Inactive, Pending};

    use crate::evidence::clock::Clock;
    use crate::evidence::history::AlertSpan;

    const fn at(second: i64) -> Time {
        Time::from_millis(second * 1_000)
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn rule(severity: &str, interval_ms: u64) -> Rule {
        Rule {
            name: "Slow".to_owned(),
            alerting: true,
            group: "g".to_owned(),
            query: "vector(1)".to_owned(),
            interval_ms,
            for_ms: 0,
            keep_firing_for_ms: 0,
            labels: labels(&[("severity", severity), ("team", "{{ $labels.team }}")]),
            annotations: Labels::new(),
            last_error: String::new(),
        }
    }

    /// `ALERTS` of one alert in one state at these seconds.
    fn alerts(severity: &str, state: &str, seconds: &[i64]) -> Series {
        let own = [("__name__", "ALERTS"), ("alertname", "Slow"), ("alertstate", state)];
        let samples = seconds.iter().map(|second| Sample(at(*second), 1.0)).collect();
        Series { labels: labels(&[&own[..], &[("severity", severity)]].concat()), samples }
    }

    fn history(alerts: Vec<Series>, collected: i64) -> Vec<AlertInstance> {
        let prometheus = Prometheus {
            clock: Clock { ahead_ms: 0, give_or_take_ms: 1, moved_ms: 0 },
            scrape_intervals: BTreeMap::new(),
            rules: vec![rule("page", 5_000), rule("ticket", 30_000)],
            alerts,
            samples: Vec::new(),
            answers: Vec::new(),
            explained: Vec::new(),
        };
        prometheus.alert_history(at(collected)).alerts
    }

    /// Each change of the only alert, by its second.
    fn changed(alerts: &[AlertInstance]) -> Vec<(i64, AlertState)> {
        let [alert] = alerts else { panic!("{alerts:?}") };
        alert.changes.iter().map(|change| (change.at.millis() / 1_000, change.state)).collect()
    }

    #[test]
    fn an_alert_pends_fires_and_is_over_an_evaluation_after_its_last_sample() {
        let series = || vec![alerts("page", "firing", &[10, 15, 20]), alerts("page", "pending", &[0, 5])];
        let over = [(0, Pending), (10, Firing), (25, Inactive)];
        assert_eq!(changed(&history(series(), 27)), over);
        let fires_still = history(series(), 26);
        assert_eq!(changed(&fires_still), over[..2]);
        let spans: Vec<_> = fires_still[0].spans(Pending).chain(fires_still[0].spans(Firing)).collect();
        assert_eq!(
            spans,
            [AlertSpan { from: at(0), to: Some(at(10)) }, AlertSpan { from: at(10), to: None }]
        );
        assert_eq!(fires_still[0].labels, labels(&[("alertname", "Slow"), ("severity", "page")]));
    }

    #[test]
    fn an_alert_that_comes_back_was_inactive_meanwhile() {
        let series = vec![alerts("page", "pending", &[0, 30]), alerts("page", "firing", &[35, 50])];
        let expected =
            [(0, Pending), (5, Inactive), (30, Pending), (35, Firing), (40, Inactive), (50, Firing)];
        assert_eq!(changed(&history(series, 51)), expected);
    }

    #[test]
    fn how_often_an_alert_is_evaluated_is_known_by_the_labels_of_its_rule() {
        let apart = |severity| {
            let found = history(vec![alerts(severity, "firing", &[0, 30])], 100);
            (found[0].accuracy.as_secs(), found[0].spans(Firing).count())
        };
        assert_eq!(apart("ticket"), (30, 1));
        assert_eq!(apart("page"), (5, 2));
        assert_eq!(apart("none of these"), (30, 1), "the longest of its name");
    }
}
