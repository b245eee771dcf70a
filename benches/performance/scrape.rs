//! What a scrape of `/metrics` costs the service in CPU time, in each format, and how that grows.
//!
//! First over a socket, all included: the request is read, counted and answered on the thread whose clock is read.
//! Then what writes it alone, of as many histograms like the service's own as make so many series.

use std::net::SocketAddr;
use std::time::Duration;

use firedrill_server::BUCKETS;
use firedrill_server::exposition::Exposition;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, NativeHistogramConfig};
use prometheus_client::registry::{Registry, Unit};

use crate::core::{Core, spent};
use crate::instrumented;
use crate::keep_alive::{KeepAlive, get};
use crate::quartiles::median;
use crate::verdict;

/// The most CPU time that a scrape of the default series may take, as text.
const ASKED: Duration = Duration::from_millis(1);
/// How much dearer a series may be among 10,000 than among 1,000. Among more they outgrow the caches.
const LINEAR: f64 = 1.25;

const FORMATS: [(&str, &str); 3] = [
    ("text", "*/*"),
    ("OpenMetrics", "application/openmetrics-text;version=1.0.0"),
    (
        "protobuf",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ),
];
const CODINGS: [&str; 2] = ["identity", "gzip"];

/// What Prometheus asks for, as `compose.yaml` runs it.
pub(crate) fn as_prometheus() -> Vec<u8> {
    let [.., (_, protobuf)] = FORMATS;
    get("/metrics", &format!("accept: {protobuf}\r\naccept-encoding: gzip\r\n"))
}

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    of_service(measure) & by_series(measure)
}

/// The service's own scrape.
fn of_service(measure: bool) -> bool {
    let (server, client) = (Core::start(0), Core::start(1));
    let scrapes = if measure { 2_000 } else { 3 };
    let address = instrumented::start(&server, instrumented::workloads());
    println!("CPU time of a scrape with the {} series that exist from the start", series(&client, address));
    let mut text = Duration::ZERO;
    for (name, accept) in FORMATS {
        for coding in CODINGS {
            let request = get("/metrics", &format!("accept: {accept}\r\naccept-encoding: {coding}\r\n"));
            let (cpu, bytes) = scrape(&server, &client, address, &request, scrapes);
            println!("  {name:<12} {coding:<8} {:>7.1} µs {bytes:>9} bytes", micros(cpu));
            if (name, coding) == ("text", "identity") {
                text = cpu;
            }
        }
    }
    let small = text < ASKED;
    verdict::print(measure, format!("text {:.1} µs", micros(text)), "under 1000 µs", small);
    small
}

/// What is written by number of series, in each format.
fn by_series(measure: bool) -> bool {
    let (turns, sizes) = if measure { (7, 4) } else { (1, 2) };
    println!(
        "CPU time to write a scrape, median of {turns}, for each of the series that the text format shows"
    );
    let mut text = Vec::new();
    for wanted in [100, 1_000, 10_000, 100_000].into_iter().take(sizes) {
        let registry = histograms(wanted);
        for (name, accept) in FORMATS {
            for coding in CODINGS {
                // Short ones often enough that the clock can tell.
                let times = if measure { (100_000 / wanted).max(1) } else { 1 };
                let headers = headers(accept, coding);
                let written = (0..turns).map(|_| write(&registry, &headers, times));
                let (seconds, bytes): (Vec<_>, Vec<_>) = written.unzip();
                let one = median(seconds.into_iter()) * 1e9 / f64::from(wanted);
                println!(
                    "  {wanted:>6} series   {name:<12} {coding:<8} {one:>7.1} ns {:>6.1} bytes   {:>9.1} µs in all",
                    bytes[0] as f64 / f64::from(wanted),
                    one * f64::from(wanted) / 1e3
                );
                if (name, coding) == ("text", "identity") {
                    text.push(one);
                }
            }
        }
    }
    let Some(growth) = text.get(2).map(|among_10_000| among_10_000 / text[1]) else { return true };
    let linear = growth < LINEAR;
    let figure = format!("a series among 10,000 costs {growth:.2} times one among 1,000, as text");
    verdict::print(measure, figure, format!("no worse than linear, so under {LINEAR}"), linear);
    linear
}

/// So many series, or up to a histogram's more: as the service's own, with native buckets beside the classic ones.
fn histograms(series: u32) -> Registry {
    // In text: the buckets with that of infinity, sum and count.
    let each = u32::try_from(BUCKETS.len()).unwrap() + 3;
    let family = Family::<Vec<(&str, String)>, Histogram, _>::new_with_constructor(|| {
        Histogram::new_classic_and_native(BUCKETS, NativeHistogramConfig::new(1.1).max_buckets(256))
    });
    for n in 0..series.div_ceil(each) {
        let labels = vec![
            ("http_request_method", "GET".to_owned()),
            ("http_route", format!("/path/{n}")),
            ("http_response_status_code", "200".to_owned()),
            ("error_type", String::new()),
            ("workload", "demo".to_owned()),
        ];
        let histogram = family.get_or_create(&labels);
        for step in 0..20 {
            histogram.observe(0.02 * 1.1_f64.powi(step));
        }
    }
    let mut registry = Registry::default();
    registry.register_with_unit(
        "http_server_request_duration",
        "As the service's own",
        Unit::Seconds,
        family,
    );
    registry
}

fn headers(accept: &'static str, coding: &'static str) -> HeaderMap {
    let values = [(ACCEPT, accept), (ACCEPT_ENCODING, coding)];
    values.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

/// The seconds of CPU time that writing once takes, and the size.
fn write(registry: &Registry, headers: &HeaderMap, times: u32) -> (f64, usize) {
    let mut bytes = 0;
    let before = spent();
    for _ in 0..times {
        bytes = Exposition::write(registry, headers).unwrap().bytes.len();
    }
    ((spent() - before).as_secs_f64() / f64::from(times), bytes)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The CPU time of the server per scrape, and the size of the last.
fn scrape(
    server: &Core,
    client: &Core,
    address: SocketAddr,
    request: &[u8],
    times: u32,
) -> (Duration, usize) {
    // Buffers grow to their size first.
    ask(client, address, vec![request.to_owned(); 5]);
    let spent = server.spent();
    let bytes = ask(client, address, vec![request.to_owned(); times as usize]);
    ((server.spent() - spent) / times, bytes)
}

/// Asks these in turn on one connection; the size of the last answer's body.
pub(crate) fn ask(client: &Core, address: SocketAddr, requests: Vec<Vec<u8>>) -> usize {
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
pub(crate) fn series(client: &Core, address: SocketAddr) -> usize {
    let text = client.run(async move {
        let mut connection = KeepAlive::connect(address).await;
        connection.exchange(&get("/metrics", "")).await;
        connection.into_last_body()
    });
    text.lines().filter(|line| !line.starts_with('#')).count()
}
