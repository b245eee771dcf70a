//! What the program takes from its machine: disk, memory when idle and after a million requests, and time to be ready.
//!
//! The real binary as its own process, built as this bench is: in release by `cargo bench`.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::core::Core;
use crate::keep_alive::{KeepAlive, get};
use crate::serve::Serve;
use crate::verdict;

const MIB: f64 = 1024.0 * 1024.0;
const ASKED_IDLE: f64 = 12.0;
const ASKED_USED: f64 = 24.0;
const ASKED_READY: Duration = Duration::from_millis(100);
const CONNECTIONS: u32 = 32;

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let program = std::fs::metadata(env!("CARGO_BIN_EXE_firedrill")).unwrap().len();
    println!("  on disk    {:.1} MiB", program as f64 / MIB);
    let clients = Core::start(1);
    let (starts, requests) = if measure { (21, 1_000_000) } else { (1, 1_000) };
    let mut ready: Vec<_> = (0..starts).map(|_| Serve::start(&clients).ready).collect();
    ready.sort();
    let (median, slowest) = (ready[ready.len() / 2], ready[ready.len() - 1]);
    let quick = slowest < ASKED_READY;
    let figure = format!("ready      {:.1?} median, {:.1?} slowest of {starts}", median, slowest);
    verdict::print(measure, figure, format!("under {ASKED_READY:?}"), quick);

    let serve = Serve::start(&clients);
    let idle = serve.resident() / MIB;
    let light = idle < ASKED_IDLE;
    verdict::print(
        measure,
        format!("idle       {idle:.1} MiB resident"),
        format!("under {ASKED_IDLE} MiB"),
        light,
    );

    let began = Instant::now();
    serve.ask(&clients, requests);
    let took = began.elapsed();
    let used = serve.resident() / MIB;
    let bounded = used < ASKED_USED;
    let figure = format!("afterwards {used:.1} MiB resident, after {requests} requests in {took:.1?}");
    verdict::print(measure, figure, format!("under {ASKED_USED} MiB"), bounded);
    quick && light && bounded
}

impl Serve {
    /// A mixture of requests over kept connections, with a scrape now and then.
    fn ask(&self, clients: &Core, requests: u32) {
        let address = self.address;
        clients.run(async move {
            let mixture = [
                get("/health", ""),
                get("/work?latency=0&workload=demo", ""),
                get("/work?latency=0&workload=web&status=404", ""),
                get("/work?latency=0&error_rate=0.5", ""),
                get("/ready", ""),
                get("/work?latency=0&body=1KiB", ""),
                get("/work?latency=soon", ""),
                get("/nowhere", ""),
            ];
            let scrape = get("/metrics", "accept-encoding: gzip\r\n");
            let mixture = &mixture;
            let asking = (0..CONNECTIONS).map(async |_| {
                let mut connection = KeepAlive::connect(address).await;
                for (n, request) in (0..requests / CONNECTIONS).zip(mixture.iter().cycle()) {
                    connection.exchange(if n % 5_000 == 0 { &scrape } else { request }).await;
                }
            });
            join_all(asking).await;
        });
    }
}
