//! The other side: where nothing is broken, everything holds, whatever the seed, the rate and the latency.
//!
//! Latencies are long and far from the edge of the objective, so that what many drills at a time on one machine add
//! to them stays within the tolerances.

use futures_util::stream::{self, StreamExt as _};

use super::shipped::Shipped;
use super::stack::{Drilled, Stack};
use crate::support::directory::Directory;
use crate::support::process::Process;
use crate::support::serving::Serving;

/// Drills that can go beside one another.
const DRILLS: [&str; 5] = ["errors", "latency", "notification", "quiet", "smoke"];

/// How many drills without Prometheus go at a time.
const AT_A_TIME: usize = 3;

/// All of them in one stack, with this seed, this latency and so many requests a second.
async fn all(seed: u64, latency: &str, rate: u32) {
    let varied = |shipped: Shipped, file: &&str| {
        let file = format!("drills/{file}.yaml");
        shipped.with(&file, "p50=20ms,p99=120ms", latency).with(
            &file,
            "rate: 20/s",
            &format!("rate: {rate}/s"),
        )
    };
    let shipped = ["errors", "latency", "smoke"].iter().fold(Shipped::copy().with_panels(), varied);
    Stack::start(shipped).await.begin_with(&DRILLS, seed, &[]).ended().await.pass();
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn five_drills_as_many_requests_as_they_ship_with() {
    all(3, "uniform(150ms,250ms)", 20).await;
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn five_drills_slower_and_with_fewer_requests() {
    all(11, "uniform(200ms,300ms)", 12).await;
}

#[tokio::test]
#[ignore = "takes two minutes"]
async fn twelve_without_prometheus() {
    let shapes = [("uniform(400ms,600ms)", 40), ("uniform(300ms,1s)", 25), ("normal(700ms,100ms)", 15)];
    let runs = (1..=4).flat_map(|seed| shapes.map(|(latency, rate)| embedded(seed, latency, rate)));
    let runs: Vec<_> = stream::iter(runs).buffered(AT_A_TIME).collect().await;
    assert_eq!(runs.len(), 12);
    runs.iter().for_each(Drilled::pass);
}

/// The drill that comes with the program, varied, against a service of its own.
async fn embedded(seed: u64, latency: &str, rate: u32) -> Drilled {
    const FILE: &str = "drills/embedded.yaml";
    let directory = Directory::new("honest");
    let rate = format!("rate: {rate}/s");
    Shipped::copy()
        .with(FILE, "p50=20ms,p99=120ms", latency)
        .with(FILE, "rate: 40/s", &rate)
        .write(&directory);
    let service = Serving::start_with("serve", &[], &[]).await;
    let (target, seed) = (format!("http://{}", service.address), seed.to_string());
    let arguments = ["drill", FILE, "--target", &target, "--seed", &seed];
    Drilled::of(Process::start_in(directory.path(), &arguments, &[])).await
}
