//! What counting each request costs: `/health` of the service against a bare hyper server.
//!
//! Both serve the same connections on the same core, in turns within one run, so that what disturbs one
//! disturbs the other. The clients have another core; "busy" shows that the server was the limit.

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
    per_second: f64,
    /// The share of the time that the server's thread was busy.
    busy: f64,
    /// Of the server, per request.
    cpu: Duration,
}

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let (server, clients) = (Core::start(0), Core::start(1));
    let bare = bare(&server);
    let instrumented = instrumented::start(&server, instrumented::workloads());
    let (pairs, length) = if measure { (15, 1_000) } else { (1, 20) };
    let length = Duration::from_millis(length);
    turn(&server, &clients, bare, length);
    turn(&server, &clients, instrumented, length);
    let mut ratios = Vec::new();
    println!("GET /health, {CONNECTIONS} connections kept, one core serves");
    println!("      bare hyper (busy, CPU)          instrumented (busy, CPU)        ratio");
    for pair in 0..pairs {
        // Each goes first as often as the other.
        let (b, i) = if pair % 2 == 0 {
            let b = turn(&server, &clients, bare, length);
            (b, turn(&server, &clients, instrumented, length))
        } else {
            let i = turn(&server, &clients, instrumented, length);
            (turn(&server, &clients, bare, length), i)
        };
        let ratio = i.per_second / b.per_second;
        println!("  {}   {}   {ratio:.3}", b.shown(), i.shown());
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    let figure = format!("median {median:.3}, {:.3} to {:.3}", ratios[0], ratios[ratios.len() - 1]);
    verdict::print(measure, figure, format!("at least {ASKED:.2}"), median >= ASKED);
    median >= ASKED
}

impl Turn {
    fn shown(&self) -> String {
        let Self { per_second, busy, cpu } = self;
        format!("{per_second:>7.0}/s ({:>3.0} %, {:>5.1} µs)", busy * 100.0, cpu.as_secs_f64() * 1e6)
    }
}

/// Asks for as long as this, on every connection as soon as the last answer is there.
fn turn(server: &Core, clients: &Core, address: SocketAddr, length: Duration) -> Turn {
    let mut connections =
        clients.run(async move { join_all((0..CONNECTIONS).map(|_| KeepAlive::connect(address))).await });
    let request = get("/health", "");
    let spent = server.spent();
    let (answers, took) = clients.run(async move {
        let began = Instant::now();
        let asking = connections.iter_mut().map(async |connection| {
            let mut answers = 0_u32;
            while began.elapsed() < length {
                assert_eq!(connection.exchange(&request).await, HEALTHY.len());
                answers += 1;
            }
            answers
        });
        (join_all(asking).await.iter().sum::<u32>(), began.elapsed())
    });
    let spent = server.spent() - spent;
    let busy = spent.as_secs_f64() / took.as_secs_f64();
    Turn { per_second: f64::from(answers) / took.as_secs_f64(), busy, cpu: spent / answers.max(1) }
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
