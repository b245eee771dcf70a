//! What was found where monitoring keeps it, raw and with its time, before anything is judged.
//!
//! [`Evidence`] is plain data: it is written to the run file, and the judge reads nothing else of the
//! world. What could not be had stays in it as [`Source::Missing`] with the reason, never as an empty
//! answer.
//!
//! The modules below collect it: a `collector` has a `client` for each source and asks `prometheus` and the
//! `pager` at the end, while `alertmanager` and the `service`, which forget, are looked at all the time.
//! `exposition` reads what a service exposes, `panels` what dashboards show.

mod alertmanager;
mod collector;
mod exposition;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod pager;
mod panels;
mod prometheus;
mod service;

pub use collector::{Collector, NoSource, Sources};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run::is_zero;
use firedrill_contract::Time;

/// All that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// When it was collected, by the drill's clock: the evidence is of everything before.
    pub collected: Time,
    /// What Prometheus knows.
    pub prometheus: Source<Prometheus>,
    /// What Alertmanager had, looked at again and again while the drill ran.
    pub alertmanager: Source<Alertmanager>,
    /// What rang at the pager.
    pub pager: Source<Pager>,
    /// What the panels of dashboards show, by expectation.
    pub panels: Source<Vec<Panel>>,
    /// What the service itself exposes, scraped by the drill.
    pub service: Source<Exposed>,
}

impl Evidence {
    /// Nothing, collected at this time.
    #[must_use]
    pub const fn none(collected: Time) -> Self {
        Self {
            collected,
            prometheus: Source::NotAsked,
            alertmanager: Source::NotAsked,
            pager: Source::NotAsked,
            panels: Source::NotAsked,
            service: Source::NotAsked,
        }
    }
}

/// What one source of evidence said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Source_of_{T}")]
pub enum Source<T> {
    /// The drill was not told where it is.
    NotAsked,
    /// It was asked and gave no usable answer: why.
    Missing(String),
    /// What it said.
    Said(T),
}

impl<T> Source<T> {
    /// What it said, if it did.
    #[must_use]
    pub const fn said(&self) -> Option<&T> {
        match self {
            Self::Said(said) => Some(said),
            Self::NotAsked | Self::Missing(_) => None,
        }
    }
}

/// Labels by name, `__name__` included.
pub type Labels = BTreeMap<String, String>;

/// Raw samples of one time series, in the order of their times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TimeSeries")]
pub struct Series {
    /// What identifies it.
    pub labels: Labels,
    /// Its samples; of a native histogram, how many observations it had counted.
    pub samples: Vec<Sample>,
}

/// One value at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample(
    pub Time,
    #[serde(with = "number")]
    #[schemars(with = "number::Number")]
    pub f64,
);

/// The series that a selector selects, over the whole drill and the minutes before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selected {
    /// The selector, as it was asked.
    pub selector: String,
    /// What it selected.
    pub series: Vec<Series>,
}

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

/// How far a clock was ahead of the drill's, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Ahead by this; behind where it is negative.
    pub ahead_ms: i64,
    /// Give or take this: half the time that asking took.
    pub give_or_take_ms: i64,
    /// By how much, at least, it was put forward against the drill's since the drill began; back where it is negative.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub moved_ms: i64,
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
    pub said: Said,
}

/// What a query gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Said {
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

/// What Alertmanager had, as far as it could be seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    /// Each alert, once for each time that it was in a state.
    pub alerts: Vec<Held>,
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
pub struct Held {
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

/// What rang at the pager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pager {
    /// How its clock compares with the drill's.
    pub clock: Clock,
    /// Since when it listens: before, it knows of nothing.
    pub listening_since: Time,
    /// What rang since before the drill.
    pub pages: Vec<Page>,
}

/// What a receiver was told about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Who was told.
    pub receiver: String,
    /// The alert's labels.
    pub labels: Labels,
    /// The alert's annotations.
    pub annotations: Labels,
    /// When the alert began, as Alertmanager says.
    pub starts_at: Time,
    /// When it was told that it fires.
    pub rang_at: Option<Time>,
    /// When it was told that it no longer does.
    pub resolved_at: Option<Time>,
}

/// A query of a dashboard's panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Which expectation asked.
    pub expectation: usize,
    /// The dashboard's title.
    pub dashboard: String,
    /// The panel's title.
    pub panel: String,
    /// The query's letter in the panel.
    pub query: String,
    /// Its expression, the variables replaced.
    pub expression: String,
    /// How many series it gave over the drill; or what it was refused with.
    pub series: Result<u64, String>,
}

/// What the service itself exposed, scraped by the drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exposed {
    /// The time between two scrapes, in milliseconds.
    pub interval_ms: u64,
    /// When each scrape was begun, and what it failed with.
    pub scrapes: Vec<Scrape>,
    /// Raw samples, by selector.
    pub samples: Vec<Selected>,
    /// The names of all metrics of the last scrape.
    pub metrics: Vec<String>,
}

/// One scrape by the drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scrape {
    /// When it was begun.
    pub at: Time,
    /// What it failed with.
    pub error: Option<String>,
}

/// The drill's clock.
pub type Now = Arc<dyn Fn() -> Time + Send + Sync>;

/// How long before the drill evidence begins: what fired before it, and at what counters stood.
pub const LOOKBACK: Duration = Duration::from_secs(300);

/// A number that may be one which JSON has no form for: `"NaN"`, `"+Inf"`, `"-Inf"`, as Prometheus writes them.
mod number {
    use schemars::JsonSchema;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    /// How it is written.
    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    pub(super) enum Number {
        Number(f64),
        Text(String),
    }

    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match number {
            number if number.is_nan() => serializer.serialize_str("NaN"),
            number if number.is_infinite() => {
                serializer.serialize_str(if *number > 0.0 { "+Inf" } else { "-Inf" })
            }
            number => serializer.serialize_f64(*number),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Number::deserialize(deserializer)? {
            Number::Number(number) => Ok(number),
            Number::Text(text) => match text.as_str() {
                "NaN" => Ok(f64::NAN),
                "+Inf" => Ok(f64::INFINITY),
                "-Inf" => Ok(f64::NEG_INFINITY),
                _ => Err(D::Error::custom(format!("found {text:?}, expected a number, NaN, +Inf or -Inf"))),
            },
        }
    }
}
