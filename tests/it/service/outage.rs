//! An outage on request: nobody is answered for a while, and then everything goes on.

use std::net::TcpListener as StdListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::net::TcpStream;

use super::Service;
use crate::client::{Client, End};
use crate::process::within;

const OUT: &str = "nobody is answered until the outage is over";
const BACK: &str = "listening again";
/// Longer than any test waits.
const LONG: &str = "/work?latency=0&outage=60s";

impl Service {
    /// Asks for an outage and waits until it has begun.
    async fn goes_out(&mut self, target: &str) {
        let answer = self.get(target).await;
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")), "it answers first");
        self.process.logged(OUT).await;
    }

    async fn refuses(&self) -> bool {
        matches!(TcpStream::connect(self.address).await, Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused)
    }
}

#[tokio::test]
async fn nobody_is_answered_for_so_long_and_then_it_goes_on_counting_at_the_same_address() {
    let mut service = Service::start(&[]).await;
    service.get("/work?latency=0&workload=demo").await;
    let before = service.counted(1.0).await;
    let began = Instant::now();
    service.goes_out("/work?latency=0&outage=1s&workload=demo").await;
    assert!(service.refuses().await);
    let back = service.process.logged(BACK).await;
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(back["address"], service.address.to_string());

    let scrape = service.counted(2.0).await;
    assert_eq!(scrape.works(&[("workload", "demo"), ("http_response_status_code", "200")]), 2.0);
    let started = |scrape: &crate::scrape::Scrape| scrape.sum("process_start_time_seconds", &[]);
    assert_eq!(started(&scrape), started(&before), "it is the same process");
    assert_eq!(service.get("/ready").await.status, 200);
}

#[tokio::test]
async fn an_outage_lets_requests_that_have_begun_finish_and_closes_every_connection() {
    let mut service = Service::start(&[]).await;
    let mut idle = service.connect().await;
    assert_eq!(idle.request("GET", "/health").await.status, 200);
    let silent = service.connect().await;
    let mut working = service.connect().await;
    working.send("GET /work?latency=1s&workload=demo HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    service.goes_out("/work?latency=0&outage=200ms").await;

    assert_eq!(idle.end().await, (End::Closed, Vec::new()));
    assert_eq!(silent.end().await, (End::Closed, Vec::new()));
    let answer = working.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(working.end().await, (End::Closed, Vec::new()));

    service.process.logged(BACK).await;
    let scrape = service.counted(2.0).await;
    assert_eq!(scrape.works(&[("workload", "demo"), ("http_response_status_code", "200")]), 1.0);
    assert_eq!(scrape.sum("firedrill_connections", &[]), 1.0, "of the scrape itself");
}

#[tokio::test]
async fn an_outage_under_load_loses_and_doubles_no_request() {
    let mut service = Service::start(&[]).await;
    let address = service.address;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        clients.spawn(async move {
            let mut answered = 0;
            while let Ok(stream) = TcpStream::connect(address).await {
                let mut client = Client::from(stream);
                loop {
                    let answer = client.request("GET", "/work?latency=2ms&workload=demo").await;
                    assert_eq!(answer.status, 200);
                    answered += 1;
                    if answer.header("connection") == Some("close") {
                        break;
                    }
                }
            }
            answered
        });
    }
    service.scrape_until("load", |scrape| scrape.works(&[]) > 200.0).await;
    service.goes_out("/work?latency=0&outage=1s").await;
    let answered: u32 = clients.join_all().await.into_iter().sum();
    service.process.logged(BACK).await;
    let scrape = service.counted(f64::from(answered) + 1.0).await;
    assert_eq!(scrape.works(&[("workload", "demo")]), f64::from(answered));
}

