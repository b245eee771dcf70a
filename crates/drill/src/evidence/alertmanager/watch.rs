//! The alerts that Alertmanager had from one poll to the next, and the times at which it could not be asked.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Alert, AlertmanagerAlert, Unseen};
use crate::evidence::series::Labels;
use firedrill_contract::Time;

/// How many alerts are kept. One that tells of more, all new at each poll, would otherwise fill the memory.
const MAX_ALERTS: usize = 50_000;

/// What was seen so far, from one look to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct AlertLog {
    pub(super) held: Vec<AlertmanagerAlert>,
    /// Which of those that are held were so at the last look.
    current: BTreeMap<State, usize>,
    /// When it was last log.
    last: Option<Time>,
    gaps: Vec<Unseen>,
    /// The gap that lasts still.
    gap: Option<Unseen>,
}

/// What makes an alert another one, or one in another state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    fingerprint: String,
    starts_at: Timestamp,
    receivers: Vec<String>,
    inhibited_by: Vec<String>,
    silenced_by: Vec<String>,
    muted_by: Vec<String>,
}

impl AlertLog {
    /// Takes what came of a look that was begun then.
    pub(super) fn take(&mut self, at: Time, alerts: Result<Vec<Alert>, String>) {
        let full = self.held.len() >= MAX_ALERTS;
        match if full {
            Err(format!("it has told of more than {MAX_ALERTS} alerts, and no more are kept"))
        } else {
            alerts
        } {
            Ok(alerts) => {
                self.gaps.extend(self.gap.take().map(|gap| Unseen { to: at, ..gap }));
                self.see(at, alerts);
                self.last = Some(at);
            }
            Err(why) => {
                let from = self.last.unwrap_or(at);
                self.gap.get_or_insert(Unseen { from, to: at, why });
            }
        }
    }

    fn see(&mut self, at: Time, alerts: Vec<Alert>) {
        let names: BTreeMap<_, _> = alerts
            .iter()
            .filter_map(|alert| Some((alert.fingerprint.clone(), alert.labels.get("alertname")?.clone())))
            .collect();
        let mut current = BTreeMap::new();
        for alert in alerts {
            let (state, labels) = State::of(alert);
            // One that was gone at the last look has come anew: in between it was not like this. One that is
            // told twice is one.
            let before = current.get(&state).or_else(|| self.current.get(&state)).copied();
            let held = before.unwrap_or_else(|| {
                self.held.push(state.held(labels, &names, at));
                self.held.len() - 1
            });
            self.held[held].last_seen = at;
            current.insert(state, held);
        }
        self.current = current;
    }

    /// When it was not log.
    pub(super) fn unseen(&self, now: Time) -> Vec<Unseen> {
        let lasting = self.gap.iter().map(|gap| Unseen { to: now, ..gap.clone() });
        self.gaps.iter().cloned().chain(lasting).collect()
    }

    /// Why nothing is known at all, where that is so.
    pub(super) fn never(&self) -> Option<String> {
        match (&self.last, &self.gap) {
            (Some(_), _) => None,
            (None, Some(gap)) => Some(gap.why.clone()),
            (None, None) => Some("it was not looked at yet".to_owned()),
        }
    }
}

impl State {
    pub(super) fn of(alert: Alert) -> (Self, Labels) {
        let sorted = |mut names: Vec<String>| {
            names.sort_unstable();
            names.dedup();
            names
        };
        let state = Self {
            fingerprint: alert.fingerprint,
            starts_at: alert.starts_at,
            receivers: sorted(alert.receivers.into_iter().map(|receiver| receiver.name).collect()),
            inhibited_by: sorted(alert.status.inhibited_by),
            silenced_by: sorted(alert.status.silenced_by),
            muted_by: sorted(alert.status.muted_by),
        };
        (state, alert.labels)
    }

