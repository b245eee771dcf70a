//! What a service is told at its start.

use std::time::Duration;

use firedrill_contract::{Caps, OpenTo, Size, Token, Workloads};

use super::page_link::PageLink;

#[derive(Debug, Clone)]
pub struct Config {
    pub server: firedrill_server::Config,
    /// What costly work needs; without it everything is open to everybody.
    pub token: Option<Token>,
    /// The values of the `workload` label.
    pub workloads: Workloads,
    /// What requests without a seed of their own draw from.
    pub seed: u64,
    /// The most that one request may ask for.
    pub caps: Caps,
    /// The most that a request may ask for without the token.
    pub open: OpenTo,
    /// Requests for work at a time.
    pub max_work: u16,
    /// Threads that burn CPU time.
    pub cpu_threads: u16,
    /// Memory held on purpose at a time, over all requests.
    pub max_memory_total: Size,
    pub max_request_body: Size,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// Where else to look, on the page.
    pub links: Vec<PageLink>,
}
