//! A running `firedrill serve`.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

use crate::support::process::Ended;
use crate::support::scrape::Scrape;
use crate::support::serving::Serving;

/// A running service on a port of its own.
pub(crate) struct Service(Serving);

impl Deref for Service {
    type Target = Serving;

    fn deref(&self) -> &Serving {
        &self.0
    }
}

impl DerefMut for Service {
    fn deref_mut(&mut self) -> &mut Serving {
        &mut self.0
    }
}

impl Service {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, &[]).await
    }

    pub(crate) async fn start_with(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self(Serving::start_with("serve", flags, variables).await)
    }

    /// One where another was before.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        Self(Serving::start_on(&address.to_string(), "serve", &[], &[]).await)
    }

    /// Waits until so many requests to `/work` have ended and nothing is in flight or held any more.
    pub(crate) async fn counted(&self, requests: f64) -> Scrape {
        let scrape = self
            .scrape_until(&format!("{requests} requests and nothing in flight"), |scrape| {
                // The scrape itself is being served.
                scrape.works(&[]) >= requests
                    && scrape.sum("http_server_active_requests", &[]) == 1.0
                    && scrape.sum("firedrill_work_in_flight", &[]) == 0.0
                    && scrape.sum("firedrill_memory_held_bytes", &[]) == 0.0
            })
            .await;
        assert_eq!(scrape.works(&[]), requests, "each request is counted once");
        scrape
    }

    /// Waits until so many requests for work are in flight.
    pub(crate) async fn in_flight(&self, requests: f64) {
        self.scrape_until(&format!("{requests} in flight"), |scrape| {
            scrape.sum("firedrill_work_in_flight", &[]) == requests
        })
        .await;
    }

    pub(crate) async fn ended(self) -> Ended {
        self.0.ended().await
    }
}
