//! A run: all that a verdict rests on, in one file.

#[cfg(any(test, feature = "testing"))]
mod made_up;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::evidence::clock::is_zero;
use super::file::DrillFile;
use super::phase_ledger::PhaseLedger;
use firedrill_contract::Time;

/// The version of run files that this program writes and reads.
pub const VERSION: u32 = 1;

/// What was sent, what came back, what monitoring knew, and what was expected of it.
///
/// Holds no address but the target's host and port, and no header, token or password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The version of this format: 1.
    pub version: u32,
    /// The version of the program that wrote it.
    pub firedrill: String,
    /// The drill, as its file has it.
    pub drill: DrillFile,
    /// Where requests went: scheme, host and port.
    pub target: String,
    /// What made the requests repeatable.
    pub seed: u64,
    /// When the first phase began.
    pub began: Time,
    /// What was sent, phase by phase, and what came back.
    pub phases: Vec<PhaseLedger>,
    /// When the last request had its end, by the drill's clock.
    pub ended: Time,
    /// Whether somebody stopped the drill before its end.
    pub interrupted: bool,
    /// By how many milliseconds the drill's own clock was put forward while it ran; back where it is negative.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clock_moved_ms: i64,
    /// What monitoring knew.
    pub evidence: Evidence,
}

impl Run {
    /// How long the drill's phases lasted together.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        self.phases.last().and_then(|last| last.ended.since(self.began)).unwrap_or_default()
    }
}
