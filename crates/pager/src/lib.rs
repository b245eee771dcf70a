//! The pager: the end of the chain, so that delivery of an alert is proven and not assumed.
//!
//! Reading order: `webhook` is what Alertmanager posts, which `receive` reads and records; `store` makes pages of it
//! and keeps the last ones; `heartbeat` is the dead man's switch. [`Pager`] stands on the [`firedrill_server`], which
//! hands each request to the `program` with the `state` that all of them share: notifications in, and out again as
//! JSON (`pages` by a `filter`), as a `stream`, and as a `page` for people. `telemetry` names every metric.
//!
//! Everything is in memory and bounded; a restart loses that and no more, and every answer says since
//! when the pager has listened.

mod config;
mod filter;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod heartbeat;
mod page;
mod pages;
mod program;
mod receive;
mod route;
mod state;
mod store;
mod stream;
mod telemetry;
mod webhook;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use firedrill_server::{Handle, ListenError, Server};
use tokio::time::sleep_until;

pub use config::Config;
use heartbeat::Heartbeat;
use state::State;
use telemetry::Telemetry;

/// A pager that listens and has not yet begun to serve.
pub struct Pager {
    server: Server,
    state: Arc<State>,
}

impl Pager {
    /// Takes the address.
    ///
    /// # Errors
    /// Where it cannot be had, with what to do about it.
    pub async fn bind(config: Config) -> Result<Self, ListenError> {
        let heartbeat = config.heartbeat.clone().map(|(alertname, timeout)| {
            Arc::new(Mutex::new(Heartbeat::new(alertname, timeout, Instant::now())))
        });
        let telemetry = Telemetry::new(&config, heartbeat.clone());
        let server = Server::bind(config.server.clone(), telemetry.server.clone()).await?;
        let state = State::new(config, telemetry, server.lifecycle(), heartbeat);
        Ok(Self { server, state: Arc::new(state) })
    }

    /// The address that the pager listens on, with the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Ends the pager from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.server.handle()
    }

    /// Serves until it is told to end, and returns the exit code, which is 0.
    pub async fn run(self) -> u8 {
        tokio::select! {
            code = self.server.run(Arc::clone(&self.state)) => code,
            never = watch_heartbeat(&self.state) => match never {},
        }
    }
}

/// Logs when the heartbeat stops and when it is back.
async fn watch_heartbeat(state: &State) -> std::convert::Infallible {
    let mut stopped = false;
    loop {
        let Some((now_stopped, description, deadline)) = state.heartbeat().map(|heartbeat| {
            let now = Instant::now();
            (heartbeat.state(now).has_stopped(), heartbeat.describe(now), heartbeat.deadline())
        }) else {
            return std::future::pending().await;
        };
        if now_stopped && !stopped {
            tracing::error!(detail = description, "the heartbeat has stopped");
        } else if stopped && !now_stopped {
            tracing::info!(detail = description, "the heartbeat is back");
        }
        stopped = now_stopped;
        tokio::select! {
            () = state.beat.notified() => {}
            // Just past it, since at the deadline itself it is not yet late.
            () = sleep_until((deadline + Duration::from_millis(1)).into()), if !stopped => {}
        }
    }
}
