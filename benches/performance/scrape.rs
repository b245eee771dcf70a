//! What a scrape of `/metrics` costs the service in CPU time, in each format, and how that grows.
//!
//! Over a socket, all included: the request is read, counted and answered on the thread whose clock is read.

use std::net::SocketAddr;
use std::time::Duration;

use firedrill::contract::Workloads;
use firedrill::contract::parameter::Parameter;

use crate::core::Core;
use crate::instrumented;
use crate::keep_alive::{KeepAlive, get};
use crate::verdict;

/// The most CPU time that a scrape of the default series may take, as text.
const ASKED: Duration = Duration::from_millis(1);
/// How much dearer a series may be among many.
const LINEAR: f64 = 1.25;

const OPEN_METRICS: &str = "accept: application/openmetrics-text;version=1.0.0\r\n";
const PROTOBUF: &str =
    "accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited\r\n";
const GZIP: &str = "accept-encoding: gzip\r\n";

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let (server, client) = (Core::start(0), Core::start(1));
    let scrapes = if measure { 2_000 } else { 3 };
    let address = instrumented::start(&server, instrumented::workloads());
    let default = series(&client, address);
    println!("CPU time of a scrape with the {default} series that exist from the start");
    for (name, headers) in [("text", ""), ("OpenMetrics", OPEN_METRICS), ("protobuf", PROTOBUF)] {
        for (coding, headers) in [("", headers.to_owned()), ("gzip", format!("{headers}{GZIP}"))] {
            let (cpu, bytes) = scrape(&server, &client, address, &headers, scrapes);
            println!("  {name:<12} {coding:<5} {:>7.1} µs {bytes:>9} bytes", micros(cpu));
        }
    }
    let (text, _) = scrape(&server, &client, address, "", scrapes);
    let small = text < ASKED;
    verdict::print(measure, format!("text {:.1} µs", micros(text)), "under 1000 µs", small);

    println!("CPU time of a scrape as text as series are added");
    let mut per_series = vec![shown(default, text)];
    let names: Vec<_> = (1..=Workloads::MOST).map(|n| format!("workload-{n}")).collect();
    let address = instrumented::start(&server, Workloads::new(names.clone()).unwrap());
    // Each with an answer that has a body: its length is how the client knows its end.
    let mut statuses = Parameter::named("status").unwrap().statuses().filter(|status| *status >= 400);
    for wanted in [0, 6_000, 8_000, 10_000] {
        while series(&client, address) < wanted {
            let status = statuses.next().expect("there are statuses enough");
            let request = |name| get(&format!("/work?latency=0&status={status}&workload={name}"), "");
            ask(&client, address, names.iter().map(request).collect());
        }
        let (cpu, _) = scrape(&server, &client, address, "", scrapes / 4);
        per_series.push(shown(series(&client, address), cpu));
    }
    let growth = per_series[per_series.len() - 1] / per_series[0];
    let linear = growth < LINEAR;
    let figure = format!("a series among 10000 costs {growth:.2} times as much");
    verdict::print(measure, figure, format!("no worse than linear, so under {LINEAR}"), linear);
    small && linear
}

/// Prints what a scrape of so many series took, and returns the nanoseconds for each of them.
fn shown(series: u32, cpu: Duration) -> f64 {
    let one = cpu.as_secs_f64() * 1e9 / f64::from(series);
    println!("  {series:>6} series {:>8.1} µs {one:>7.1} ns a series", micros(cpu));
    one
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The CPU time of the server per scrape, and the size of the last.
fn scrape(server: &Core, client: &Core, address: SocketAddr, headers: &str, times: u32) -> (Duration, usize) {
    let times = times.max(1);
    let request = get("/metrics", headers);
    // Buffers grow to their size first.
    ask(client, address, vec![request.clone(); 5]);
    let spent = server.spent();
    let bytes = ask(client, address, vec![request; times as usize]);
    ((server.spent() - spent) / times, bytes)
}

/// Asks these in turn on one connection; the size of the last answer's body.
fn ask(client: &Core, address: SocketAddr, requests: Vec<Vec<u8>>) -> usize {
    client.run(async move {
        let mut connection = KeepAlive::connect(address).await;
        let mut bytes = 0;
        for request in &requests {
            bytes = connection.exchange(request).await;
        }
        bytes
    })
}

/// How many series the text format shows.
fn series(client: &Core, address: SocketAddr) -> u32 {
    let text = client.run(async move {
        let mut connection = KeepAlive::connect(address).await;
        connection.exchange(&get("/metrics", "")).await;
        connection.into_last_body()
    });
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    u32::try_from(lines).unwrap()
}
