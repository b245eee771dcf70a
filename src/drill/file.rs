//! Drill files: what to send, and what monitoring should make of it.
//!
//! A file is YAML as people write it; these types are what it holds, and what its JSON Schema is
//! generated from. [`value`] reads single values, [`phase`] says what is sent and when,
//! [`expectation`] what is expected. A [`DrillFile`] that was read is well-formed, no more: `plan`
//! and `check` find what contradicts itself.

pub mod expectation;
pub mod phase;
mod read;
pub mod value;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use expectation::Expectation;
pub use phase::Phase;
pub use read::{Misread, Problem, Step};

/// A drill: traffic in phases, and what monitoring should make of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrillFile {
    /// What the drill is called in reports.
    pub name: String,
    /// What it shows, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where requests go, such as `http://app:8080`; `${NAME}` and `${NAME:-otherwise}` are read from the environment. `--target` wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The workload that the requests belong to, which `$workload` stands for in queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// The job under which Prometheus scrapes the target, which `$job` stands for in queries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// What makes the requests repeatable. `--seed` wins; random where neither is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What is sent, one phase after the other, each under its name.
    pub phases: IndexMap<String, Phase>,
    /// What monitoring should make of it.
    pub expect: Vec<Expectation>,
}
