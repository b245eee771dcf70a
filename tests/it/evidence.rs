//! What the drill finds where monitoring keeps it.

mod alertmanager;
mod prometheus;

use std::sync::Arc;
use std::time::Duration;

use firedrill_contract::Time;
use firedrill_drill::evidence::{Collector, Now, Sources};
use firedrill_drill::question::Questions;
use firedrill_net::Client;
use firedrill_net::Target;

/// How often what forgets is looked at.
const EVERY: Duration = Duration::from_millis(200);

fn client(url: &str) -> Client {
    Client::new(Target::parse(url).unwrap(), None)
}

fn clock() -> Now {
    Arc::new(now)
}

fn now() -> Time {
    jiff::Timestamp::now().into()
}

fn collector(sources: Sources, questions: &Questions) -> Collector {
    sources.start(questions, EVERY, clock()).unwrap()
}
