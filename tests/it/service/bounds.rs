//! Everything in flight is bounded, and no client can hold the service.

use crate::support::client::Client;
use crate::support::service::Service;

const LONG: &str = "GET /work?latency=60s&workload=demo HTTP/1.1\r\nhost: test\r\n\r\n";

#[tokio::test]
async fn over_a_bound_the_answer_is_503_at_once_and_counted_as_shed() {
    let service =
        Service::start(&["--max-work", "2", "--max-memory", "64MiB", "--max-memory-total", "64MiB"]).await;
    let mut held = service.connect().await;
    held.send("GET /work?latency=0&memory=60MiB&hold=60s HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    let too_much = service.get("/work?latency=0&memory=5MiB&workload=demo").await;
    assert_eq!((too_much.status, too_much.header("retry-after")), (503, Some("1")));
    let mut busy = service.connect().await;
    busy.send(LONG).await;
    service.in_flight(2.0).await;
    let too_many = service.get("/work?latency=0&workload=demo").await;
    assert_eq!((too_many.status, too_many.header("retry-after")), (503, Some("1")));
    let ready = service.get("/ready").await;
    assert!(ready.status == 503 && ready.text().contains("saturated"), "{ready:?}");
    assert_eq!(service.get("/health").await.status, 200);

    drop((held, busy));
    let scrape = service.counted(4.0).await;
    for bound in ["memory", "concurrency"] {
        let labels = [("workload", "demo"), ("bound", bound)];
        assert_eq!(scrape.sum("firedrill_shed_requests_total", &labels), 1.0, "{bound}");
    }
    assert_eq!(scrape.works(&[("error_type", "shed"), ("http_response_status_code", "503")]), 2.0);
    assert_eq!(service.get("/ready").await.status, 200);
}

#[tokio::test]
async fn health_answers_while_every_burner_and_every_place_is_busy() {
    let service = Service::start(&["--max-work", "8", "--cpu-threads", "2"]).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = service.connect().await;
        client.send("GET /work?latency=0&cpu=10s HTTP/1.1\r\nhost: test\r\n\r\n").await;
        clients.push(client);
    }
    service.in_flight(8.0).await;
    for _ in 0..20 {
        assert_eq!(service.get("/health").await.text(), "I'm healthy");
    }
}

#[tokio::test]
async fn a_connection_too_many_is_told_so_and_counted() {
    let service = Service::start(&["--max-connections", "2"]).await;
    let (mut first, mut second) = (service.connect().await, service.connect().await);
    assert_eq!(first.request("GET", "/health").await.status, 200);
    assert_eq!(second.request("GET", "/health").await.status, 200);
    let third = service.get("/health").await;
    assert_eq!((third.status, third.header("retry-after")), (503, Some("1")));
    assert_eq!(third.json()["status"], 503);
    drop(second);
    let scrape = service.scrape_until_refused(1.0, &mut first).await;
    assert_eq!(scrape.sum("firedrill_connections_limit", &[]), 2.0);
}

impl Service {
    /// Scrapes over a connection that is open already.
    async fn scrape_until_refused(
        &self,
        refused: f64,
        client: &mut Client,
    ) -> crate::support::scrape::Scrape {
        let scrape = crate::support::scrape::Scrape::parse(&client.request("GET", "/metrics").await.text());
        assert_eq!(scrape.sum("firedrill_connections_refused_total", &[]), refused);
        scrape
    }
}

#[tokio::test]
async fn slow_and_idle_clients_are_let_go() {
    let service = Service::start(&["--header-timeout", "80ms", "--idle-timeout", "120ms"]).await;
    let silent = service.connect().await;
    let mut slow = service.connect().await;
    slow.send("GET /health HTTP/1.1\r\nx-slow: ").await;
    let mut idle = service.connect().await;
    assert_eq!(idle.request("GET", "/health").await.status, 200);
    for client in [silent, slow, idle] {
        let (_, rest) = client.end().await;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
}

#[tokio::test]
async fn a_request_that_takes_longer_than_the_idle_timeout_is_still_served() {
    let service = Service::start(&["--header-timeout", "50ms", "--idle-timeout", "50ms"]).await;
    assert_eq!(service.get("/work?latency=300ms").await.status, 200);
}

#[tokio::test]
async fn costly_work_needs_the_token_and_cheap_work_does_not() {
    let service = Service::start_with(&[], &[("FIREDRILL_TOKEN", "s3cret")]).await;
    for query in ["cpu=1ms", "memory=1KiB", "abort=reset", "exit=1", "body=2MiB", "latency=6s"] {
        let answer =
            service.get(&format!("/work?latency=0&{query}").replace("latency=0&latency", "latency")).await;
        assert_eq!(answer.status, 401, "{query}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{query}");
    }
    assert_eq!(service.get("/work?latency=0&error_rate=1&error_status=503").await.status, 503);
    let with = async |token: &str| {
        let mut client = service.connect().await;
        client
            .send(format!(
                "GET /work?latency=0&cpu=1ms HTTP/1.1\r\nhost: test\r\nauthorization: {token}\r\n\r\n"
            ))
            .await;
        client.answer().await.status
    };
    assert_eq!(
        (with("Bearer s3cret").await, with("Bearer s3cre").await, with("Basic s3cret").await),
        (200, 401, 401)
    );
    service.signal(rustix::process::Signal::INT);
    let ended = service.ended().await;
    assert!(!ended.stderr.contains("s3cret"), "the token is in the log:\n{}", ended.stderr);
}

#[tokio::test]
async fn a_page_of_another_site_gets_nothing_costly_out_of_a_browser() {
    let service = Service::start(&[]).await;
    let ask = async |query: &str, site: &str| {
        let mut client = service.connect().await;
        client
            .send(format!(
                "GET /work?latency=0&{query} HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: {site}\r\n\r\n"
            ))
            .await;
        client.answer().await.status
    };
    for site in ["cross-site", "same-site", "anything"] {
        for query in ["exit=0", "cpu=1ms", "outage=1s", "memory=1KiB", "abort=panic", "body=2MiB"] {
            assert_eq!(ask(query, site).await, 403, "{query} for a page of {site}");
        }
        assert_eq!(ask("status=201", site).await, 201, "what is cheap is for everybody");
    }
    for site in ["same-origin", "none"] {
        assert_eq!(ask("cpu=1ms", site).await, 200, "the page of the service itself, and a person");
    }
}
