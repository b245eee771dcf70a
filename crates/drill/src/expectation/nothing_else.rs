//! No alert begins to fire but those that the drill expects.

use super::alert::Firing;
use super::alert::among;
use super::kind::Kind;
use crate::evidence::{AlertInstance, AlertSpan, AlertState, Labels};
use crate::file::check::context::FileContext;
use crate::file::check::names::{check_label, check_names};
use crate::file::place::Place;
use crate::judge::case::{Case, ExpectedAlert, SETTLED};
use crate::judge::target::succeeded;
use crate::judge::verdict::Finding;
use firedrill_contract::display;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::time::Duration;

/// No alert begins to fire but those that the drill expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NothingElse {
    /// What nothing else does.
    pub nothing_else: Firing,
    /// The labels of the alerts that it is about; all alerts where it is left out.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Alerts that may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

impl Kind for NothingElse {
    fn check(&self, _context: &FileContext<'_>, place: &mut Place<'_>) {
        self.labels.keys().for_each(|name| check_label(name, &mut place.at("labels").at(name.as_str())));
        check_names(&self.except, &mut place.at("except"));
    }

    fn conflict(&self, other: &dyn Any) -> Option<&'static str> {
        let other: &Self = other.downcast_ref()?;
        let same = self.labels == other.labels;
        same.then_some("it is about the same alerts: keep one `nothing_else` with all exceptions")
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        vec![self.finding(case).unwrap_or_else(|finding| finding).about("nothing else fires")]
    }
}

impl NothingElse {
    fn finding(&self, case: &Case<'_>) -> Result<Finding, Finding> {
        let history = case.alert_history()?;
        if history.rules.is_empty() {
            return Err(Finding::inconclusive(
                "Prometheus has no alerting rules loaded: look at its rule_files",
            ));
        }
        let about: Labels = self.labels.clone().into_iter().collect();
        let mut others = Vec::new();
        for alert in history.alerts.iter().filter(|alert| among(&about, &alert.labels)) {
            let (name, labels) = (alert.name(), shown(&alert.labels));
            if name.is_empty() || self.expected(case, alert) {
                continue;
            }
            let new = alert.spans(AlertState::Firing).find(|span| span.from >= case.began);
            if let Some(AlertSpan { from, .. }) = new {
                let after = display::duration(from.since(case.began).unwrap_or_default());
                others.push(format!("{name}{labels} fired {after} after the drill began"));
            }
        }
        let mut others = others.into_iter();
        if let Some(first) = others.next() {
            return Ok(case.should_be_silent(first).with(others));
        }
        let longest = history.rules.iter().map(|rule| rule.interval_ms).max().unwrap_or_default();
        case.known_at(
            case.ended + Duration::from_millis(longest.min(60_000)) + SETTLED,
            "the last evaluation",
        )?;
        match case.unwatched(case.began, case.ended, succeeded)? {
            Some(why) => Err(Finding::inconclusive(format!("nothing else fired, but {why}"))),
            None => Ok(Finding::pass(format!(
                "{}, none fired unexpectedly",
                display::count(history.rules.len(), "alerting rule", "alerting rules")
            ))),
        }
    }

    fn expected(&self, case: &Case<'_>, alert: &AlertInstance) -> bool {
        let name = alert.name();
        let is = |expected: &ExpectedAlert| expected.name == name && among(&expected.labels, &alert.labels);
        case.expected_alerts.iter().any(is) || self.except.iter().any(|except| except == name)
    }
}

/// The labels that say what an alert is about.
fn shown(labels: &Labels) -> String {
    let each: Vec<_> = labels
        .iter()
        .filter(|(name, _)| *name != "alertname")
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    if each.is_empty() { String::new() } else { format!("{{{}}}", each.join(", ")) }
}
