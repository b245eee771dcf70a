//! Evidence that is cut off: no evidence of a lie, and none of the truth.

use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use super::shipped::{PROMETHEUS, Shipped};
use super::stack::Stack;

/// How long nothing is scraped: many times the interval.
const GAP: Duration = Duration::from_secs(20);

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_prometheus_that_stops_meanwhile() {
    let stack = Stack::start(Shipped::copy()).await;
    let mut drill = stack.begin(&["errors"]);
    drill.says("burning").await;
    stack.prometheus.signal(Signal::KILL);
    drill.ended().await.inconclusive("Prometheus gave no evidence");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn scrapes_that_are_missing_while_the_cause_is_there() {
    let stack = Stack::start(Shipped::copy()).await;
    let mut drill = stack.begin(&["errors"]);
    drill.says("burning").await;
    stack.prometheus.signal(Signal::STOP);
    sleep(GAP).await;
    stack.prometheus.signal(Signal::CONT);
    drill.ended().await.inconclusive("nothing was scraped for");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn no_alerting_rules() {
    let none = Shipped::copy().with(PROMETHEUS, "rules/*.yml", "rules/*.yaml");
    none.drilled("errors")
        .await
        .inconclusive("Prometheus has no alerting rules loaded: look at its rule_files");
}

#[tokio::test]
#[ignore = "needs Prometheus, Alertmanager and libfaketime, takes minutes"]
async fn a_clock_that_is_off_by_a_minute() {
    let stack = Stack::start(Shipped::copy()).await;
    let library = libfaketime();
    let variables = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME", "+60s"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let drilled = stack.begin_with(&["notification"], 7, &variables).ended().await;
    drilled.inconclusive("behind the drill's: set both by NTP, or times cannot be compared");
}

/// Where Debian has it, for whatever processor this is.
pub(crate) fn libfaketime() -> PathBuf {
    let libraries = std::fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let mut found = libraries.map(|path| path.join("faketime/libfaketime.so.1")).filter(|path| path.exists());
    found.next().expect("libfaketime is installed")
}
