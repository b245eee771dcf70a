//! Alerts that a drill expects.

use super::{Drill, Place, each};
use crate::expectation::alert::Alert;
use firedrill_contract::quoted;

impl Drill<'_> {
    pub(super) fn alert(&self, alert: &Alert, place: &mut Place<'_>) {
        if alert.alert.trim().is_empty() {
            place.at("alert").refuse("`alert` is empty: name an alert");
        }
        labels(alert, place);
        each(&alert.annotations, &mut place.at("annotations"));
        if alert.never.is_some() {
            never(alert, place);
        } else if alert.fires.is_none() {
            does_not_fire(alert, place);
        }
        if let Some(fires) = &alert.fires {
            self.phase(&fires.during, &mut place.at("fires").at("during"));
        }
        for (key, within) in [
            ("fires", alert.fires.as_ref().map(|fires| fires.within)),
            ("resolves", alert.resolves.map(|resolves| resolves.within)),
            ("notifies", alert.notifies.as_ref().map(|notifies| notifies.within)),
        ] {
            if within.is_some_and(|within| within.0.is_zero()) {
                place
                    .at(key)
                    .at("within")
                    .refuse("`within: 0s` is too short: allow at least one scrape and one rule evaluation");
            }
        }
        if alert.notifies.as_ref().is_some_and(|notifies| notifies.receiver.trim().is_empty()) {
            place.at("notifies").refuse("the receiver is empty: name one of Alertmanager's");
        }
    }
}

fn labels(alert: &Alert, place: &mut Place<'_>) {
    for (name, value) in &alert.labels {
        let mut place = place.at("labels");
        let mut place = place.at(name.as_str());
        match name.as_str() {
            "alertname" => place.refuse("`alert` names the alert already: remove the label `alertname`"),
            "severity" => {
                if let Some(severity) = alert.severity.as_ref().filter(|severity| *severity != value) {
                    place.refuse(format!(
                        "the label says `{}` and the key `severity` says `{}`: keep one",
                        quoted(value),
                        quoted(severity)
                    ));
                }
            }
            name => super::label(name, &mut place),
        }
    }
}

/// An alert that never fires does nothing else.
fn never(alert: &Alert, place: &mut Place<'_>) {
    for (key, there) in [
        ("fires", alert.fires.is_some()),
        ("resolves", alert.resolves.is_some()),
        ("notifies", alert.notifies.is_some()),
        ("annotations", !alert.annotations.is_empty()),
    ] {
        if there {
            place.at(key).refuse(format!("`{key}` contradicts `never: fires`: remove one of them"));
        }
    }
}

/// An alert that is expected neither to fire nor not to.
fn does_not_fire(alert: &Alert, place: &mut Place<'_>) {
    let needs = [("resolves", alert.resolves.is_some()), ("notifies", alert.notifies.is_some())];
    let mut needs = needs.iter().filter(|(_, there)| *there).peekable();
    if needs.peek().is_none() {
        place.refuse("nothing is expected of this alert: add `fires` or `never: fires`");
    }
    for (key, _) in needs {
        place
            .at(*key)
            .refuse(format!("`{key}` needs the alert to fire: add fires: {{ during: PHASE, within: 60s }}"));
    }
}

/// Whether whatever fires as one of them says it should is what never should by the other.
pub(super) fn contradict(one: &Alert, other: &Alert) -> bool {
    let excludes = |never: &Alert, fires: &Alert| {
        let all = |alert: &Alert| -> Vec<(String, String)> {
            let severity = alert.severity.iter().map(|severity| ("severity".to_owned(), severity.clone()));
            alert.labels.clone().into_iter().chain(severity).collect()
        };
        let fires_as = all(fires);
        let same = never.alert == fires.alert && all(never).iter().all(|label| fires_as.contains(label));
        never.never.is_some() && fires.fires.is_some() && same
    };
    excludes(one, other) || excludes(other, one)
}
