//! What Prometheus knows, as a run file holds it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::clock::Clock;
use crate::evidence::number;
use crate::evidence::series::{Labels, Selected, Series};
use firedrill_contract::Time;

/// What Prometheus knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prometheus {
    /// How its clock compares with the drill's.
    pub clock: Clock,
    /// The time between two scrapes of a target, by job, in milliseconds.
    pub scrape_intervals: BTreeMap<String, u64>,
    /// Every alerting and recording rule.
    pub rules: Vec<Rule>,
    /// `ALERTS`: each alert, in each state, at each evaluation at which it had that state.
    pub alerts: Vec<Series>,
    /// Raw samples, by selector. `up` is always among them.
    pub samples: Vec<Selected>,
    /// Answers to queries.
    pub answers: Vec<Answer>,
    /// What explains expressions that gave nothing.
    pub explained: Vec<Explained>,
}

impl Prometheus {
    /// Nothing yet.
    pub(super) const fn none(clock: Clock) -> Self {
        Self {
            clock,
            scrape_intervals: BTreeMap::new(),
            rules: Vec::new(),
            alerts: Vec::new(),
            samples: Vec::new(),
            answers: Vec::new(),
            explained: Vec::new(),
        }
    }
}

/// A rule that is loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it records or alerts as.
    pub name: String,
    /// Whether it alerts.
    pub alerting: bool,
    /// Its group.
    pub group: String,
    /// Its expression.
    pub query: String,
    /// The time between two evaluations, in milliseconds.
    pub interval_ms: u64,
    /// How long it pends before it fires, in milliseconds.
    pub for_ms: u64,
    /// How long it goes on firing after its expression gave nothing, in milliseconds.
    pub keep_firing_for_ms: u64,
    /// The labels that it adds.
    pub labels: Labels,
    /// The annotations that it adds, as templates.
    pub annotations: Labels,
    /// What the last evaluation failed with; empty where it did not.
    pub last_error: String,
}

/// A query and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The query, its variables replaced.
    pub query: String,
    /// The time that it was asked about.
    pub at: Time,
    /// What came.
    #[serde(rename = "said")]
    pub result: QueryResult,
}

/// What a query gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryResult {
    /// One value for each set of labels; none at all where nothing matched. A scalar has no labels.
    Values(Vec<Value>),
    /// Prometheus refused it, with this.
    Refused(String),
}

/// A value with its labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// The labels.
    pub labels: Labels,
    /// The value.
    #[serde(with = "number")]
    #[schemars(with = "number::Number")]
    pub value: f64,
}

/// Why an expression gave what it gave: each selector and each comparison in it, looked at alone, over a time.
///
/// A selector whose metric is recorded by a rule is followed by the explanation of that rule's
/// expression, so that the cause is found however deep it lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explained {
    /// The expression.
    pub expression: String,
    /// The metric that a rule records with it, where it is one of those.
    pub records: Option<String>,
    /// From when it was looked at.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// Each selector in it.
    pub selectors: Vec<Selector>,
    /// Each comparison in it.
    pub comparisons: Vec<Comparison>,
    /// What of it could not be looked at, and why.
    pub unexplained: Vec<String>,
}

/// A selector, and what it selects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// As it is written.
    pub selector: String,
    /// How many series it selected at any time between.
    pub selected: u64,
    /// How long its range is, in milliseconds, where it has one.
    pub range_ms: Option<u64>,
    /// The metric that it asks for, where it names one.
    pub metric: Option<String>,
    /// Where it selected nothing: every value of each label that series of this metric have. Empty where there is no such metric.
    pub values: BTreeMap<String, Vec<String>>,
    /// Where it selected nothing: the labels of which one matcher alone rules out series that all others
    /// select, with the values that these have.
    pub ruled_out: BTreeMap<String, Vec<String>>,
    /// Where there is no such metric: those whose names are nearest.
    pub nearest: Vec<String>,
}

/// A comparison, and what its sides were: of the series that the question is about, or of all where there are none of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The left side.
    pub left: String,
    /// `>`, `<`, `>=`, `<=`, `==` or `!=`.
    pub operator: String,
    /// The right side.
    pub right: String,
    /// The least and the most that the left side was; nothing where it had no value.
    pub left_was: Option<Extent>,
    /// The least and the most that the right side was.
    pub right_was: Option<Extent>,
    /// The share of the moments at which the left side had a value at which it held; nothing where there
    /// were none, and where it filters nothing (`bool`).
    pub held: Option<f64>,
}

/// From the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extent {
    /// The least.
    #[serde(with = "number")]
    #[schemars(with = "number::Number")]
    pub least: f64,
    /// The most.
    #[serde(with = "number")]
    #[schemars(with = "number::Number")]
    pub most: f64,
}
