//! What alerts did, whichever source says so.

use std::time::Duration;

use super::prometheus::evidence::Rule;
use super::series::Labels;
use firedrill_contract::Time;

/// Every alert that left its inactive state, since some minutes before the drill.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertHistory {
    /// The alerting rules.
    pub rules: Vec<Rule>,
    /// What their alerts did.
    pub alerts: Vec<AlertInstance>,
}

/// One alert of a rule, by its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertInstance {
    /// Its labels, `alertname` included.
    pub labels: Labels,
    /// By how much a change may have happened before the time that it has here: mostly one evaluation interval.
    pub accuracy: Duration,
    /// Its changes of state, in the order of their times. Before the first it was inactive.
    pub changes: Vec<StateChange>,
}

/// That an alert came into a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateChange {
    /// When.
    pub at: Time,
    /// Into which.
    pub state: AlertState,
}

/// The states of an alert, as Prometheus names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertState {
    /// Its expression gives nothing.
    Inactive,
    /// Its expression gives something, not for long enough yet.
    Pending,
    /// It fires.
    Firing,
}

/// A time in which an alert was in one state without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AlertSpan {
    /// When it came into the state.
    pub from: Time,
    /// When it left it; nothing where it is in it still.
    pub to: Option<Time>,
}

impl AlertInstance {
    /// The name of its rule.
    #[must_use]
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map(String::as_str).unwrap_or_default()
    }

    /// Each time in which it was in this state.
    pub fn spans(&self, state: AlertState) -> impl Iterator<Item = AlertSpan> {
        let ends = self.changes.iter().skip(1).map(|next| Some(next.at)).chain([None]);
        let spans = self.changes.iter().zip(ends).filter(move |(change, _)| change.state == state);
        spans.map(|(change, to)| AlertSpan { from: change.at, to })
    }
}

impl AlertSpan {
    /// Whether any of it is at this moment or later.
    #[must_use]
    pub fn reaches(self, moment: Time) -> bool {
        self.to.is_none_or(|to| to > moment)
    }
}
