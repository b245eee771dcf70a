//! What the drill finds where monitoring keeps it.

mod alertmanager;
mod hours;
mod prometheus;

use std::sync::Arc;
use std::time::Duration;

use firedrill_contract::Time;
use firedrill_drill::evidence::{Collector, Now, Sources};
use firedrill_drill::question::Questions;
use firedrill_net::{Client, Target};

const POLL_INTERVAL: Duration = Duration::from_millis(200);

fn client(url: &str) -> Client {
    Client::new(Target::parse(url).unwrap(), None)
}

fn clock() -> Now {
    Arc::new(now)
}

fn now() -> Time {
    jiff::Timestamp::now().into()
}

/// A collector that watches these sources, each of which is there.
async fn collector(sources: &Sources, questions: &Questions) -> Collector {
    let mut collector = Collector::new(sources, questions, POLL_INTERVAL, clock()).unwrap();
    collector.preflight().await.unwrap();
    collector.watch();
    collector
}
