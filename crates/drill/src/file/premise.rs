//! What a drill takes for granted of the traffic itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Quantity;

/// What has to be true of the answers that the drill got. Where it is not, an alert that nobody asked for may be
/// right: that it fired is no lie, but could not be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a premise such as { truth: error_ratio, at_most: 0.01 }")]
pub struct Premise {
    /// What the ledger knows: `slow_ratio(500ms)`, `error_ratio`, `p99`.
    pub truth: Quantity,
    /// What it may be at most: a share from 0 to 1, seconds, or a number of requests.
    pub at_most: f64,
    /// The phase that it is about; each phase, by itself, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<String>,
}
