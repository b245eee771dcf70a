//! What Alertmanager had, as a run file holds it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::number;
use crate::evidence::series::Labels;
use firedrill_contract::Time;

/// What Alertmanager had, as far as it could be seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    /// Each alert, once for each time that it was in a state.
    pub alerts: Vec<AlertmanagerAlert>,
    /// When it could not be seen.
    pub unseen: Vec<Unseen>,
    /// The names of its receivers.
    pub receivers: Vec<String>,
    /// Notifications that failed while the drill ran, by integration and, where it says, reason; or why that is not known.
    pub failed: Result<Vec<FailedNotifications>, String>,
}

/// A time in which something could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    /// When it was last seen before, or was first to be.
    pub from: Time,
    /// When it was seen again, or the time of collection.
    pub to: Time,
    /// Why not.
    pub why: String,
}

/// An alert as Alertmanager held it, in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerAlert {
    /// Its labels.
    pub labels: Labels,
    /// Whom it is routed to.
    pub receivers: Vec<String>,
    /// Fingerprints of the alerts that inhibit it, and their names where they are held as well.
    pub inhibited_by: Vec<String>,
    /// The silences that silence it.
    pub silenced_by: Vec<String>,
    /// The time intervals that mute it.
    pub muted_by: Vec<String>,
    /// When it began, as Prometheus says.
    pub starts_at: Time,
    /// When it was first seen like this, by the drill's clock.
    pub first_seen: Time,
    /// When it was last seen like this.
    pub last_seen: Time,
}

/// Notifications that did not arrive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailedNotifications {
    /// Through what: `webhook`, `slack`.
    pub integration: String,
    /// The receiver, where Alertmanager says.
    pub receiver: Option<String>,
    /// Why, where Alertmanager says.
    pub reason: Option<String>,
    /// How many while the drill ran.
    #[serde(with = "number")]
    #[schemars(with = "number::Number")]
    pub count: f64,
}
