//! An alert fires, is told, resolves; or never fires.
//!
//! Read from the history of the alert: when it began to pend, when it fired, and when it no longer did are known to
//! one evaluation, whoever looks and whenever.

mod notifies;

use crate::file::check::context::FileContext;
use crate::file::check::names::{check_label, check_names};
use crate::file::place::Place;
use firedrill_contract::quoted;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::time::Duration;

use crate::evidence::{AlertInstance, AlertSpan, AlertState, Labels, Rule, Sample};
use crate::file::value::Span;
use crate::phase_ledger::PhaseLedger;
use crate::question::Explain;
use firedrill_contract::Time;
use firedrill_contract::display;
use firedrill_contract::nearest;

use super::kind::Kind;
use crate::judge::case::{Case, ExpectedAlert, SETTLED, succeeded};
use crate::judge::cause;
use crate::judge::verdict::{Detection, Finding};
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
    let mut verdicts = vec![episode.verdict(case, alert, fires).about(about)];
    let mut paged = None;
    if let Some(notifies) = &alert.notifies {
        let (finding, page) = told(case, alert, &episode, notifies);
        verdicts.push(finding.about(format!("{name} notifies {}", notifies.receiver)));
        paged = page;
    }
    verdicts[0].detection = Some(Box::new(episode.detection(case, alert, paged)));
    if let Some(resolves) = alert.resolves {
        verdicts.push(
            resolved(case, &episode, resolves)
                .unwrap_or_else(|finding| finding)
                .about(format!("{name} resolves")),
        );
    }
    verdicts
}

/// The verdicts of an alert that did not fire: what should have followed could not be judged.
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

/// A time in which an alert fired without a break.
struct Episode<'a> {
    rule: &'a Rule,
    /// The cause: its phase.
    phase: PhaseLedger,
    pending: Option<Time>,
    fired: Time,
    /// When it no longer fired; nothing where it fires still.
    over: Option<Time>,
}

/// The rule that should fire.
fn rule<'a>(case: &'a Case<'_>, alert: &Alert) -> Result<&'a Rule, Finding> {
    let rules = &case.alert_history()?.rules;
    if rules.is_empty() {
        return Err(Finding::inconclusive("Prometheus has no alerting rules loaded: look at its rule_files"));
    }
    let found: Vec<_> = rules.iter().filter(|rule| rule.name == alert.alert).collect();
    // Several rules may share a name, for several severities.
    let matching = found.iter().find(|rule| {
        alert.severity.as_ref().is_none_or(|severity| rule.labels.get("severity") == Some(severity))
    });
    let Some(rule) = matching.or_else(|| found.first()) else {
        let nearest = nearest(&alert.alert, rules.iter().map(|rule| rule.name.as_str()));
        let nearest = nearest.map(|name| format!("; the nearest is {name}")).unwrap_or_default();
        return Err(Finding::fail(format!("Prometheus has no alerting rule of this name{nearest}")));
    };
    if !rule.last_error.is_empty() {
        return Err(Finding::fail(format!("its rule cannot be evaluated: {}", rule.last_error)));
    }
    Ok(rule)
}

/// Each alert of this name.
fn instances<'a>(case: &'a Case<'_>, name: &str) -> Result<Vec<&'a AlertInstance>, Finding> {
    Ok(case.alert_history()?.alerts.iter().filter(|alert| alert.name() == name).collect())
}

/// The alerts of this name with the labels that were asked for.
fn asked_for<'a>(case: &'a Case<'_>, alert: &Alert) -> Result<Vec<&'a AlertInstance>, Finding> {
    let wanted = wanted(alert);
    let mut instances = instances(case, &alert.alert)?;
    instances.retain(|instance| among(&wanted, &instance.labels));
    Ok(instances)
}

fn fired<'a>(case: &'a Case<'_>, alert: &Alert, fires: &Fires) -> Result<Episode<'a>, Finding> {
    let rule = rule(case, alert)?;
    let phase = case.phase(Some(&fires.during))?;
    let cause = phase.began;
    let instances = asked_for(case, alert)?;
    let firing = |instance: &&'a AlertInstance| {
        let instance = *instance;
        instance.spans(AlertState::Firing).map(move |span| (instance, span))
    };
    let before = |(instance, span): &(&AlertInstance, AlertSpan)| {
        span.from < cause && span.to.is_none_or(|to| to + instance.accuracy > cause)
    };
    if let Some((instance, _)) = instances.iter().flat_map(firing).find(before) {
        let silenced = instance
            .spans(AlertState::Firing)
            .filter_map(|span| span.to)
            .any(|to| to >= cause + instance.accuracy && to + instance.accuracy < phase.ended);
        let since = instance.spans(AlertState::Firing).next();
        let since = since.map(|span| span.from.to_string()).unwrap_or_default();
        return Err(if silenced {
            Finding::fail(
                "it was firing before the cause and fell silent during it: is its comparison operator inverted?",
            )
        } else {
            Finding::inconclusive(format!(
                "it was firing before the cause, since {since}: start when it is silent"
            ))
        });
    }
    let after = instances.iter().flat_map(firing).filter(|(_, span)| span.from >= cause);
    let Some((instance, span)) = after.min_by_key(|(_, span)| span.from) else {
        return Err(never_fired(case, alert, fires, rule, &phase)?);
    };
    let pending = instance.spans(AlertState::Pending).map(|span| span.from);
    let pending = pending.filter(|from| *from >= cause && *from <= span.from).max();
    Ok(Episode { rule, phase, pending, fired: span.from, over: span.to })
}

