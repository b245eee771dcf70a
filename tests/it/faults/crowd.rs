//! Crowds of connections that nobody uses, or that are used as slowly as can be.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpSocket;
use tokio::time::sleep;

use crate::support::client::Client;
use crate::support::draws::Draws;
use crate::support::process::within;
use crate::support::service::Service;

/// Where crowds come from, so that their ports are nobody else's.
const CROWD: &str = "127.0.0.2:0";

/// Connections that are opened at a time, fewer than a listener's backlog.
const AT_A_TIME: usize = 100;

/// Lets this process have a crowd of this size beside those of the tests that run at the same time.
fn allow_files(size: u64) {
    let mut limit = getrlimit(Resource::Nofile);
    let needed = size + 2_500;
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = Some(needed);
        limit.maximum = limit.maximum.map(|most| most.max(needed));
        setrlimit(Resource::Nofile, limit).expect("the system allows as many open files as this test needs");
    }
}

async fn crowd(address: SocketAddr, size: usize) -> Vec<Client> {
    allow_files(size as u64);
    let mut crowd = Vec::with_capacity(size);
    while crowd.len() < size {
        let some = (0..AT_A_TIME.min(size - crowd.len())).map(async |_| {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(CROWD.parse().unwrap()).unwrap();
            Client::from(within(socket.connect(address), "a connection").await.unwrap())
        });
        crowd.extend(join_all(some).await);
    }
    crowd
}

/// Sends a head byte by byte, after pauses that are drawn, until the service has had enough.
async fn dawdle(mut client: Client, pauses: Vec<Duration>) {
    let head = "GET /work?latency=0 HTTP/1.1\r\nhost: test\r\nx-slow: ";
    let bytes = head.bytes().chain(std::iter::repeat(b'x'));
    for (byte, pause) in bytes.zip(pauses.into_iter().cycle()) {
        if !client.try_send(&[byte]).await {
            return;
        }
        sleep(pause).await;
    }
}

/// A thousand clients that dawdle.
async fn slow_crowd(service: &Service) -> tokio::task::JoinSet<()> {
    let mut draws = Draws::of("slow crowd");
    let mut slow = tokio::task::JoinSet::new();
    for client in crowd(service.address, 1_000).await {
        let mut pause = || draws.between(Duration::from_millis(20), Duration::from_millis(400));
        slow.spawn(dawdle(client, vec![pause(), pause(), pause()]));
    }
    slow
}

#[tokio::test]
async fn a_thousand_slow_clients_are_let_go_in_time_and_hold_nobody_up_until_then() {
    let service = Service::start(&["--max-connections", "1100", "--header-timeout", "3s"]).await;
    let before = service.scrape().await;
    let slow = slow_crowd(&service).await;
    for _ in 0..20 {
        assert_eq!(service.get("/health").await.text(), "I'm healthy");
        assert_eq!(service.get("/work?latency=1ms").await.status, 200);
    }
    within(slow.join_all(), "the service to have had enough of them").await;
    let scrape = service.let_go_of_all(&before).await;
    assert_eq!(scrape.sum("firedrill_unreadable_requests_total", &[("reason", "timeout")]), 1_000.0);
    assert_eq!(scrape.works(&[]), 20.0);
}

#[tokio::test]
async fn where_slow_clients_take_every_connection_others_are_told_and_later_served() {
    let service = Service::start(&["--max-connections", "1000", "--header-timeout", "8s"]).await;
    let slow = slow_crowd(&service).await;
    // All of them are taken once one more is refused.
    let refused = service.get("/health").await;
    assert_eq!((refused.status, refused.header("connection")), (503, Some("close")));
    within(slow.join_all(), "the service to have had enough of them").await;
    let scrape = service
        .scrape_until("its connections back", |scrape| scrape.sum("firedrill_connections", &[]) == 1.0)
        .await;
    assert_eq!(service.get("/health").await.status, 200, "without a hand");
    assert!(scrape.sum("firedrill_connections_refused_total", &[]) >= 1.0);
}

#[tokio::test]
#[ignore = "needs 12,500 open files"]
async fn ten_thousand_idle_connections_are_kept_cheaply_and_one_more_is_told_so() {
    const CONNECTIONS: usize = 10_000;
    /// What the process may take for each of them, in KiB. Without optimisation, as here, it takes about 13.
    const MOST: f64 = 20.0;
    allow_files(CONNECTIONS as u64); // the child inherits it
    let service = Service::start(&["--max-connections", "10000"]).await;
    let before = service.scrape().await;
    let mut crowd = crowd(service.address, CONNECTIONS).await;
    let one_more = service.get("/health").await;
    assert_eq!((one_more.status, one_more.header("retry-after")), (503, Some("1")));
    for nth in [0, CONNECTIONS / 2, CONNECTIONS - 1] {
        assert_eq!(crowd[nth].request("GET", "/health").await.text(), "I'm healthy", "connection {nth}");
        assert_eq!(crowd[nth].request("GET", "/work?latency=1ms").await.status, 200, "connection {nth}");
    }
    let during = crate::support::scrape::Scrape::parse(&crowd[7].request("GET", "/metrics").await.text());
    assert_eq!(during.sum("firedrill_connections", &[]), CONNECTIONS as f64);
    let memory = |scrape: &crate::support::scrape::Scrape| scrape.sum("process_resident_memory_bytes", &[]);
    let each = (memory(&during) - memory(&before)) / 1024.0 / CONNECTIONS as f64;
    println!("{each:.1} KiB a connection");
    assert!(each < MOST, "{each:.1} KiB a connection");
    drop(crowd);
    service.let_go_of_all(&before).await;
    assert_eq!(service.get("/health").await.status, 200);
}
