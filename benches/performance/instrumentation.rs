//! What counting one request costs, exactly: in allocations and in instructions.
//!
//! Both are counted and not timed, so they are judged however short the run is.

use std::fs;
use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::allocation;
use crate::core::Core;
use crate::instructions;
use crate::instrumented;
use crate::keep_alive::{KeepAlive, get};
use crate::verdict;

/// What is allowed, by how this bench was built. `cargo bench -- instrumentation --renew` and
/// `cargo test --bench performance -- instrumentation --renew` write what they find.
const BOUNDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../benches/performance/instructions.json");
const BUILD: &str = if cfg!(debug_assertions) { "dev" } else { "release" };
/// The first request to take about so long makes a native histogram's bucket: one of some dozens, however many requests
/// there are. One allocation for each request, or for each of a kind, is over this.
const OF_NEW_BUCKETS: f64 = 0.1;
/// By how much more than what is stored is a regression.
const TOLERATED: f64 = 0.05;

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let allocations = allocations(if measure { 10_000 } else { 1_000 });
    let none = allocations.iter().all(|allocations| *allocations < OF_NEW_BUCKETS);
    let [alike, mixed] = allocations;
    let figure = format!("allocations to count a request: {alike:.4} of one kind, {mixed:.4} mixed");
    verdict::print(true, figure, format!("none, so under {OF_NEW_BUCKETS}"), none);
    let (Some(with), Some(without)) = (instructions::of_a_request(true), instructions::of_a_request(false))
    else {
        println!("  instructions   valgrind is not installed: nothing to count them with");
        return none;
    };
    println!(
        "GET /health, in instructions, client included: {with:.0}; {without:.0} where nothing is counted"
    );
    none & within_bound("of a request", with) & within_bound("to count it", with - without)
}

/// Whether this is at most what is stored and [`TOLERATED`] more.
fn within_bound(name: &str, instructions: f64) -> bool {
    let mut bounds: Value = serde_json::from_str(&fs::read_to_string(BOUNDS).unwrap()).unwrap();
    if std::env::args().any(|argument| argument == "--renew") {
        bounds[BUILD][name] = json!(instructions.round());
        fs::write(BOUNDS, format!("{bounds:#}\n")).unwrap();
    }
    let stored = bounds[BUILD][name].as_f64().unwrap_or_else(|| panic!("{BOUNDS} has no {name} for {BUILD}"));
    let met = instructions <= stored * (1.0 + TOLERATED);
    let figure = format!(
        "instructions {name}: {instructions:.0}, {:.3} of the {stored} stored",
        instructions / stored
    );
    verdict::print(true, figure, format!("at most {:.2}", 1.0 + TOLERATED), met);
    met
}

/// How often the service's thread allocates more for each request than where nothing is counted: where they are all alike,
/// and where each is counted in another series than the last one.
fn allocations(requests: u32) -> [f64; 2] {
    let (server, client) = (Core::start(0), Core::start(1));
    let counted = instrumented::start(&server, instrumented::workloads());
    let uncounted = instrumented::start_uncounted(&server);
    let alike = vec![get("/health", "")];
    let mixed = vec![
        get("/health", ""),
        get("/work?latency=0&workload=demo", ""),
        get("/work?latency=0&workload=web&status=404", ""),
        get("/nowhere", ""),
    ];
    [alike, mixed].map(|kinds| {
        let [counted, uncounted] =
            [counted, uncounted].map(|address| allocated(&server, &client, address, kinds.clone(), requests));
        (counted - uncounted) / f64::from(requests)
    })
}

fn allocated(server: &Core, client: &Core, address: SocketAddr, kinds: Vec<Vec<u8>>, requests: u32) -> f64 {
    let mut connection = client.run(async move { KeepAlive::connect(address).await });
    let mut counts = [0, 0];
    // The first of each kind makes its series.
    for (count, times) in counts.iter_mut().zip([u32::try_from(kinds.len()).unwrap(), requests]) {
        let kinds = kinds.clone();
        connection = client.run(async move {
            for (_, kind) in (0..times).zip(kinds.iter().cycle()) {
                connection.exchange(kind).await;
            }
            connection
        });
        *count = server.run(async { allocation::count() });
    }
    (counts[1] - counts[0]) as f64
}
