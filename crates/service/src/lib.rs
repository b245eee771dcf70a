//! The service: misbehaves on request, in a known way, and measures itself by the book.
//!
//! Reading order: [`Service`] stands on the [`firedrill_server`], which hands each request to the `program` with the
//! `state` that all of them share. `work` takes a `permit`, waits, burns `cpu` time and holds `memory` on the threads
//! of `background`, and answers with a `body`. `telemetry` names every metric; `openapi` and `page` describe all of it.

mod background;
mod body;
mod config;
mod cpu;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod memory;
mod openapi;
mod page;
mod page_link;
mod permit;
mod program;
mod route;
mod state;
mod telemetry;
mod work;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use firedrill_contract::Size;
use firedrill_server::{Handle, ListenError, Server};
use firedrill_timer::TimerQueue;

use background::Background;
pub use config::Config;
pub use page_link::{MalformedLink, PageLink};
use state::State;
use telemetry::Telemetry;

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("cannot create a timer: {0}: raise the limit of open files")]
    Timer(io::Error),
    #[error("cannot start {0} threads that burn CPU time: {1}: ask for fewer with --cpu-threads")]
    Threads(u16, io::Error),
    #[error(
        "one request may hold {one} of memory and all together {all}: lower --max-memory or raise --max-memory-total"
    )]
    Memory { one: Size, all: Size },
}

/// A service that listens and has not yet begun to serve.
pub struct Service {
    server: Server,
    state: Arc<State>,
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
        let timers = TimerQueue::start().map_err(StartError::Timer)?;
        let others = route::SERVED.into_iter().filter(|route| *route != route::WORK);
        let telemetry = Telemetry::new(&config, route::WORK, others);
        let server = Server::bind(config.server.clone(), telemetry.server.clone()).await?;
        let state = State::new(config, telemetry, server.lifecycle(), background, timers);
        Ok(Self { server, state: Arc::new(state) })
    }

    /// The address that the service listens on, with the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Ends the service from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.server.handle()
    }

    /// Serves until it is told to end, and returns the exit code: 0, what a request asked for, or 2 where it
    /// could not listen again after an outage.
    pub async fn run(self) -> u8 {
        self.server.run(self.state).await
    }
}
