//! The service: misbehaves on request, in a known way, and measures itself by the book.
//!
//! Reading order: [`Service`] stands on the [`firedrill_server`], which hands it each request; the
//! request goes to its path (`route`). `work` takes a `place`, does what it asks, with `burden` for
//! CPU time and memory on the threads of `background`, and answers with a `body`. `telemetry` names every metric; `openapi` and `page` describe all
//! of it.

mod background;
mod body;
mod burden;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod openapi;
mod page;
mod place;
mod route;
mod telemetry;
mod work;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;

use background::Background;
use burden::MemoryBudget;
use firedrill_contract::{Caps, OpenTo, Size, Token, Workloads};
use firedrill_server::lifecycle::Lifecycle;
use firedrill_server::route::Routes;
use firedrill_server::telemetry::Workload;
use firedrill_server::{self as server, Handle, Server};
use page::Page;
pub use page::{MalformedLink, PageLink};
use telemetry::Telemetry;

/// Everything that a service can be told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every server is told.
    pub server: server::Config,
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
    /// A request's body.
    pub max_request_body: Size,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// Where else to look, on the page.
    pub links: Vec<PageLink>,
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
    page: Page,
    /// What `/openapi.json` answers.
    openapi: Bytes,
}

impl Shared {
    /// The seed and number of the next request that brings none.
    fn next_draw(&self) -> (u64, u64) {
        (self.config.seed, self.draws.fetch_add(1, Relaxed))
    }
}

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such address to be had.
    #[error(transparent)]
    Listen(#[from] server::ListenError),
    /// The system granted no thread.
    #[error("cannot start {0} threads that burn CPU time: {1}; ask for fewer with --cpu-threads")]
    Threads(u16, io::Error),
    /// One request may ask for more than all together may have.
    #[error(
        "one request may hold {one} of memory and all together {all}; make --max-memory smaller or --max-memory-total larger"
    )]
    Memory {
        /// The cap of one request.
        one: Size,
        /// The bound of all.
        all: Size,
    },
}

/// A service that listens and has not yet begun to serve.
pub struct Service {
    server: Server,
    shared: Arc<Shared>,
}

impl Service {
    /// Takes the address and everything else that can fail.
    ///
    /// # Errors
    /// Each with what to do about it; see [`StartError`].
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        if config.caps.memory > config.max_memory_total {
            return Err(StartError::Memory { one: config.caps.memory, all: config.max_memory_total });
        }
        let threads = config.cpu_threads;
        let background = Background::start(threads).map_err(|error| StartError::Threads(threads, error))?;
        let telemetry = Telemetry::new(&config);
        let named = telemetry.workloads.clone();
        let routes = Routes::new(&route::SERVED, move |route, query| {
            Some(if route == route::WORK { named.of_query(query) } else { Workload::NONE })
        });
        let server = Server::bind(config.server.clone(), routes, telemetry.server.clone()).await?;
        let page = Page::new(&config);
        let shared = Arc::new(Shared {
            telemetry,
            lifecycle: server.lifecycle(),
            background,
            memory: Arc::new(MemoryBudget::new(config.max_memory_total)),
            places: Arc::new(Semaphore::new(config.max_work.into())),
            draws: AtomicU64::new(0),
            openapi: openapi::document(&config.caps, &config.open, page.names()),
            page,
            config,
        });
        Ok(Self { server, shared })
    }

    /// The address that the service listens on, with the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What ends the service from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.server.handle()
    }

    /// Serves until it is told to end, and returns the exit code: 0, what a request asked for, or 2 where it
    /// could not listen again after an outage.
    pub async fn run(self) -> u8 {
        self.server.run(self.shared).await
    }
}
