//! A phase of a drill, and what became of its requests.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use firedrill_contract::Time;
use firedrill_load::ledger::Ledger;

/// A phase and its account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseLedger {
    /// Its name.
    pub name: String,
    /// When it began.
    pub began: Time,
    /// When it ended: its last request fell due before.
    pub ended: Time,
    /// What was sent, and what came back.
    pub ledger: Ledger,
}
