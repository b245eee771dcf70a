//! How what one service costs grows with cores, connections and workloads: the real binary, its memory and its CPU
//! time as the kernel counts them.
//!
//! Clients share the machine, so on two cores a service on both of them shares these with its clients. CPU time a
//! request is what can be compared; how many requests a second of the clock brings is not a limit of the service.

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;
use crate::keep_alive::get;
use crate::quartiles::{median, quartiles};
use crate::scrape;
use crate::serve::Serve;
use crate::traffic::Traffic;

/// As many as would do in production for one task: beside these, the kernel's own memory for sockets is the limit.
const MOST_CONNECTIONS: &str = "10100";

/// Prints the figures. None of them is asked for.
pub(crate) fn run(measure: bool) -> bool {
    let (server, clients) = (Core::start(0), Core::start(1));
    cores(&server, &clients, measure);
    connections(&server, &clients, measure);
    workloads(&server, &clients, measure);
    true
}

/// The same traffic on one core and on all that there are, in turns.
fn cores(server: &Core, clients: &Core, measure: bool) {
    let all = std::thread::available_parallelism().unwrap();
    let (turns, length) = if measure { (15, 500) } else { (1, 10) };
    let length = Duration::from_millis(length);
    let request: Arc<[_]> = Arc::new([get("/health", "")]);
    let services = [Serve::start_on(server, clients, &[]), Serve::start(clients)];
    let mut traffic = services.each_ref().map(|serve| Traffic::open(clients, serve.address, 32));
    let mut asked = [Vec::new(), Vec::new()];
    for turn in 0..turns {
        for which in if turn % 2 == 0 { [0, 1] } else { [1, 0] } {
            asked[which].push(ask(&services[which], &mut traffic[which], &request, length));
        }
    }
    println!("GET /health, 32 connections, by cores: {turns} pairs of {length:?} turns");
    for (name, asked) in [("1".to_owned(), &asked[0]), (format!("all {all}"), &asked[1])] {
        let [low, cpu, high] = quartiles(asked.iter().map(|asked| asked.cpu));
        let rate = median(asked.iter().map(|asked| asked.rate));
        println!(
            "  {name:<6} {cpu:>6.2} µs of CPU time a request, half of them {low:.2} to {high:.2}   {rate:>7.0} a second seen"
        );
    }
    let ratios = asked[1].iter().zip(&asked[0]).map(|(all, one)| all.cpu / one.cpu);
    let [low, ratio, high] = quartiles(ratios);
    println!(
        "  on all cores a request takes {ratio:.2} times the CPU time, half of the pairs {low:.2} to {high:.2}"
    );
}

/// Memory of connections that wait, and CPU time of a request where all of them ask.
fn connections(server: &Core, clients: &Core, measure: bool) {
    let (most, turns, length) = if measure { (10_000, 7, 700) } else { (100, 1, 10) };
    let length = Duration::from_millis(length);
    let request: Arc<[_]> = Arc::new([get("/health", "")]);
    println!("GET /health on one core, by connections, all of which ask: {turns} turns of {length:?}");
    for connections in [1, 10, 100, 1_000, 10_000].into_iter().filter(|connections| *connections <= most) {
        let serve = Serve::start_on(server, clients, &["--max-connections", MOST_CONNECTIONS]);
        let before = serve.resident();
        let mut traffic = Traffic::open(clients, serve.address, connections);
        // Each has been served once, so that its buffers are there.
        traffic.ask(&request, Duration::from_millis(1));
        let each = (serve.resident() - before) / connections as f64 / 1024.0;
        let asked: Vec<_> = (0..turns).map(|_| ask(&serve, &mut traffic, &request, length)).collect();
        let [low, cpu, high] = quartiles(asked.iter().map(|asked| asked.cpu));
        println!(
            "  {connections:>6}   {cpu:>6.2} µs of CPU time a request, half of them {low:.2} to {high:.2}   {:>6.1} MiB resident, {each:>5.1} KiB a connection",
            serve.resident() / 1024.0 / 1024.0
        );
    }
}

/// Series and what they cost, by how many names the `workload` label may have.
fn workloads(server: &Core, clients: &Core, measure: bool) {
    let (turns, length, scrapes) = if measure { (7, 700, 400) } else { (1, 10, 2) };
    let length = Duration::from_millis(length);
    println!(
        "GET /work?latency=0 of each workload in turn on one core, by workloads: {turns} turns of {length:?}"
    );
    for workloads in [1, 2, 4, 8, 16] {
        let names: Vec<_> = (1..=workloads).map(|n| format!("workload-{n}")).collect();
        let serve = Serve::start_on(server, clients, &["--workloads", &names.join(",")]);
        let request = |name| get(&format!("/work?latency=0&workload={name}"), "");
        let requests: Arc<[_]> = names.iter().map(request).collect();
        let mut traffic = Traffic::open(clients, serve.address, 32);
        let asked: Vec<_> = (0..turns).map(|_| ask(&serve, &mut traffic, &requests, length)).collect();
        let [low, cpu, high] = quartiles(asked.iter().map(|asked| asked.cpu));
        let series = scrape::series(clients, serve.address);
        let spent = serve.spent();
        let bytes = scrape::ask(clients, serve.address, vec![scrape::as_prometheus(); scrapes]);
        let scrape = (serve.spent() - spent).as_secs_f64() * 1e6 / scrapes as f64;
        println!(
            "  {workloads:>2}   {cpu:>6.2} µs of CPU time a request, half of them {low:.2} to {high:.2}   {series:>5} series, {scrape:>4.0} µs and {bytes:>6} bytes a scrape   {:.1} MiB resident",
            serve.resident() / 1024.0 / 1024.0
        );
    }
}

struct Asked {
    /// Microseconds of the service's CPU time a request.
    cpu: f64,
    /// Requests a second of the clock.
    rate: f64,
}

fn ask(serve: &Serve, traffic: &mut Traffic<'_>, requests: &Arc<[Vec<u8>]>, length: Duration) -> Asked {
    let spent = serve.spent();
    let asked = traffic.ask(requests, length);
    let spent = serve.spent() - spent;
    Asked { cpu: spent.as_secs_f64() * 1e6 / asked.answers, rate: asked.answers / asked.took.as_secs_f64() }
}
