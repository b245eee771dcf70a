//! Time series as Prometheus has them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number;
use firedrill_contract::Time;

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
