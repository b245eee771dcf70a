//! No alert begins to fire but those that the drill expects.

use std::time::Duration;

use crate::evidence::{AlertInstance, AlertSpan, AlertState, Labels};
use crate::file::Expectation;
use crate::file::expectation::NothingElse;
use firedrill_contract::quantity::{format_duration, many};

use super::alert::among;
use super::case::{Case, SETTLED, succeeded};
use super::verdict::Finding;

pub(super) fn judge(case: &Case<'_>, nothing: &NothingElse) -> Finding {
    found(case, nothing).unwrap_or_else(|finding| finding).about("nothing else fires")
}

fn found(case: &Case<'_>, nothing: &NothingElse) -> Result<Finding, Finding> {
    let history = case.alert_history()?;
    if history.rules.is_empty() {
        return Err(Finding::inconclusive("Prometheus has no alerting rules loaded: look at its rule_files"));
    }
    let about: Labels = nothing.labels.clone().into_iter().collect();
    let mut others = Vec::new();
    for alert in history.alerts.iter().filter(|alert| among(&about, &alert.labels)) {
        if alert.name().is_empty() || expected(case, nothing, alert) {
            continue;
        }
        let new = alert.spans(AlertState::Firing).find(|span| span.from >= case.run.began);
        if let Some(AlertSpan { from, .. }) = new {
            let after = format_duration(from.since(case.run.began).unwrap_or_default());
            let labels = shown(&alert.labels);
            others.push(format!("{}{labels} fired {after} after the drill began", alert.name()));
        }
    }
    let mut others = others.into_iter();
    if let Some(first) = others.next() {
        return Ok(case.should_be_silent(first).with(others));
    }
    let longest = history.rules.iter().map(|rule| rule.interval_ms).max().unwrap_or_default();
    case.known_at(
        case.run.ended + Duration::from_millis(longest.min(60_000)) + SETTLED,
        "the last evaluation",
    )?;
    match case.unwatched(case.run.began, case.run.ended, succeeded)? {
        Some(why) => Err(Finding::inconclusive(format!("nothing else fired, but {why}"))),
        None => Ok(Finding::pass(format!(
            "{}, none fired that was not asked to",
            many(history.rules.len(), "alerting rule", "alerting rules")
        ))),
    }
}

fn expected(case: &Case<'_>, nothing: &NothingElse, instance: &AlertInstance) -> bool {
    let asked = case.run.drill.expect.iter().any(|expectation| match expectation {
        Expectation::Alert(alert) if alert.alert == instance.name() && alert.fires.is_some() => {
            let labels: Labels = alert.labels.clone().into_iter().collect();
            among(&labels, &instance.labels)
        }
        _ => false,
    });
    asked || nothing.except.iter().any(|except| except == instance.name())
}

/// The labels that say what an alert is about.
fn shown(labels: &Labels) -> String {
    let plain = |name: &str| name != "alertname";
    let each: Vec<_> = labels
        .iter()
        .filter(|(name, _)| plain(name))
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    if each.is_empty() { String::new() } else { format!("{{{}}}", each.join(", ")) }
}