/// Whether the alert, as the drill is to cause it, fires at the time of collection.
fn fires_now(case: &Case<'_>, alert: &Alert) -> bool {
    let now = case.evidence.collected;
    let fires = |instance: &AlertInstance| {
        // An evaluation may be late.
        let late = instance.accuracy.mul_f64(0.5) + SETTLED;
        instance.spans(AlertState::Firing).any(|span| span.to.is_none_or(|to| to + late >= now))
    };
    rule(case, alert).is_ok()
        && asked_for(case, alert).is_ok_and(|instances| instances.into_iter().any(fires))
}

/// What to say of an alert that did not fire, when there was time enough.
fn never_fired(
    case: &Case<'_>,
    alert: &Alert,
    fires: &Fires,
    rule: &Rule,
    phase: &PhaseLedger,
) -> Result<Finding, Finding> {
    let deadline = phase.began + fires.within.0;
    let interval = Duration::from_millis(rule.interval_ms);
    case.known_at(deadline + interval + SETTLED, &format!("{} to fire", alert.alert))?;
    if let Some(gap) = case.gap(phase.began, deadline)? {
        return Err(Finding::inconclusive(format!("it did not fire, but {gap}")));
    }
    let what = format!("did not fire within {}", display::duration(fires.within.0));
    let instances = instances(case, &alert.alert)?;
    let since_cause = |state| {
        let spans = instances.iter().flat_map(move |one| one.spans(state).map(move |span| (*one, span)));
        spans.filter(|(one, span)| span.to.is_none_or(|to| to >= phase.began + one.accuracy))
    };
    if let Some((other, _)) = since_cause(AlertState::Firing).next() {
        return Ok(Finding::fail(format!(
            "fired with other labels: {}",
            difference(&wanted(alert), &other.labels)
        )));
    }
    let wanted = display::duration(Duration::from_millis(rule.for_ms));
    let lasted = |span: &AlertSpan| span.to.unwrap_or(case.evidence.collected).since(span.from);
    let pended = since_cause(AlertState::Pending).filter(|(_, span)| span.from <= deadline);
    let pended = pended.max_by_key(|(_, span)| lasted(span));
    let what = match pended {
        Some((one, span)) if span.to.is_none_or(|to| to + one.accuracy.mul_f64(0.5) >= deadline) => {
            let since = display::duration(deadline.since(span.from).unwrap_or_default());
            return Ok(Finding::fail(format!("{what}: it was pending for {since}, and `for` is {wanted}")));
        }
        Some((_, span)) => {
            let most = display::duration(lasted(&span).unwrap_or_default());
            format!("{what}: it was pending for {most} at most, and `for` is {wanted}")
        }
        None => what,
    };
    let causes = cause::of(case, &rule.query);
    let silent = causes.is_empty() && pended.is_none();
    let what = if silent { format!("{what}: its expression returned no series") } else { what };
    Ok(cause::blame(&what, causes).with([written(rule)]))
}

/// The expression of a rule, as a line.
fn written(rule: &Rule) -> String {
    format!("its expression: {}", rule.query.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// How found labels differ from those that were wanted.
fn difference(wanted: &Labels, found: &Labels) -> String {
    let each = wanted.iter().filter_map(|(name, value)| match found.get(name) {
        Some(other) if other == value => None,
        Some(other) => Some(format!("expected {name}={value:?}, found {other:?}")),
        None => Some(format!("it has no label {name:?} (expected {value:?}): does `by` drop it?")),
    });
    each.collect::<Vec<_>>().join("; ")
}

impl Episode<'_> {
    fn verdict(&self, case: &Case<'_>, alert: &Alert, fires: &Fires) -> Finding {
        let took = self.fired.since(self.phase.began).unwrap_or_default();
        let (shown, within) = (display::duration(took), display::duration(fires.within.0));
        if let Some(missing) = missing(alert, &self.rule.annotations) {
            return Finding::fail(format!("fired {shown} after the cause, without the annotation {missing}"));
        }
        if took <= fires.within.0 {
            return Finding::pass(format!("{shown} after the cause (limit {within})"));
        }
        let finding = Finding::fail(format!("fired {shown} after the cause; the limit is {within}"));
        match case.gap(self.phase.began, self.fired) {
            Ok(Some(gap)) => Finding::inconclusive(format!(
                "fired {shown} after the cause; the limit is {within}, but {gap}"
            )),
            Ok(None) | Err(_) => finding
                .with([format!("`for` is {}", display::duration(Duration::from_millis(self.rule.for_ms)))]),
        }
    }

    /// Where the time went.
    fn detection(&self, case: &Case<'_>, alert: &Alert, paged: Option<Time>) -> Detection {
        let cause = self.phase.began;
        let apart = |later: Time, earlier: Time| later.since(earlier).unwrap_or_default().as_secs_f64();
        let scrapes = case.scrapes(case.job).unwrap_or_default();
        let first = scrapes
            .iter()
            .flat_map(|up| &up.samples)
            .map(|Sample(at, _)| *at)
            .filter(|at| *at >= cause)
            .min();
        let pending = self.pending.unwrap_or(self.fired);
        let scraped = first.unwrap_or(cause).min(pending);
        let held = held(case, alert, self.fired).map(|held| held.first_seen).min();
        Detection {
            detected_seconds: apart(self.fired, cause),
            scrape_seconds: apart(scraped, cause),
            evaluation_seconds: apart(pending, scraped),
            for_seconds: apart(self.fired, pending),
            delivery_seconds: held.map(|held| apart(held, self.fired)),
            grouping_seconds: paged.map(|paged| apart(paged, held.unwrap_or(self.fired).max(self.fired))),
        }
    }
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
    let instances = asked_for(case, alert)?;
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
