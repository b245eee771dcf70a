//! Alerts that a drill expects.

use super::{Drill, Here, each};
use crate::expectation::alert::Alert;

impl Drill<'_> {
    pub(super) fn alert(&self, alert: &Alert, here: &mut Here<'_>) {
        if alert.alert.trim().is_empty() {
            here.at("alert").say("found no name, expected that of an alert");
        }
        labels(alert, here);
        each(&alert.annotations, &mut here.at("annotations"));
        if alert.never.is_some() {
            never(alert, here);
        } else if alert.fires.is_none() {
            does_not_fire(alert, here);
        }
        if let Some(fires) = &alert.fires {
            self.phase(&fires.during, &mut here.at("fires").at("during"));
        }
        for (key, within) in [
            ("fires", alert.fires.as_ref().map(|fires| fires.within)),
            ("resolves", alert.resolves.map(|resolves| resolves.within)),
            ("notifies", alert.notifies.as_ref().map(|notifies| notifies.within)),
        ] {
            if within.is_some_and(|within| within.0.is_zero()) {
                here.at(key)
                    .at("within")
                    .say("found 0s, in which nothing can be seen: expected a scrape, an evaluation and more");
            }
        }
        if alert.notifies.as_ref().is_some_and(|notifies| notifies.receiver.trim().is_empty()) {
            here.at("notifies").say("found no receiver, expected the name of one of Alertmanager's");
        }
    }
}

fn labels(alert: &Alert, here: &mut Here<'_>) {
    for (name, value) in &alert.labels {
        let mut here = here.at("labels");
        let mut here = here.at(name.as_str());
        match name.as_str() {
            "alertname" => here.say("found the label alertname, which \"alert\" says: expected it left out"),
            "severity" => {
                if let Some(severity) = alert.severity.as_ref().filter(|severity| *severity != value) {
                    here.say(format!("found the severity {value:?} here and {severity:?} in \"severity\", expected one of them"));
                }
            }
            name => super::label(name, &mut here),
        }
    }
}

/// What is said of an alert that never fires.
fn never(alert: &Alert, here: &mut Here<'_>) {
    for (key, there) in [
        ("fires", alert.fires.is_some()),
        ("resolves", alert.resolves.is_some()),
        ("notifies", alert.notifies.is_some()),
        ("annotations", !alert.annotations.is_empty()),
    ] {
        if there {
            here.at(key).say(format!("found {key} of an alert that never fires, expected one of them"));
        }
    }
}

/// What is said of an alert of which neither is.
fn does_not_fire(alert: &Alert, here: &mut Here<'_>) {
    let needs = [("resolves", alert.resolves.is_some()), ("notifies", alert.notifies.is_some())];
    let mut needs = needs.iter().filter(|(_, there)| *there).peekable();
    if needs.peek().is_none() {
        here.say("found nothing that is expected of the alert, expected fires or never");
    }
    for (key, _) in needs {
        here.at(*key).say(format!("found {key} of an alert that is not said to fire, expected fires: {{ during: PHASE, within: 60s }} too"));
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
