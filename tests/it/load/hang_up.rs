//! Clients that hang up as they are told to: the service counts each of them once.

use firedrill_load::load::Summary;
use firedrill_load::outcome::{Outcome, Reached};
use http::StatusCode;

use super::{MS, drill, load_within, outcomes, run};
use crate::support::peer::{Act, Peer};
use crate::support::scrape::Scrape;
use crate::support::service::Service;

/// What the service counts of a drill with this one phase of 20 requests, and what came of it.
async fn counted(phase: &str) -> (Scrape, Summary) {
    let service = Service::start(&[]).await;
    let url = format!("http://{}", service.address);
    let summary = run(drill(&url, &format!(r#"{{ "leaving": {phase} }}"#))).await;
    (service.counted(20.0).await, summary)
}

#[tokio::test]
async fn who_hangs_up_before_the_answer_is_counted_once_under_its_workload() {
    for phase in [
        r#"{ "for": "200ms", "rate": "100/s", "hang_up": "before the answer", "work": { "latency": "60s" } }"#,
        r#"{ "for": "200ms", "rate": "100/s", "hang_up": "before the answer", "request": {
            "method": "POST", "path": "/work", "headers": { "content-type": "application/json" },
            "body": "{\"latency\":\"60s\",\"workload\":\"demo\"}" } }"#,
    ] {
        let (scrape, summary) = counted(phase).await;
        assert_eq!(outcomes(&summary), [(Outcome::HungUp, 20)]);
        assert_eq!(summary.ledger().reached(Reached::Yes), 20);
        let labels =
            [("workload", "demo"), ("error_type", "disconnected"), ("http_response_status_code", "")];
        assert_eq!(scrape.works(&labels), 20.0);
        assert!(summary.ended < 10_000 * MS, "nobody waited for an answer: {:?}", summary.ended);
    }
}

#[tokio::test]
async fn who_hangs_up_in_the_answer_is_counted_once_as_that() {
    let work = r#"{ "latency": "0", "body": "16MiB" }"#;
    let phase =
        format!(r#"{{ "for": "200ms", "rate": "100/s", "hang_up": "in the answer", "work": {work} }}"#);
    let (scrape, summary) = counted(&phase).await;
    assert_eq!(outcomes(&summary), [(Outcome::HungUp, 20)]);
    let labels = [("workload", "demo"), ("error_type", "disconnected"), ("http_response_status_code", "200")];
    assert_eq!(scrape.works(&labels), 20.0);
}

#[tokio::test]
async fn an_answer_that_comes_first_is_an_answer() {
    let request = r#""request": { "method": "POST", "path": "/", "body": "hello" }"#;
    let one = r#""for": "10ms", "rate": "100/s""#;
    for place in ["before the answer", "in the answer"] {
        let peer = Peer::start(|_| Act::Answer(401)).await;
        let phases = format!(r#"{{ "leaving": {{ {one}, {request}, "hang_up": "{place}" }} }}"#);
        let summary = run(drill(&peer.url(), &phases)).await;
        assert_eq!(outcomes(&summary), [(Outcome::Answered(StatusCode::UNAUTHORIZED), 1)], "{place}");
        assert_eq!(peer.lines(), ["POST / HTTP/1.1"]);
    }
}

#[tokio::test]
async fn a_service_that_never_asks_for_the_body_is_not_known_to_have_seen_the_request() {
    let peer = Peer::start(|_| Act::Hang).await;
    let phases = r#"{ "leaving": { "for": "10ms", "rate": "100/s", "hang_up": "before the answer",
        "request": { "method": "POST", "path": "/", "body": "hello" } } }"#;
    let summary = run(load_within(300 * MS, &peer.url(), phases)).await;
    assert_eq!(outcomes(&summary), [(Outcome::TimedOut, 1)]);
    assert!(peer.heads()[0].contains("expect: 100-continue\r\n"), "{:?}", peer.heads());
}
