//! An alert fires, is told, resolves; or never fires.
//!
//! Read from the history of the alert: when it began to pend, when it fired, and when it no longer did are known to
//! one evaluation, whoever looks and whenever.

mod episode;
mod notifies;

use std::any::Any;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use crate::evidence::{AlertState, Labels};
use crate::file::check::context::FileContext;
use crate::file::check::names::{check_label, check_names};
use crate::file::place::Place;
use crate::file::value::Span;
use crate::judge::case::{Case, ExpectedAlert, SETTLED};
use crate::judge::cause;
use crate::judge::target::succeeded;
use crate::judge::verdict::Finding;
use crate::question::Explain;
use episode::{Episode, fired, fires_now, rule, wanted_instances, written};
use firedrill_contract::{display, quoted};
pub use notifies::Notifies;
use notifies::{held, told};

/// An alert fires, resolves, is told; or never fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Its name.
    pub alert: String,
    /// The labels that it must have, among others.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Its label `severity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The annotations that it must have, whatever they say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    /// It fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fires: Option<Fires>,
    /// It resolves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolves: Option<Resolves>,
    /// Somebody is told: the receiver, or `{ receiver: pager, within: 30s }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifies: Option<Notifies>,
    /// It does not fire, from the first phase to the end of the drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never: Option<Firing>,
}

/// When an alert fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "{ during: PHASE, within: 60s }")]
pub struct Fires {
    /// The phase that causes it.
    pub during: String,
    /// How long after the phase's begin it may take.
    pub within: Span,
}

/// When an alert resolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "{ within: 90s }")]
pub struct Resolves {
    /// How long after the end of the phase that caused it.
    pub within: Span,
}

/// The word for an alert that fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Firing {
    /// It fires.
    Fires,
}

impl Kind for Alert {
    fn check(&self, context: &FileContext<'_>, place: &mut Place<'_>) {
        if self.alert.trim().is_empty() {
            place.at("alert").refuse("`alert` is empty: name an alert");
        }
        self.check_labels(place);
        check_names(&self.annotations, &mut place.at("annotations"));
        if self.never.is_some() {
            self.check_never(place);
        } else if self.fires.is_none() {
            self.check_silent(place);
        }
        if let Some(fires) = &self.fires {
            context.phase(&fires.during, &mut place.at("fires").at("during"));
        }
        for (key, within) in [
            ("fires", self.fires.as_ref().map(|fires| fires.within)),
            ("resolves", self.resolves.map(|resolves| resolves.within)),
            ("notifies", self.notifies.as_ref().map(|notifies| notifies.within)),
        ] {
            if within.is_some_and(|within| within.0.is_zero()) {
                place
                    .at(key)
                    .at("within")
                    .refuse("`within: 0s` is too short: allow at least one scrape and one rule evaluation");
            }
        }
        if self.notifies.as_ref().is_some_and(|notifies| notifies.receiver.trim().is_empty()) {
            place.at("notifies").refuse("the receiver is empty: name one of Alertmanager's");
        }
    }

    fn conflict(&self, other: &dyn Any) -> Option<&'static str> {
        let other: &Self = other.downcast_ref()?;
        contradict(self, other).then_some("the same alert should fire and never fire")
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        judge(case, self)
    }

    fn explain(&self, case: &Case<'_>) -> Vec<Explain> {
        explain(case, self)
    }

    fn unquiet(&self, case: &Case<'_>) -> Option<String> {
        fires_now(case, self).then(|| format!("{} to fall silent", self.alert))
    }

    fn expected_alert(&self) -> Option<ExpectedAlert> {
        let labels = self.labels.clone().into_iter().collect();
        self.fires.as_ref().map(|_| ExpectedAlert { name: self.alert.clone(), labels })
    }

    fn is_about_alert(&self, labels: &Labels) -> bool {
        labels.get("alertname") == Some(&self.alert) && among(&wanted(self), labels)
    }
}

