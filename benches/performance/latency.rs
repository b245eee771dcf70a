//! What injecting a latency costs beyond it: nothing to speak of where there is none to inject, and a wake-up where
//! there is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::instrumented;
use crate::keep_alive::{KeepAlive, get};
use crate::quartiles::{median, quartiles};
use crate::traffic::Traffic;
use crate::verdict;

/// The least share of the throughput of `/health`.
const ASKED_OF_ZERO: f64 = 0.5;
/// Not a whole number of milliseconds, which a timer that counts those would round.
const INJECTED: &str = "latency=2300us";
/// The most that requests may take beyond it, on average, in milliseconds.
const ASKED_OF_SURPLUS: f64 = 0.15;

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let (server, clients) = (Core::start(0), Core::start(1));
    let address = instrumented::start(&server, instrumented::workloads());
    let zero = zero(&server, &clients, address, measure);
    zero & surplus(&clients, address, measure)
}

/// The throughput of `/work?latency=0ms` in terms of that of `/health`, on one connection.
fn zero(server: &Core, clients: &Core, address: SocketAddr, measure: bool) -> bool {
    let mut traffic = Traffic::open(clients, address, 1);
    let (rounds, length) =
        if measure { (50, Duration::from_millis(100)) } else { (1, Duration::from_millis(10)) };
    let mut ask = |path: &str| {
        let spent = server.spent();
        let asked = traffic.ask(&(Arc::new([get(path, "")]) as Arc<[_]>), length);
        let spent = server.spent() - spent;
        [asked.answers / spent.as_secs_f64(), asked.answers / asked.took.as_secs_f64()]
    };
    let ratios: Vec<_> = (0..rounds)
        .map(|_| {
            let (work, health) = (ask("/work?latency=0ms"), ask("/health"));
            [work[0] / health[0], work[1] / health[1]]
        })
        .collect();
    println!("GET /work?latency=0ms and /health, one connection kept, {rounds} rounds of {length:?} turns");
    println!("  ratio by CPU time {:.3}", median(ratios.iter().map(|ratios| ratios[0])));
    let [low, ratio, high] = quartiles(ratios.iter().map(|ratios| ratios[1]));
    let figure = format!("ratio by the clock {ratio:.3}, half of the rounds from {low:.3} to {high:.3}");
    verdict::print(measure, figure, format!("at least {ASKED_OF_ZERO:.2}"), ratio >= ASKED_OF_ZERO);
    ratio >= ASKED_OF_ZERO
}

/// What the service observes of requests with a latency, less what it injected: the panel "Latency: observed less
/// injected" of the Truth dashboard.
fn surplus(clients: &Core, address: SocketAddr, measure: bool) -> bool {
    let mut traffic = Traffic::open(clients, address, 8);
    let request = Arc::new([get(&format!("/work?{INJECTED}&workload=demo"), "")]) as Arc<[_]>;
    let (rounds, length) =
        if measure { (20, Duration::from_millis(250)) } else { (1, Duration::from_millis(10)) };
    let mut before = observed_less_injected(clients, address);
    let surpluses: Vec<_> = (0..rounds)
        .map(|_| {
            traffic.ask(&request, length);
            let after = observed_less_injected(clients, address);
            let surplus = (after.0 - before.0) / (after.1 - before.1) * 1_000.0;
            before = after;
            surplus
        })
        .collect();
    println!("GET /work?{INJECTED}, 8 connections kept, {rounds} rounds of {length:?}");
    let [low, surplus, high] = quartiles(surpluses.into_iter());
    let figure =
        format!("observed less injected {surplus:.3} ms, half of the rounds from {low:.3} to {high:.3}");
    verdict::print(measure, figure, format!("under {ASKED_OF_SURPLUS} ms"), surplus < ASKED_OF_SURPLUS);
    surplus < ASKED_OF_SURPLUS
}

/// Seconds, of this many requests.
fn observed_less_injected(clients: &Core, address: SocketAddr) -> (f64, f64) {
    let exposition = clients.run(async move {
        let mut connection = KeepAlive::connect(address).await;
        connection.exchange(&get("/metrics", "")).await;
        connection.into_last_body()
    });
    let sum = |name: &str| -> f64 {
        let of_demo = exposition
            .lines()
            .filter(|line| line.starts_with(name) && line.contains("workload=\"demo\""))
            .filter_map(|line| line.rsplit_once(' '));
        of_demo.map(|(_, value)| value.parse::<f64>().unwrap()).sum()
    };
    let observed = sum("http_server_request_duration_seconds_sum{");
    let injected = sum("firedrill_injected_latency_seconds_total{");
    (observed - injected, sum("http_server_request_duration_seconds_count{"))
}