    fn held(&self, labels: Labels, names: &BTreeMap<String, String>, at: Time) -> AlertmanagerAlert {
        let named = |fingerprint: &String| match names.get(fingerprint) {
            Some(name) => format!("{name} ({fingerprint})"),
            None => fingerprint.clone(),
        };
        AlertmanagerAlert {
            labels,
            receivers: self.receivers.clone(),
            inhibited_by: self.inhibited_by.iter().map(named).collect(),
            silenced_by: self.silenced_by.clone(),
            muted_by: self.muted_by.clone(),
            starts_at: self.starts_at.into(),
            first_seen: at,
            last_seen: at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::muted;
    use super::*;

    const ALERTS: &str = include_str!("../../../../../tests/data/alertmanager/alerts.json");
    const GROUPS: &str = include_str!("../../../../../tests/data/alertmanager/groups.json");

    const fn at(second: i64) -> Time {
        Time::from_millis(second * 1_000)
    }

    fn alerts(json: &str) -> Vec<Alert> {
        serde_json::from_str(json).unwrap()
    }

    fn alert(name: &str, inhibited_by: &str) -> Alert {
        alerts(&format!(
            r#"[{{ "fingerprint": "f{name}", "labels": {{ "alertname": "{name}" }}, "startsAt": "2026-01-31T12:00:00Z",
                "receivers": [{{ "name": "pager" }}], "status": {{ "inhibitedBy": [{inhibited_by}], "silencedBy": [] }} }}]"#
        ))
        .remove(0)
    }

    /// Name, inhibited or not, first and last second log.
    fn told(log: &AlertLog) -> Vec<(&str, bool, i64, i64)> {
        let held = log.held.iter().map(|held| {
            let seconds = |time: Time| time.millis() / 1_000;
            let inhibited = !held.inhibited_by.is_empty();
            (held.labels["alertname"].as_str(), inhibited, seconds(held.first_seen), seconds(held.last_seen))
        });
        held.collect()
    }

    #[test]
    fn alerts_without_end_are_kept_up_to_a_bound_and_what_follows_is_not_seen() {
        let one = alert("A", "");
        let new = |look: i64| (0..30_000).map(move |n| format!("{look}-{n}"));
        let new =
            |look| new(look).map(|fingerprint| Alert { fingerprint, ..one.clone() }).collect::<Vec<_>>();
        let mut log = AlertLog::default();
        (1..=4).for_each(|look| log.take(at(look), Ok(new(look))));
        assert_eq!(log.held.len(), 60_000, "a look is taken whole");
        let why = "it has told of more than 50000 alerts, and no more are kept".to_owned();
        assert_eq!(log.unseen(at(5)), [Unseen { from: at(2), to: at(5), why }]);
    }

    #[test]
    fn a_recorded_answer_is_read() {
        let mut log = AlertLog::default();
        log.take(at(1), Ok(muted(alerts(ALERTS), serde_json::from_str(GROUPS).unwrap())));
        let held = |name: &str| log.held.iter().find(|held| held.labels["alertname"] == name).unwrap();
        let (cause, symptom, silenced, muted) = (held("Down"), held("Slow"), held("Noisy"), held("Nightly"));
        assert_eq!(cause.receivers, ["pager"]);
        assert_eq!(cause.starts_at, "2026-11-22T20:00:00Z".parse::<Timestamp>().unwrap().into());
        assert!(cause.inhibited_by.is_empty() && cause.silenced_by.is_empty() && cause.muted_by.is_empty());
        assert!(symptom.inhibited_by[0].starts_with("Down ("), "{symptom:?}");
        assert_eq!(silenced.silenced_by.len(), 1, "{silenced:?}");
        assert_eq!(muted.muted_by, ["always"]);
    }

    #[test]
    fn each_time_in_a_state_is_held_once() {
        let mut log = AlertLog::default();
        let (a, b, inhibited) = (alert("A", ""), alert("B", ""), alert("A", "\"fB\""));
        log.take(at(1), Ok(vec![a.clone(), a.clone()]));
        log.take(at(2), Ok(vec![a.clone(), b.clone()]));
        log.take(at(3), Ok(vec![inhibited, b.clone()]));
        log.take(at(4), Ok(vec![a.clone()]));
        log.take(at(5), Ok(vec![]));
        assert_eq!(
            told(&log),
            [("A", false, 1, 2), ("B", false, 2, 3), ("A", true, 3, 3), ("A", false, 4, 4)]
        );
        assert_eq!(log.held[2].inhibited_by, ["B (fB)"]);
        log.take(at(6), Ok(vec![Alert { starts_at: Timestamp::UNIX_EPOCH, ..a }]));
        assert_eq!(told(&log).len(), 5, "one that began anew is another one");
    }

    #[test]
    fn when_it_was_not_seen_is_known() {
        let mut log = AlertLog::default();
        assert_eq!(log.never().as_deref(), Some("it was not looked at yet"));
        log.take(at(1), Err("refused".to_owned()));
        assert_eq!(log.never().as_deref(), Some("refused"));
        for second in [2, 3] {
            log.take(at(second), Ok(vec![alert("A", "")]));
        }
        log.take(at(4), Err("slow".to_owned()));
        log.take(at(5), Err("refused".to_owned()));
        let gaps = |log: &AlertLog| {
            let gaps = log.unseen(at(9)).into_iter();
            gaps.map(|gap| (gap.from, gap.to, gap.why)).collect::<Vec<_>>()
        };
        let first = (at(1), at(2), "refused".to_owned());
        assert_eq!(gaps(&log), [first.clone(), (at(3), at(9), "slow".to_owned())]);
        log.take(at(6), Ok(vec![alert("A", "")]));
        assert_eq!(gaps(&log), [first, (at(3), at(6), "slow".to_owned())]);
        assert_eq!(told(&log), [("A", false, 2, 6)], "it is the same one, as far as can be told");
        assert_eq!(log.never(), None);
    }
}
