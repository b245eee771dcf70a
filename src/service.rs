//! The service: misbehaves on request, in a known way, and measures itself by the book.
//!
//! Reading order: [`Service`] takes connections and ends well (`lifecycle`); each connection has its
//! deadlines (`connection`); each request on it is counted once, however it ends (`measure`), and
//! goes to its path (`route`). `work` does what a request asks, with `intake` for its body, `burden`
//! for CPU time and memory on the threads of `background`.
//! `telemetry` names every metric, `exposition` writes them. Errors are `problem`s; `openapi` and
//! `page` describe all of it.

mod background;
mod burden;
mod connection;
mod exposition;
mod intake;
mod lifecycle;
mod measure;
mod openapi;
mod page;
mod problem;
mod route;
mod server;
mod telemetry;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::contract::{Caps, OpenTo, Size, Token, Workloads};
use background::Background;
use burden::MemoryBudget;
pub use connection::Patience;
use lifecycle::Lifecycle;
pub use server::{Handle, Service, StartError};
pub use telemetry::BUCKETS;
use telemetry::Telemetry;

/// Everything that a service can be told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; port 0 lets the system choose.
    pub listen: String,
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
    /// Connections at a time.
    pub max_connections: u16,
    /// A request's line and headers together.
    pub max_header: Size,
    /// A request's body.
    pub max_request_body: Size,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// How long a client may take for everything else.
    pub patience: Patience,
    /// From being told to end until no new connection is taken.
    pub drain: Duration,
    /// From then until requests in flight are given up.
    pub grace: Duration,
    /// Whether each request is worth a log line.
    pub log_requests: bool,
}

/// What the requests of one service share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) telemetry: Telemetry,
    lifecycle: Lifecycle,
    background: Background,
    memory: Arc<MemoryBudget>,
    places: Arc<Semaphore>,
    draws: AtomicU64,
}

impl Shared {
    /// The seed and number of the next request that brings none.
    fn next_draw(&self) -> (u64, u64) {
        (self.config.seed, self.draws.fetch_add(1, Relaxed))
    }
}
