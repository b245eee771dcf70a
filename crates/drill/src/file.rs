//! Drill files: what to send, and what monitoring should make of it.
//!
//! A file is YAML as people write it; these types are what it holds, and what its JSON Schema is
//! generated from. [`value`] reads single values, [`phase`] says what is sent and when,
//! [`crate::expectation`] what is expected. `yaml` reads the text into a tree that knows where everything stands,
//! `deserialize` makes a [`DrillFile`] of it, and `check` reports each [`Problem`] at its `place` in that tree.
//! [`environment`] resolves references to it.

pub mod check;
mod deserialize;
pub mod environment;
pub mod phase;
pub(crate) mod place;
pub(crate) mod premise;
mod problem;
mod schema;
pub mod source;
#[cfg(test)]
pub(crate) mod testing;
pub mod value;
mod yaml;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expectation::Expectation;

pub use phase::Phase;
pub use premise::Premise;
pub use problem::Problem;
pub use yaml::LARGEST;

/// A drill: traffic in phases, and what monitoring should make of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a drill: the keys name, phases and expect")]
pub struct DrillFile {
    /// What the drill is called in reports.
    pub name: String,
    /// What it shows, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where requests go, such as `http://app:8080`; `${NAME}` and `${NAME:-default}` are read from the environment. `--target` wins.
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
    /// Whether it disturbs others: it then never runs beside another drill.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// What is sent, one phase after the other, each under its name.
    pub phases: IndexMap<String, Phase>,
    /// What has to be true of the traffic before an alert that nobody asked for is called a lie.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Premise>,
    /// What monitoring should make of it.
    pub expect: Vec<Expectation>,
}

impl DrillFile {
    /// Whether it drills this project's own service: some phase uses `work`.
    #[must_use]
    pub fn is_of_our_service(&self) -> bool {
        let works = |phase: &Phase| phase.work.is_some() || phase.mix.iter().any(|part| part.work.is_some());
        self.phases.values().any(works)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key, every shape and every expectation.
    const ALL: &str = r#"
name: all there is
about: A file of everything.
target: ${TARGET:-http://app:8080}
workload: drill
job: firedrill
seed: 7
phases:
  constant: { for: 1.5s, rate: 20/s, work: { latency: "p50=20ms,p99=120ms", status: 201, error_rate: 0.5 } }
  ramp: { for: 2m, rate: { ramp: [5/s, 50/s] }, hang_up: before the answer, work: {} }
  steps: { for: 1h, rate: { steps: [1/s, 90/m, 0.5/s] }, hang_up: in the answer, work: {} }
  poisson:
    for: 90s
    rate: { poisson: 10/s }
    mix:
      - { weight: 3, work: { workload: 007 } }
      - { weight: 1, request: { method: POST, path: /cart?item=7, headers: { Accept: text/html }, body: "{}" }, hang_up: in the answer }
  pause: { for: 250ms }
given:
  - { truth: slow_ratio(500ms), at_most: 0.05 }
  - { truth: p99, at_most: 1.5, during: ramp }
expect:
  - counts: all phases
    series: http_requests_total{job="shop"}
    status: code
  - counts: all phases
  - query: sum(up)
    during: ramp
    equals: error_ratio
    within: 5%
  - { query: sum(up), at_least: 1 }
  - { query: sum(up), at_most: slow_ratio(250ms), within: 0.01 }
  - { query: sum(up), between: [p50, p99.9], within: 10ms }
  - { query: sum(up), equals: mean, within: 12.5% }
  - { quantile: 0.99, during: steps, within: 20%, series: latency_seconds }
  - alert: HighErrorRatio
    labels: { workload: drill }
    severity: page
    annotations: [summary, runbook_url]
    fires: { during: ramp, within: 60s }
    resolves: { within: 90s }
    notifies: pager
  - { alert: A, fires: { during: ramp, within: 1m }, notifies: { receiver: team, within: 30s } }
  - { alert: HighErrorRatio, labels: { workload: demo }, never: fires }
  - { nothing_else: fires, except: [Watchdog] }
  - { nothing_else: fires }
  - { series: up, exist: at zero }
  - { series: [up, down], exist: at zero }
  - { scrapes: no gaps, job: other }
  - { scrapes: no gaps }
  - { panels: grafana }
  - { panels: [a.json, b.json], except: [Restarts], variables: { instance: ".*" } }
"#;

    #[test]
    fn a_file_comes_back_from_a_run_file_as_it_was() {
        let file = DrillFile::read(ALL).unwrap();
        assert_eq!((file.phases.len(), file.expect.len()), (5, 19));
        let json = serde_json::to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<DrillFile>(&json).unwrap(), file, "{json}");
    }
}
