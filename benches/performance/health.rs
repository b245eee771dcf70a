//! What counting each request costs: `/health` of the service against a bare hyper server.
//!
//! Both serve the same connections on the same core, in turns within one run, so that what disturbs one
//! disturbs the other. Their throughput is how many requests one second of that core's time serves: what a
//! core does that has nothing else to do. What the clients saw by the clock is shown beside it, and is less
//! where the clients are the limit, or others have turns on the cores.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::core::Core;
use crate::instrumented;
use crate::keep_alive::{KeepAlive, get};
use crate::verdict;

/// The least share of the bare server's throughput.
const ASKED: f64 = 0.80;
const CONNECTIONS: usize = 32;

/// What one turn measured.
struct Turn {
    /// Requests per second of the server's CPU time.
    throughput: f64,
    /// Requests per second of the clock.
    seen: f64,
}

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let (server, clients) = (Core::start(0), Core::start(1));
    let connect = |address| {
        clients.run(async move { join_all((0..CONNECTIONS).map(|_| KeepAlive::connect(address))).await })
    };
    let mut bare = connect(bare(&server));
    let mut instrumented = connect(instrumented::start(&server, instrumented::workloads()));
    // Short turns: what disturbs a machine mostly lasts longer than both of a pair.
    let (pairs, length) =
        if measure { (100, Duration::from_millis(100)) } else { (1, Duration::from_millis(10)) };
    let mut turns = Vec::new();
    for pair in 0..=pairs {
        // Each goes first as often as the other.
        let (b, i);
        if pair % 2 == 0 {
            b = turn(&server, &clients, &mut bare, length);
            i = turn(&server, &clients, &mut instrumented, length);
        } else {
            i = turn(&server, &clients, &mut instrumented, length);
            b = turn(&server, &clients, &mut bare, length);
        }
        // The first pair only warms up.
        if pair > 0 {
            turns.push((b, i));
        }
    }
    println!(
        "GET /health, {CONNECTIONS} connections kept, one core serves, {pairs} pairs of {length:?} turns"
    );
    let medians = |of: fn(&Turn) -> f64| {
        (quartiles(turns.iter().map(|(b, _)| of(b)))[1], quartiles(turns.iter().map(|(_, i)| of(i)))[1])
    };
    let (bare, instrumented) = medians(|turn| turn.throughput);
    println!("  a second of CPU time   bare hyper {bare:>7.0} requests   instrumented {instrumented:>7.0}");
    let (bare, instrumented) = medians(|turn| turn.seen);
    println!("  a second of the clock  bare hyper {bare:>7.0} requests   instrumented {instrumented:>7.0}");
    let [low, ratio, high] = quartiles(turns.iter().map(|(b, i)| i.throughput / b.throughput));
    let figure = format!("ratio {ratio:.3}, half of the pairs from {low:.3} to {high:.3}");
    verdict::print(measure, figure, format!("at least {ASKED:.2}"), ratio >= ASKED);
    ratio >= ASKED
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(figures: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut sorted: Vec<_> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| sorted[sorted.len() * quarter / 4])
}

/// Asks for as long as this, on every connection as soon as the last answer is there.
fn turn(server: &Core, clients: &Core, connections: &mut Vec<KeepAlive>, length: Duration) -> Turn {
    let request = get("/health", "");
    let mut asked = std::mem::take(connections);
    let spent = server.spent();
    let (answers, took, asked) = clients.run(async move {
        let began = Instant::now();
        let asking = asked.iter_mut().map(async |connection| {
            let mut answers = 0_u32;
            while began.elapsed() < length {
                assert_eq!(connection.exchange(&request).await, HEALTHY.len());
                answers += 1;
            }
            answers
        });
        let answers = join_all(asking).await.iter().sum::<u32>();
        (f64::from(answers), began.elapsed(), asked)
    });
    let spent = server.spent() - spent;
    *connections = asked;
    Turn { throughput: answers / spent.as_secs_f64(), seen: answers / took.as_secs_f64() }
}

const HEALTHY: &str = "I'm healthy";

/// The least that answers over HTTP.
fn bare(core: &Core) -> SocketAddr {
    let listener = core.run(async { TcpListener::bind("127.0.0.1:0").await.unwrap() });
    let address = listener.local_addr().unwrap();
    core.keep_running(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let answer = service_fn(async |_| {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(HEALTHY.as_bytes()))))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}