/// Whether whatever fires as one of them says it should is what never should by the other.
fn contradict(one: &Alert, other: &Alert) -> bool {
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

impl Alert {
    fn check_labels(&self, place: &mut Place<'_>) {
        for (name, value) in &self.labels {
            let mut place = place.at("labels");
            let mut place = place.at(name.as_str());
            match name.as_str() {
                "alertname" => place.refuse("`alert` names the alert already: remove the label `alertname`"),
                "severity" => {
                    if let Some(severity) = self.severity.as_ref().filter(|severity| *severity != value) {
                        place.refuse(format!(
                            "the label says `{}` and the key `severity` says `{}`: keep one",
                            quoted(value),
                            quoted(severity)
                        ));
                    }
                }
                name => check_label(name, &mut place),
            }
        }
    }

    /// An alert that never fires does nothing else.
    fn check_never(&self, place: &mut Place<'_>) {
        for (key, there) in [
            ("fires", self.fires.is_some()),
            ("resolves", self.resolves.is_some()),
            ("notifies", self.notifies.is_some()),
            ("annotations", !self.annotations.is_empty()),
        ] {
            if there {
                place.at(key).refuse(format!("`{key}` contradicts `never: fires`: remove one of them"));
            }
        }
    }

    /// An alert that is expected neither to fire nor not to.
    fn check_silent(&self, place: &mut Place<'_>) {
        let needs = [("resolves", self.resolves.is_some()), ("notifies", self.notifies.is_some())];
        let mut needs = needs.iter().filter(|(_, there)| *there).peekable();
        if needs.peek().is_none() {
            place.refuse("nothing is expected of this alert: add `fires` or `never: fires`");
        }
        for (key, _) in needs {
            place.at(*key).refuse(format!(
                "`{key}` needs the alert to fire: add fires: {{ during: PHASE, within: 60s }}"
            ));
        }
    }
}

fn explain(case: &Case<'_>, alert: &Alert) -> Vec<Explain> {
    let Ok(rules) = case.alerting_rules(&alert.alert) else { return Vec::new() };
    let during = alert.fires.as_ref().map(|fires| fires.during.as_str());
    let Ok(phase) = case.phase(during) else { return Vec::new() };
    rules
        .into_iter()
        .map(|rule| Explain {
            expression: rule.query.clone(),
            labels: alert.labels.clone().into_iter().collect(),
            from: phase.began,
            to: phase.ended,
        })
        .collect()
}

fn judge(case: &Case<'_>, alert: &Alert) -> Vec<Finding> {
    let name = &alert.alert;
    if alert.never.is_some() {
        let labels = wanted(alert).iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>();
        return vec![
            never(case, alert).unwrap_or_else(|finding| finding).about(format!("{name} silent{labels}")),
        ];
    }
    let Some(fires) = &alert.fires else { return Vec::new() };
    let about = format!("{name} fires");
    let episode = match fired(case, alert, fires) {
        Ok(episode) => episode,
        Err(finding) => return without(alert, finding.about(about)),
    };
    let mut findings = vec![episode.finding(case, alert, fires).about(about)];
    let mut paged = None;
    if let Some(notifies) = &alert.notifies {
        let (finding, page) = told(case, alert, &episode, notifies);
        findings.push(finding.about(format!("{name} notifies {}", notifies.receiver)));
        paged = page;
    }
    let held = held(case, alert, episode.fired).map(|held| held.first_seen).min();
    findings[0].detection = Some(Box::new(episode.detection(case, held, paged)));
    if let Some(resolves) = alert.resolves {
        findings.push(
            resolved(case, &episode, resolves)
                .unwrap_or_else(|finding| finding)
                .about(format!("{name} resolves")),
        );
    }
    findings
}

/// The findings of an alert that did not fire: what should have followed could not be judged.
fn without(alert: &Alert, first: Finding) -> Vec<Finding> {
    let name = &alert.alert;
    let rest = |subject: String| {
        let finding = match first.pending_until {
            Some(until) => Finding::pending(until, "waiting for it to fire"),
            None => Finding::inconclusive("could not be judged: nothing fired"),
        };
        finding.about(subject)
    };
    let told = alert.notifies.as_ref().map(|notifies| rest(format!("{name} notifies {}", notifies.receiver)));
    let resolved = alert.resolves.map(|_| rest(format!("{name} resolves")));
    let rest: Vec<_> = told.into_iter().chain(resolved).collect();
    std::iter::once(first).chain(rest).collect()
}

/// The labels that an alert must have.
fn wanted(alert: &Alert) -> Labels {
    let severity = alert.severity.as_ref().map(|severity| ("severity".to_owned(), severity.clone()));
    alert.labels.clone().into_iter().chain(severity).collect()
}

/// Whether these labels are among those.
pub(super) fn among(wanted: &Labels, labels: &Labels) -> bool {
    wanted.iter().all(|(name, value)| labels.get(name).map(String::as_str).unwrap_or_default() == value)
}

/// The annotations that an alert must have and has not, where there are any.
fn missing(alert: &Alert, annotations: &Labels) -> Option<String> {
    let missing = alert.annotations.iter().filter(|name| !annotations.contains_key(*name));
    let missing = missing.map(String::as_str).collect::<Vec<_>>();
    (!missing.is_empty()).then(|| missing.join(", "))
}

fn resolved(case: &Case<'_>, episode: &Episode<'_>, resolves: Resolves) -> Result<Finding, Finding> {
    let interval = Duration::from_millis(episode.rule.interval_ms);
    let deadline = episode.phase.ended + resolves.within.0;
    let within = display::duration(resolves.within.0);
    let Some(over) = episode.over else {
        case.known_at(deadline + interval + SETTLED, "it to resolve")?;
        let kept = Duration::from_millis(episode.rule.keep_firing_for_ms);
        let kept = (!kept.is_zero()).then(|| format!("`keep_firing_for` is {}", display::duration(kept)));
        let says = format!("did not resolve within {within} after its cause ended");
        return Ok(remembered(case, episode, resolves, says).with(kept));
    };
    // An expression that nothing feeds any more gives nothing, as if all were well. A scrape that failed
    // feeds those that are about failed scrapes.
    if let Some(why) = case.unwatched(episode.fired, over, |_| true)? {
        return Err(Finding::inconclusive(format!("it has not fired since {over}, but {why}")));
    }
    let Some(took) = over.since(episode.phase.ended) else {
        return Ok(Finding::fail(format!("resolved at {over}, before its cause ended")));
    };
    let shown = display::duration(took);
    if took <= resolves.within.0 + interval {
        return Ok(Finding::pass(format!("{shown} after its cause ended (limit {within})")));
    }
    let says = format!("resolved {shown} after its cause ended; the limit is {within}");
    Ok(remembered(case, episode, resolves, says))
}

/// The finding that an alert resolved too late or not at all, with the ranges that remember its cause.
fn remembered(case: &Case<'_>, episode: &Episode<'_>, resolves: Resolves, says: String) -> Finding {
    let query = &episode.rule.query;
    let mut long = cause::long_memory(case, query, resolves.within.0).into_iter();
    let says = long.next().map_or_else(|| says.clone(), |first| format!("{says}: {first}"));
    Finding::fail(says).with(long.map(|more| format!("also: {more}")).chain([written(episode.rule)]))
}

/// That it did not fire while the drill ran.
fn never(case: &Case<'_>, alert: &Alert) -> Result<Finding, Finding> {
    let rule = rule(case, alert)?;
    let interval = Duration::from_millis(rule.interval_ms);
    let (began, ended) = (case.began, case.ended);
    let instances = wanted_instances(case, alert)?;
    let firing = instances.iter().flat_map(|one| one.spans(AlertState::Firing).map(move |span| (*one, span)));
    let since = firing.filter(|(one, span)| span.to.is_none_or(|to| to >= began + one.accuracy));
    if let Some(first) = since.map(|(_, span)| span.from).min() {
        if first < began {
            return Err(Finding::inconclusive(format!("it was firing before the drill, since {first}")));
        }
        let after = display::duration(first.since(began).unwrap_or_default());
        return Ok(case.should_be_silent(format!("fired {after} after the drill began")));
    }
    case.known_at(ended + interval + SETTLED, "the last evaluation")?;
    match case.unwatched(began, ended, succeeded)? {
        Some(why) => Err(Finding::inconclusive(format!("it did not fire, but {why}"))),
        None => Ok(Finding::pass("it did not fire")),
    }
}
