//! A command that serves HTTP, on a port of its own.

use std::net::SocketAddr;

use rustix::process::Signal;

use crate::support::client::{Answer, Client};
use crate::support::process::{Ended, Process, within};
use crate::support::scrape::Scrape;

/// A running `firedrill` that serves.
pub(crate) struct Serving {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Serving {
    pub(crate) async fn start_with(command: &str, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_on("127.0.0.1:0", command, flags, variables).await
    }

    /// The same, at this address.
    pub(crate) async fn start_on(
        listen: &str,
        command: &str,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let arguments = [&[command, "--listen", listen], flags].concat();
        let mut process = Process::start_with(&arguments, variables);
        let address = process.listening().await;
        Self { process, address }
    }

    /// Where a browser finds it, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
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
    pub(crate) async fn scrape_until(&self, what: &str, holds: impl Fn(&Scrape) -> bool) -> Scrape {
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

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    pub(crate) async fn ended(self) -> Ended {
        self.process.ended().await
    }
}
