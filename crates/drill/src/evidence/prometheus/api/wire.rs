//! The answers of Prometheus, as far as they are read.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::evidence::prometheus::evidence::Rule;
use crate::evidence::series::{Labels, Sample, Series};
use firedrill_contract::Time;

/// What every answer is wrapped in.
#[derive(Deserialize)]
pub(super) struct Envelope<T> {
    pub(super) status: String,
    pub(super) data: Option<T>,
    #[serde(default, rename = "errorType")]
    pub(super) error_type: String,
    #[serde(default)]
    pub(super) error: String,
    #[serde(default)]
    pub(super) warnings: Vec<String>,
}

/// What a query gave, by its type.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum QueryData {
    Vector(Vec<Element>),
    Matrix(Vec<Row>),
    Scalar(Point),
    String(serde::de::IgnoredAny),
}

/// An element of an instant vector: it has either a number or a native histogram.
#[derive(Debug, Deserialize)]
pub(super) struct Element {
    pub(super) metric: Labels,
    pub(super) value: Option<Point>,
}

/// A series of a range.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) metric: Labels,
    #[serde(default)]
    pub(super) values: Vec<Point>,
    #[serde(default)]
    pub(super) histograms: Vec<(f64, Histogram)>,
}

/// A time in seconds, and a value at it.
#[derive(Debug, Deserialize)]
pub(super) struct Point(pub(super) f64, #[serde(deserialize_with = "number")] pub(super) f64);

/// A native histogram, the part of it that has a place here.
#[derive(Debug, Deserialize)]
pub(super) struct Histogram {
    #[serde(deserialize_with = "number")]
    pub(super) count: f64,
}

/// A number as Prometheus writes it: a text, since JSON has none for `NaN` and the infinities.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format!("found {text:?}, expected a number")))
}

impl From<Row> for Series {
    fn from(row: Row) -> Self {
        let numbers = row.values.into_iter().map(|Point(at, value)| Sample(Time::from_seconds(at), value));
        let counts =
            row.histograms.into_iter().map(|(at, native)| Sample(Time::from_seconds(at), native.count));
        let mut samples: Vec<_> = numbers.chain(counts).collect();
        samples.sort_by_key(|sample| sample.0);
        Self { labels: row.metric, samples }
    }
}

impl From<Groups> for Vec<Rule> {
    fn from(Groups { groups }: Groups) -> Self {
        let rules = groups.into_iter().flat_map(|group| {
            let rule = move |rule: Loaded| Rule {
                name: rule.name,
                alerting: rule.kind == Kind::Alerting,
                group: group.name.clone(),
                query: rule.query,
                interval_ms: millis(group.interval),
                for_ms: millis(rule.duration),
                keep_firing_for_ms: millis(rule.keep_firing_for),
                labels: rule.labels,
                annotations: rule.annotations,
                last_error: rule.last_error,
            };
            group.rules.into_iter().map(rule)
        });
        rules.collect()
    }
}

/// The part of `/api/v1/targets` that is read.
#[derive(Deserialize)]
pub(super) struct Targets {
    #[serde(rename = "activeTargets")]
    pub(super) active: Vec<Target>,
}

#[derive(Deserialize)]
pub(super) struct Target {
    pub(super) labels: Labels,
    #[serde(rename = "scrapeInterval")]
    pub(super) interval: String,
}

/// The part of `/api/v1/rules` that is read.
#[derive(Deserialize)]
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
}

#[derive(Deserialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) interval: f64,
    pub(super) rules: Vec<Loaded>,
}

#[derive(Deserialize)]
pub(super) struct Loaded {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) query: String,
    #[serde(default)]
    pub(super) duration: f64,
    #[serde(default, rename = "keepFiringFor")]
    pub(super) keep_firing_for: f64,
    #[serde(default)]
    pub(super) labels: Labels,
    #[serde(default)]
    pub(super) annotations: Labels,
    #[serde(default, rename = "lastError")]
    pub(super) last_error: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Alerting,
    Recording,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no rule waits for 500 million years"
)]
fn millis(seconds: f64) -> u64 {
    (seconds * 1_000.0).round() as u64
}
