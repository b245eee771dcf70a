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
pub(crate) mod clock;
mod collector;
mod exposition;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod history;
mod number;
mod pager;
mod panels;
mod prometheus;
mod reply;
pub(crate) mod series;
mod service;
mod source;
mod watched;

pub use alertmanager::{Alertmanager, AlertmanagerAlert, FailedNotifications, Unseen};
pub use clock::Clock;
pub use collector::Collector;
pub use history::{AlertHistory, AlertInstance, AlertSpan, AlertState, StateChange};
pub use pager::{Page, Pager};
pub use panels::Panel;
pub use prometheus::{Answer, Comparison, Explained, Extent, Prometheus, QueryResult, Rule, Selector, Value};
pub use reply::Reply;
pub use series::{Labels, Sample, Selected, Series};
pub use service::{Exposed, Scrape};
pub use source::{LOOKBACK, NoSource, Now, Sources};

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
