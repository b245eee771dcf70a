//! The HTTP server below every command that serves: bounded, measured, and ending well.
//!
//! Reading order: [`Server`] takes an address, stops listening for an `outage`, and ends well ([`lifecycle`]).
//! `accept` serves connections within bounds, each with its deadlines (`connection`). A [`request`] is counted once,
//! however it ends (`measure`), under one of the program's own paths ([`route`]), and goes to the [`Program`], which
//! makes an [`answer`] or a [`problem`]. [`outcome`] is what it counts as, [`telemetry`] names the metrics that every
//! server has, [`exposition`] writes them. `host` rejects requests that do not say which host they are for,
//! [`request_body`] reads JSON, and [`endpoint`] has what every server answers.

mod accept;
pub mod answer;
mod config;
mod connection;
mod core;
pub mod endpoint;
pub mod exposition;
mod host;
pub mod lifecycle;
pub mod link;
mod measure;
mod outage;
pub mod outcome;
pub mod problem;
mod program;
pub mod request;
pub mod request_body;
pub mod route;
mod series;
pub mod telemetry;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use accept::Acceptor;
pub use config::{Config, Timeouts};
use core::Core;
use lifecycle::{Lifecycle, Phase};
use outage::{AddressLost, listen_again};
pub use program::Program;
pub use telemetry::BUCKETS;
use telemetry::Telemetry;

/// The exit code of a server that could not listen again after an outage.
const CANNOT_LISTEN_AGAIN: u8 = 2;

/// The address is in use, not this machine's, or not an address.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}; give another address with --listen, such as 127.0.0.1:8081")]
pub struct ListenError {
    address: String,
    error: io::Error,
}

/// A server that listens and has not yet begun to serve.
pub struct Server {
    listener: TcpListener,
    /// Where it listens, and will again after an outage.
    address: SocketAddr,
    core: Arc<Core>,
}

/// Tells a running server to end. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Lifecycle);

impl Handle {
    /// Drains, then finishes what is in flight, then ends. Again: ends at once.
    pub fn terminate(&self) {
        self.end(Phase::Draining);
    }

    /// Finishes what is in flight and ends, without draining first. Again: ends at once.
    pub fn interrupt(&self) {
        self.end(Phase::Finishing);
    }

    /// Ends on signals from here on: SIGTERM drains first, Ctrl-C does not; the second of either ends at
    /// once.
    ///
    /// # Errors
    /// Where the system does not let the signals be handled.
    pub fn end_on_signals(self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => self.terminate(),
                    _ = interrupt.recv() => self.interrupt(),
                }
            }
        });
        Ok(())
    }

    fn end(&self, phase: Phase) {
        self.0.advance(if self.0.phase() == Phase::Serving { phase } else { Phase::Cutting });
    }
}

impl Server {
    /// Takes the address.
    pub async fn bind(config: Config, telemetry: Telemetry) -> Result<Self, ListenError> {
        let refused = |error| ListenError { address: config.listen.clone(), error };
        let listener = TcpListener::bind(&config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let core = Core { config, telemetry, lifecycle: Lifecycle::new() };
        Ok(Self { listener, address, core: Arc::new(core) })
    }

    /// The address that the server listens on, with the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How far the server has come; for what it answers at `/ready`, among others.
    pub fn lifecycle(&self) -> Lifecycle {
        self.core.lifecycle.clone()
    }

    /// What ends the server from elsewhere.
    pub fn handle(&self) -> Handle {
        Handle(self.lifecycle())
    }

    /// Serves until it is told to end, and returns the exit code: 0, what a request asked for, or 2 where it
    /// could not listen again after an outage.
    pub async fn run(self, program: Arc<impl Program>) -> u8 {
        let lifecycle = self.lifecycle();
        let code = tokio::select! {
            _ = lifecycle.reached(Phase::Crashing(0)) => 0,
            code = self.serve_and_end(program) => code,
        };
        match lifecycle.phase() {
            Phase::Crashing(code) => code,
            Phase::Serving | Phase::Draining | Phase::Finishing | Phase::Cutting => code,
        }
    }

    async fn serve_and_end(self, program: Arc<impl Program>) -> u8 {
        let Self { listener, address, core } = self;
        let (config, lifecycle) = (&core.config, &core.lifecycle);
        let acceptor = Acceptor::new(program, Arc::clone(&core));
        let listened = listen(&acceptor, &core, listener, address).await;
        lifecycle.advance(Phase::Finishing);
        tracing::info!(seconds = config.grace.as_secs_f64(), "finishing what is in flight");
        let code = match listened {
            Ok(Some(listener)) => {
                acceptor.accept_backlog(listener);
                0
            }
            Ok(None) => 0,
            Err(lost) => {
                tracing::error!("{lost}");
                CANNOT_LISTEN_AGAIN
            }
        };
        let finished = async {
            tokio::select! {
                () = acceptor.idle() => true,
                _ = lifecycle.reached(Phase::Cutting) => false,
            }
        };
        if !timeout(config.grace, finished).await.unwrap_or(false) {
            lifecycle.advance(Phase::Cutting);
            // Every connection sees that at its next step and counts what it gives up.
            let _ = timeout(Duration::from_secs(1), acceptor.idle()).await;
            tracing::warn!("gave up what was still in flight");
        }
        code
    }
}

/// Accepts connections, with a break for each outage, until it is time to finish; then the listener, unless
/// there is an outage.
async fn listen(
    acceptor: &Acceptor<impl Program>,
    core: &Core,
    mut listener: TcpListener,
    address: SocketAddr,
) -> Result<Option<TcpListener>, AddressLost> {
    let lifecycle = &core.lifecycle;
    loop {
        tokio::select! {
            () = acceptor.accept(&listener) => {}
            () = drained(core) => return Ok(Some(listener)),
            () = lifecycle.outage_asked() => {}
        }
        acceptor.accept_backlog(listener);
        lifecycle.begin_outage();
        tracing::warn!("nobody is answered until the outage is over");
        let back = async {
            lifecycle.outage_over().await;
            listen_again(address).await
        };
        listener = tokio::select! {
            back = back => back?,
            // Nobody can come any more who would have to be told to go elsewhere.
            _ = lifecycle.reached(Phase::Draining) => return Ok(None),
        };
    }
}

/// Waits for the end of the drain.
async fn drained(core: &Core) {
    let drain = core.config.drain;
    if core.lifecycle.reached(Phase::Draining).await == Phase::Draining {
        tracing::info!(seconds = drain.as_secs_f64(), "draining");
        let _ = timeout(drain, core.lifecycle.reached(Phase::Finishing)).await;
    }
}
