//! What is no notification is refused with the reason, and counted.

use crate::support::client::Answer;
use crate::support::pager::{FIRING, Pager, alert, notification};

const JSON: &str = "content-type: application/json\r\n";

impl Pager {
    /// Checks that something was refused with this status and detail, and counted once by this reason.
    async fn refused(&self, answer: Answer, status: u16, detail: &str, reason: &str) {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let said = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(said.contains(detail), "{said:?} does not say {detail:?}");
        let counted = |scrape: &crate::support::scrape::Scrape| {
            scrape.sum("firedrill_pager_refused_payloads_total", &[("reason", reason)])
        };
        assert_eq!(counted(&self.scrape().await), 1.0, "{reason}");
        assert!(self.pages("").await.is_empty());
    }
}

#[tokio::test]
async fn a_malformed_payload_is_refused_with_what_is_wrong() {
    for (wrong, detail) in [
        (FIRING[..100].to_owned(), "EOF while parsing"),
        ("x".to_owned(), "expected a JSON object"),
        (String::new(), "the body is empty"),
        (FIRING.replace("2026-11-22T18:38", "22 November"), "alerts[0].startsAt"),
        (FIRING.replace("\"fingerprint\"", "\"print\""), "alerts[0]: missing field `fingerprint`"),
    ] {
        let pager = Pager::start(&[]).await;
        let answer = pager.post(JSON, &wrong).await;
        pager.refused(answer, 400, detail, "malformed").await;
    }
}

#[tokio::test]
async fn another_version_is_refused_as_such() {
    let pager = Pager::start(&[]).await;
    let answer = pager.post(JSON, &FIRING.replace("\"version\":\"4\"", "\"version\":\"5\"")).await;
    pager.refused(answer, 400, "version: expected \"4\", got \"5\"", "version").await;
}

#[tokio::test]
async fn what_is_not_called_json_is_refused() {
    let pager = Pager::start(&[]).await;
    let answer = pager.post("content-type: text/plain\r\n", FIRING).await;
    pager.refused(answer, 415, "application/json", "not_json").await;
}

#[tokio::test]
async fn a_page_of_another_site_can_make_a_browser_post_nothing() {
    let pager = Pager::start(&[]).await;
    // Without asking first, a browser sends only such kinds for another site's page (Fetch standard, CORS-safelisted).
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        assert_eq!(pager.post(&format!("content-type: {kind}\r\n"), FIRING).await.status, 415, "{kind}");
    }
    // And when it asks, nobody says yes.
    let mut client = pager.connect().await;
    client
        .send("OPTIONS /webhook HTTP/1.1\r\nhost: test\r\norigin: http://example.com\r\naccess-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n\r\n")
        .await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, None));
    assert!(pager.pages("").await.is_empty());
}

#[tokio::test]
async fn a_large_body_is_refused_and_one_as_large_as_allowed_is_not() {
    let pager = Pager::start(&["--max-body", "4KiB"]).await;
    let sized = |bytes: usize| {
        let payload = notification([alert("A", "firing", 0)]).to_string();
        format!("{}{payload}", " ".repeat(bytes - payload.len()))
    };
    let answer = pager.post(JSON, &sized(4097)).await;
    pager.refused(answer, 413, "larger than 4KiB", "too_large").await;
    assert_eq!(pager.post(JSON, &sized(4096)).await.status, 200);
}

#[tokio::test]
async fn a_slow_body_is_refused() {
    let pager = Pager::start(&["--body-timeout", "100ms"]).await;
    let mut client = pager.connect().await;
    client
        .send(format!("POST /webhook HTTP/1.1\r\nhost: test\r\n{JSON}content-length: 1000\r\n\r\n{{"))
        .await;
    pager.refused(client.answer().await, 408, "did not arrive within 100ms", "timeout").await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let pager = Pager::start(&[]).await;
    let mut client = pager.connect().await;
    client
        .send(format!("POST /webhook HTTP/1.1\r\nhost: test\r\n{JSON}content-length: 1000\r\n\r\n{{"))
        .await;
    client.finish_sending().await;
    pager.refused(client.answer().await, 400, "could not be read", "incomplete").await;
}

#[tokio::test]
async fn a_notification_needs_the_token_where_there_is_one() {
    let pager = Pager::start_with(&[], &[("FIREDRILL_PAGER_TOKEN", "s3cret")]).await;
    let answer = pager.post(JSON, FIRING).await;
    assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    pager.refused(answer, 401, "Authorization: Bearer", "unauthorized").await;
    assert_eq!(pager.post(&format!("{JSON}authorization: Bearer wrong\r\n"), FIRING).await.status, 401);
    assert_eq!(pager.post(&format!("{JSON}authorization: Bearer s3cret\r\n"), FIRING).await.status, 200);
    // Who may read is not what the token is about.
    assert_eq!(pager.pages("").await.len(), 1);
}

#[tokio::test]
async fn only_so_many_bodies_are_taken_in_at_a_time() {
    let pager = Pager::start(&[]).await;
    let mut slow = Vec::new();
    for _ in 0..16 {
        let mut client = pager.connect().await;
        client
            .send(format!("POST /webhook HTTP/1.1\r\nhost: test\r\n{JSON}content-length: 9\r\n\r\n{{"))
            .await;
        slow.push(client);
    }
    pager
        .scrape_until("16 bodies", |scrape| {
            scrape.sum("http_server_active_requests", &[("http_request_method", "POST")]) == 16.0
        })
        .await;
    let answer = pager.post(JSON, FIRING).await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    pager.refused(answer, 503, "too many", "busy").await;
    drop(slow);
    pager
        .scrape_until("no body", |scrape| {
            scrape.sum("http_server_active_requests", &[("http_request_method", "POST")]) == 0.0
        })
        .await;
    assert_eq!(pager.post(JSON, FIRING).await.status, 200);
}

#[tokio::test]
async fn other_methods_and_paths_are_problems() {
    let pager = Pager::start(&[]).await;
    let answer = pager.get("/webhook").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    let answer = pager.get("/work").await;
    assert!(answer.status == 404 && answer.text().contains("/pages/stream"), "{}", answer.text());
    assert_eq!(pager.get("/health").await.text(), "I'm healthy");
}

#[tokio::test]
async fn its_own_requests_are_counted_and_have_no_workload() {
    let pager = Pager::start(&[]).await;
    let before = pager.scrape().await;
    assert!(before.has("http_server_request_duration_seconds_count", &[("http_route", "/webhook")]));
    pager.notify(FIRING).await;
    pager.post(JSON, "x").await;
    let scrape = pager.scrape().await;
    let webhooks = |status| scrape.requests("/webhook", &[("http_response_status_code", status)]);
    assert_eq!((webhooks("200"), webhooks("400")), (1.0, 1.0));
    let labels = scrape.samples().iter().flat_map(|sample| &sample.labels);
    assert!(labels.filter(|(name, _)| name == "workload").count() == 0);
    for name in ["process_cpu_seconds_total", "firedrill_build_info", "firedrill_connections"] {
        assert!(scrape.has(name, &[]), "{name}");
    }
}