#[tokio::test]
async fn a_second_outage_is_put_together_with_the_one_under_way() {
    let mut service = Service::start(&[]).await;
    let mut second = service.connect().await;
    second.send("GET /work?latency=300ms&outage=1s HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    let began = Instant::now();
    service.goes_out("/work?latency=0&outage=700ms").await;
    assert_eq!(second.answer().await.status, 200);
    let answered = began.elapsed();
    service.process.logged(BACK).await;
    // Out until the later end, and not one after the other.
    let out = began.elapsed();
    assert!(out >= answered + Duration::from_millis(990), "{out:?} after {answered:?}");
    service.counted(2.0).await;
    service.signal(Signal::INT);
    let log = service.ended().await.stderr;
    assert_eq!(log.matches(OUT).count(), 1, "{log}");
}

#[tokio::test]
async fn sigterm_during_an_outage_ends_without_a_drain() {
    let mut service = Service::start(&["--drain", "60s"]).await;
    let mut working = service.connect().await;
    working.send("GET /work?latency=1s HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    service.goes_out(LONG).await;
    service.signal(Signal::TERM);
    assert_eq!(working.answer().await.status, 200, "what has begun is finished");
    let ended = service.ended().await;
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains("draining"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_outage_during_the_drain_ends_the_drain() {
    let mut service = Service::start(&["--drain", "60s"]).await;
    service.signal(Signal::TERM);
    service.process.logged("draining").await;
    assert_eq!(service.get(LONG).await.status, 200);
    assert_eq!(service.ended().await.code, Some(0));
}

#[tokio::test]
async fn a_second_signal_during_an_outage_gives_up_what_is_in_flight() {
    let mut service = Service::start(&[]).await;
    let mut working = service.connect().await;
    working.send("GET /work?latency=60s HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    service.goes_out(LONG).await;
    service.signal(Signal::TERM);
    service.process.logged("finishing what is in flight").await;
    service.signal(Signal::TERM);
    assert_eq!(service.ended().await.code, Some(0));
}

#[tokio::test]
async fn an_outage_needs_the_token_and_is_capped() {
    let flags = ["--max-outage", "5s"];
    let service = Service::start_with(&flags, &[("FIREDRILL_TOKEN", "a-token-for-this-test")]).await;
    let refused = service.get("/work?latency=0&outage=1s").await;
    assert_eq!(refused.status, 401);
    assert!(refused.text().contains("outage at this cost needs"), "{}", refused.text());
    for (target, expected) in [
        ("/work?outage=6s", "of at most 5s"),
        ("/work?outage=1s&exit=1", "without exit"),
        ("/work?outage=1s&abort=reset", "without abort"),
    ] {
        let refused = service.get(target).await;
        assert_eq!(refused.status, 400, "{target}");
        assert!(refused.text().contains(expected), "{target}: {}", refused.text());
    }
    assert_eq!(service.get("/work?latency=0&outage=0").await.status, 200, "none is open to everybody");
    assert!(!service.refuses().await);
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_answer_gets_no_outage() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    client.send("GET /work?latency=60s&outage=60s HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    drop(client);
    service.counted(1.0).await;
    assert_eq!(service.get("/health").await.status, 200);
}

#[tokio::test]
async fn a_port_that_another_program_has_taken_is_waited_for() {
    let mut service = Service::start(&[]).await;
    service.goes_out("/work?latency=0&outage=500ms").await;
    let thief = taken(&service).await;
    let log = service.process.logged("cannot listen again yet").await;
    assert!(log["error"].as_str().unwrap().contains("in use"), "{log}");
    drop(thief);
    service.process.logged(BACK).await;
    service.counted(1.0).await;
}

#[tokio::test]
async fn a_port_that_does_not_become_free_ends_the_process_with_the_reason() {
    let mut service = Service::start(&[]).await;
    service.goes_out("/work?latency=0&outage=500ms").await;
    let thief = taken(&service).await;
    let ended = service.ended().await;
    assert_eq!(ended.code, Some(2));
    let last = ended.stderr.lines().find(|line| line.contains("cannot listen again on")).unwrap();
    assert!(last.contains("tried 10 times") && last.contains("in use"), "{last}");
    drop(thief);
}

/// The service's address, taken by another program while the service is out.
async fn taken(service: &Service) -> StdListener {
    // The standard library sets SO_REUSEADDR too.
    let address = service.address;
    within(async move { StdListener::bind(address) }, "the address").await.unwrap()
}
