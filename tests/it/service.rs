//! `firedrill serve`, from outside.

mod bounds;
mod counts;
mod ends;
mod starts;
mod work;

use std::net::SocketAddr;

use rustix::process::Signal;

use crate::client::{Answer, Client};
use crate::process::{Ended, Process, within};
use crate::scrape::Scrape;

/// A running service on a port of its own.
pub(crate) struct Service {
    process: Process,
    pub(crate) address: SocketAddr,
}

impl Service {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, &[]).await
    }

    pub(crate) async fn start_with(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], flags].concat();
        let mut process = Process::start_with(&arguments, variables);
        let address = process.listening().await;
        Self { process, address }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.connect().await.request("GET", target).await
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        let answer = self.get("/metrics").await;
        assert_eq!(answer.status, 200);
        Scrape::parse(&answer.text())
    }

    /// Scrapes until this holds; what was scraped then.
    async fn scrape_until(&self, what: &str, holds: impl Fn(&Scrape) -> bool) -> Scrape {
        let until = async {
            loop {
                let scrape = self.scrape().await;
                if holds(&scrape) {
                    return scrape;
                }
            }
        };
        within(until, what).await
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

    fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    async fn ended(self) -> Ended {
        self.process.ended().await
    }
}
