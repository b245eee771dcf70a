//! An outage on request: nobody is answered for a while, and then everything goes on.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::client::{Answer, Client, End};
use crate::support::service::Service;

const OUT: &str = "nobody is answered until the outage is over";
const BACK: &str = "listening again";
/// Longer than any test waits.
const LONG: &str = "/work?latency=0&outage=60s";

/// A request that has begun and waits for the rest of its body.
struct Begun {
    client: Client,
    rest: String,
}

impl Begun {
    /// The answer, now that the body is there.
    async fn finish(&mut self) -> Answer {
        self.client.send(&self.rest).await;
        self.client.answer().await
    }
}

impl Service {
    /// Begins a request whose body, once it is sent, asks for this.
    async fn begin(&self, asks: &str) -> Begun {
        let mut client = self.connect().await;
        let head = "POST /work HTTP/1.1\r\nhost: test\r\ncontent-type: application/json";
        client.send(format!("{head}\r\ncontent-length: {}\r\n\r\n", asks.len())).await;
        let posts = [("http_request_method", "POST")];
        self.scrape_until("a POST", |scrape| scrape.sum("http_server_active_requests", &posts) == 1.0).await;
        Begun { client, rest: asks.to_owned() }
    }

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
    service.goes_out("/work?latency=0&outage=2s&workload=demo").await;
    assert!(service.refuses().await);
    let back = service.process.logged(BACK).await;
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(back["address"], service.address.to_string());

    let scrape = service.counted(2.0).await;
    assert_eq!(scrape.works(&[("workload", "demo"), ("http_response_status_code", "200")]), 2.0);
    let started = |scrape: &crate::support::scrape::Scrape| scrape.sum("process_start_time_seconds", &[]);
    assert_eq!(started(&scrape), started(&before), "it is the same process");
    assert_eq!(service.get("/ready").await.status, 200);
}

#[tokio::test]
async fn an_outage_lets_requests_that_have_begun_finish_and_closes_every_connection() {
    let mut service = Service::start(&[]).await;
    let mut idle = service.connect().await;
    assert_eq!(idle.request("GET", "/health").await.status, 200);
    let silent = service.connect().await;
    let mut working = service.begin(r#"{"latency":0,"workload":"demo"}"#).await;
    service.goes_out("/work?latency=0&outage=200ms").await;

    assert_eq!(idle.end().await, (End::Closed, Vec::new()));
    assert_eq!(silent.end().await, (End::Closed, Vec::new()));
    let answer = working.finish().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(working.client.end().await, (End::Closed, Vec::new()));

    service.process.logged(BACK).await;
    let scrape = service.counted(2.0).await;
    assert_eq!(scrape.works(&[("workload", "demo"), ("http_response_status_code", "200")]), 1.0);
    assert_eq!(scrape.sum("firedrill_connections", &[]), 1.0, "of the scrape itself");
}

#[tokio::test]
async fn under_load_what_is_counted_is_what_was_answered() {
    let mut service = Service::start(&[]).await;
    let (address, over) = (service.address, Arc::new(AtomicBool::new(false)));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let over = Arc::clone(&over);
        clients.spawn(async move {
            let mut answered = 0.0;
            while !over.load(Relaxed)
                && let Ok(stream) = TcpStream::connect(address).await
            {
                // A connection that is closed under its client is what an outage is like; then nothing came.
                match one_request(stream).await.unwrap_or_default() {
                    answer if answer.starts_with("HTTP/1.1 200") => answered += 1.0,
                    answer => assert_eq!(answer, ""),
                }
            }
            answered
        });
    }
    service.scrape_until("load", |scrape| scrape.works(&[]) > 200.0).await;
    service.goes_out("/work?latency=0&outage=300ms").await;
    // Whoever was not refused.
    over.store(true, Relaxed);
    let answered: f64 = clients.join_all().await.into_iter().sum();
    service.process.logged(BACK).await;
    let scrape = service.counted(answered + 1.0).await;
    assert_eq!(scrape.works(&[("workload", "demo"), ("http_response_status_code", "200")]), answered);
}

/// One request on a connection of its own, and all that came.
async fn one_request(mut stream: TcpStream) -> std::io::Result<String> {
    let request = b"GET /work?latency=2ms&workload=demo HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_second_outage_is_put_together_with_the_one_under_way() {
    let mut service = Service::start(&[]).await;
    let mut second = service.begin(r#"{"latency":0,"outage":"4s"}"#).await;
    service.goes_out("/work?latency=0&outage=3s").await;
    let began = Instant::now();
    assert_eq!(second.finish().await.status, 200);
    service.process.logged(BACK).await;
    assert!(began.elapsed() >= Duration::from_secs(4), "{:?}", began.elapsed());
    service.counted(2.0).await;
    service.signal(Signal::INT);
    let log = service.ended().await.stderr;
    assert_eq!(log.matches(OUT).count(), 1, "{log}");
}

#[tokio::test]
async fn sigterm_during_an_outage_ends_without_a_drain() {
    let mut service = Service::start(&["--drain", "60s"]).await;
    let mut working = service.begin("{}").await;
    service.goes_out(LONG).await;
    service.signal(Signal::TERM);
    service.process.logged("finishing what is in flight").await;
    assert_eq!(working.finish().await.status, 200, "what has begun is finished");
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
    service.goes_out("/work?latency=0&outage=3s").await;
    let thief = taken(&service);
    let log = service.process.logged("cannot listen again yet").await;
    assert!(log["error"].as_str().unwrap().contains("in use"), "{log}");
    drop(thief);
    service.process.logged(BACK).await;
    service.counted(1.0).await;
}

#[tokio::test]
async fn a_port_that_does_not_become_free_ends_the_process_with_the_reason() {
    let mut service = Service::start(&[]).await;
    service.goes_out("/work?latency=0&outage=3s").await;
    let thief = taken(&service);
    let ended = service.ended().await;
    assert_eq!(ended.code, Some(2));
    let last = ended.stderr.lines().find(|line| line.contains("cannot listen again on")).unwrap();
    assert!(last.contains("tried 10 times") && last.contains("in use"), "{last}");
    drop(thief);
}

/// The service's address, taken by another program while the service is out.
fn taken(service: &Service) -> StdListener {
    // The standard library sets SO_REUSEADDR too.
    StdListener::bind(service.address).unwrap()
}
