//! What a server is told at its start.

use std::time::Duration;

use firedrill_contract::Size;

#[derive(Debug, Clone)]
pub struct Config {
    /// Port 0 lets the system choose one.
    pub listen: String,
    /// Connections at a time.
    pub max_connections: u16,
    /// A request's line and headers together.
    pub max_header: Size,
    pub timeouts: Timeouts,
    /// From being told to end until no new connection is accepted.
    pub drain: Duration,
    /// From then until requests in flight are given up.
    pub grace: Duration,
    pub log_requests: bool,
    /// Whether requests are counted, timed and logged. Only what measures the cost of that turns it off.
    pub count_requests: bool,
}

/// How long a client may take for everything but a request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// For a request's head, from its first byte.
    pub header: Duration,
    /// For the next request to begin.
    pub idle: Duration,
    /// To read any part of an answer that waits for it.
    pub write: Duration,
}
