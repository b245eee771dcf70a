//! What monitoring knew, raw and with its time, before anything is judged.
//!
//! [`Evidence`] is plain data: it is written to the run file, and the judge reads nothing else of the
//! world. What could not be had stays in it as [`Reply::Missing`] with the reason, never as an empty
//! answer.
//!
//! Reading order: `source` is what each source of evidence does, and the list below names them all. The `collector`
//! asks them: before the load, all the time, while the drill waits, and once at the end. `exposition` reads what a
//! service exposes. `history` is what alerts did, whichever source knows it.

mod alertmanager;
mod clock;
mod collector;
mod exposition;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod history;
mod number;
mod pager;
mod panels;
mod prometheus;
mod service;
mod source;
mod watched;

pub use alertmanager::{Alertmanager, AlertmanagerAlert, FailedNotifications, Unseen};
pub use clock::Clock;
pub use collector::{Collector, NoSource, Sources};
pub use history::{AlertHistory, AlertInstance, AlertSpan, AlertState, StateChange};
pub use pager::{Page, Pager};
pub use panels::Panel;
pub use prometheus::{Answer, Comparison, Explained, Extent, Prometheus, QueryResult, Rule, Selector, Value};
pub use service::{Exposed, Scrape};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::question::Explain;
use firedrill_contract::Time;

source::sources! {
    /// What Prometheus knows.
    prometheus: Prometheus = prometheus::Backend,
    /// What Alertmanager had, looked at again and again while the drill ran.
    alertmanager: Alertmanager = alertmanager::Backend,
    /// What rang at the pager.
    pager: Pager = pager::Backend,
    /// What the panels of dashboards show, by expectation.
    panels: Vec<Panel> = panels::Backend,
    /// What the service itself exposes, scraped by the drill.
    service: Exposed = service::Backend,
}

/// What came of asking one source of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Source_of_{T}")]
pub enum Reply<T> {
    /// The drill was not told where it is.
    NotAsked,
    /// It was asked and gave no usable answer: why.
    Missing(String),
    /// What it knows.
    #[serde(rename = "said")]
    Received(T),
}

impl<T> Reply<T> {
    /// The evidence, where there is some.
    #[must_use]
    pub const fn received(&self) -> Option<&T> {
        match self {
            Self::Received(evidence) => Some(evidence),
            Self::NotAsked | Self::Missing(_) => None,
        }
    }

    /// The same of what is made of it.
    #[must_use]
    pub fn map<U>(&self, make: impl FnOnce(&T) -> U) -> Reply<U> {
        match self {
            Self::NotAsked => Reply::NotAsked,
            Self::Missing(why) => Reply::Missing(why.clone()),
            Self::Received(evidence) => Reply::Received(make(evidence)),
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
/// The drill's clock.
pub type Now = Arc<dyn Fn() -> Time + Send + Sync>;

/// How long before the drill evidence begins: what fired before it, and at what counters stood.
pub const LOOKBACK: Duration = Duration::from_secs(300);
