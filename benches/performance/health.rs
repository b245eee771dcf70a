//! What counting each request costs: `/health` of the service, against the same service that counts nothing,
//! and against bare servers.
//!
//! All serve the same number of connections on the same core, in turns within one run, so that what disturbs one
//! disturbs the others. Their throughput is how many requests one second of that core's time serves: what a
//! core does that has nothing else to do. What the clients saw by the clock is shown beside it, and is less
//! where the clients are the limit, or others have turns on the cores.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::bare;
use crate::core::Core;
use crate::instrumented;
use crate::keep_alive::get;
use crate::quartiles::{median, quartiles};
use crate::traffic::Traffic;
use crate::verdict;

/// The least share of the throughput of bare hyper.
const ASKED_OF_BARE: f64 = 0.80;
/// The least share of the throughput of the same service that counts nothing.
const ASKED_OF_UNCOUNTED: f64 = 0.95;
const CONNECTIONS: usize = 32;

const SERVERS: usize = 4;
const NAMES: [&str; SERVERS] = ["bare hyper", "bare axum", "the service, counting nothing", "the service"];
const HYPER: usize = 0;
const AXUM: usize = 1;
const UNCOUNTED: usize = 2;
const SERVICE: usize = 3;

/// What one turn measured.
#[derive(Clone, Copy, Default)]
struct Turn {
    /// Requests per second of the server's CPU time.
    throughput: f64,
    /// Requests per second of the clock.
    seen: f64,
}

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let (server, clients) = (Core::start(0), Core::start(1));
    // Else the faster server pays less: it finds its clients awake more often.
    clients.never_sleep();
    let addresses: [SocketAddr; SERVERS] = [
        bare::hyper(&server),
        bare::axum(&server),
        instrumented::start_uncounted(&server),
        instrumented::start(&server, instrumented::workloads()),
    ];
    let mut traffic = addresses.map(|address| Traffic::open(&clients, address, CONNECTIONS));
    // Short turns: what disturbs a machine mostly lasts longer than a round of them.
    let (rounds, length) =
        if measure { (100, Duration::from_millis(100)) } else { (1, Duration::from_millis(10)) };
    let mut turns = Vec::new();
    for round in 0..=rounds {
        let mut turn = [Turn::default(); SERVERS];
        // Each goes first as often as the others.
        for which in (0..SERVERS).map(|n| (n + round) % SERVERS) {
            turn[which] = ask(&server, &mut traffic[which], length);
        }
        // The first round only warms up.
        if round > 0 {
            turns.push(turn);
        }
    }
    println!(
        "GET /health, {CONNECTIONS} connections kept, one core serves, {rounds} rounds of {length:?} turns"
    );
    println!("  {:<32} requests a second of CPU time    of the clock", "");
    for (which, name) in NAMES.into_iter().enumerate() {
        let throughput = median(turns.iter().map(|turn| turn[which].throughput));
        let seen = median(turns.iter().map(|turn| turn[which].seen));
        println!("  {name:<32} {throughput:>28.0} {seen:>15.0}");
    }
    let ratio = |to: usize| {
        let ratios = turns.iter().map(|turn| turn[SERVICE].throughput / turn[to].throughput);
        let [low, ratio, high] = quartiles(ratios);
        (ratio, format!("ratio to {} {ratio:.3}, half of the rounds from {low:.3} to {high:.3}", NAMES[to]))
    };
    println!("  {}", ratio(AXUM).1);
    let judge = |to, asked| {
        let (ratio, figure) = ratio(to);
        verdict::print(measure, figure, format!("at least {asked:.2}"), ratio >= asked);
        ratio >= asked
    };
    judge(HYPER, ASKED_OF_BARE) & judge(UNCOUNTED, ASKED_OF_UNCOUNTED)
}

fn ask(server: &Core, traffic: &mut Traffic<'_>, length: Duration) -> Turn {
    let request = Arc::new([get("/health", "")]) as Arc<[_]>;
    let spent = server.spent();
    let asked = traffic.ask(&request, length);
    let spent = server.spent() - spent;
    Turn { throughput: asked.answers / spent.as_secs_f64(), seen: asked.answers / asked.took.as_secs_f64() }
}
