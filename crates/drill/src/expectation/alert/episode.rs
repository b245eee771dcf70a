//! When an alert fired because of its phase, or why it did not.

use std::time::Duration;

use crate::evidence::{AlertInstance, AlertSpan, AlertState, Labels, Rule, Sample};
use crate::judge::case::{Case, SETTLED};
use crate::judge::cause;
use crate::judge::verdict::{Detection, Finding};
use crate::phase_ledger::PhaseLedger;
use firedrill_contract::{Time, display, nearest};

use super::{Alert, Fires, among, missing, wanted};

/// A time in which an alert fired without a break.
pub(super) struct Episode<'a> {
    pub(super) rule: &'a Rule,
    /// The cause: its phase.
    pub(super) phase: PhaseLedger,
    pending: Option<Time>,
    pub(super) fired: Time,
    /// When it no longer fired; nothing where it fires still.
    pub(super) over: Option<Time>,
}

/// The rule that should fire.
pub(super) fn rule<'a>(case: &'a Case<'_>, alert: &Alert) -> Result<&'a Rule, Finding> {
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
pub(super) fn wanted_instances<'a>(
    case: &'a Case<'_>,
    alert: &Alert,
) -> Result<Vec<&'a AlertInstance>, Finding> {
    let wanted = wanted(alert);
    let mut instances = instances(case, &alert.alert)?;
    instances.retain(|instance| among(&wanted, &instance.labels));
    Ok(instances)
}

pub(super) fn fired<'a>(case: &'a Case<'_>, alert: &Alert, fires: &Fires) -> Result<Episode<'a>, Finding> {
    let rule = rule(case, alert)?;
    let phase = case.phase(Some(&fires.during))?;
    let cause = phase.began;
    let instances = wanted_instances(case, alert)?;
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
pub(super) fn fires_now(case: &Case<'_>, alert: &Alert) -> bool {
    let now = case.evidence.collected;
    let fires = |instance: &AlertInstance| {
        // An evaluation may be late.
        let late = instance.accuracy.mul_f64(0.5) + SETTLED;
        instance.spans(AlertState::Firing).any(|span| span.to.is_none_or(|to| to + late >= now))
    };
    rule(case, alert).is_ok()
        && wanted_instances(case, alert).is_ok_and(|instances| instances.into_iter().any(fires))
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
pub(super) fn written(rule: &Rule) -> String {
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
    pub(super) fn finding(&self, case: &Case<'_>, alert: &Alert, fires: &Fires) -> Finding {
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

    /// Where the time went, until Alertmanager held it and until somebody was paged.
    pub(super) fn detection(&self, case: &Case<'_>, held: Option<Time>, paged: Option<Time>) -> Detection {
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
