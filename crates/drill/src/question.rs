//! What the drill asks of monitoring, so that those who collect evidence and the judge agree on it.

use super::evidence::series::Labels;
use firedrill_contract::Time;

/// All that is to be asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Questions {
    /// Selectors whose raw samples are wanted, from before the drill to now.
    pub selectors: Vec<String>,
    /// Queries, each for one moment.
    pub queries: Vec<Instant>,
    /// Dashboards whose panels are to be asked.
    pub panels: Vec<Dashboards>,
}

/// A query about one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Instant {
    /// PromQL, its variables replaced.
    pub query: String,
    /// The moment.
    pub at: Time,
}

/// An expression to take apart over a time, because what it gave is not what was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    /// PromQL.
    pub expression: String,
    /// The labels of the series in its result that it is about, where there are such; none for all of them.
    pub labels: Labels,
    /// From when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// Dashboards of one expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dashboards {
    /// Which expectation wants them.
    pub expectation: usize,
    /// Files by pattern, or `grafana`.
    pub from: Vec<String>,
    /// Titles of panels to leave out.
    pub except: Vec<String>,
    /// Values of variables, by name.
    pub variables: Vec<(String, String)>,
}
