//! HTTP/1.1 as RFC 9110 and RFC 9112 have it, and what is not: one answer for each request, and none for
//! what hides in another one.
//!
//! Every command that serves stands on the same server; the pager is tried where its own routes matter.

use crate::support::client::{Client, End};
use crate::support::process::within;
use crate::support::serving::Serving;

/// What somebody hides behind a request, where it must not be taken for another one. It would be counted
/// under a workload of its own.
const HIDDEN: &str = "GET /work?workload=web&latency=0 HTTP/1.1\r\nhost: test\r\n\r\n";

impl Serving {
    async fn serve() -> Self {
        Self::start_with("serve", &["--body-timeout", "5s"], &[]).await
    }

    /// Sends this and reads until the server closes the connection; the statuses that it answered.
    async fn closes_after(&self, request: impl AsRef<[u8]>) -> Vec<u16> {
        let mut client = self.connect().await;
        client.send(request).await;
        let (_, read) = client.end().await;
        statuses(&read)
    }

    /// How often what came could not be read as a request.
    async fn unreadable(&self, reason: &str) -> f64 {
        self.scrape().await.sum("firedrill_unreadable_requests_total", &[("reason", reason)])
    }
}

/// The statuses of all answers in these bytes.
fn statuses(read: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(read);
    let lines = text.split("HTTP/1.").skip(1);
    lines.filter_map(|rest| rest.get(2..5)?.parse().ok()).collect()
}

#[tokio::test]
async fn what_is_no_request_is_answered_400_once_and_its_connection_closed() {
    let service = Serving::serve().await;
    let malformed = [
        // The request line (RFC 9112, section 3).
        "HELLO\r\n\r\n",
        "GET /health\r\nhost: test\r\n\r\n",
        "GET  HTTP/1.1\r\nhost: test\r\n\r\n",
        "GET /hea lth HTTP/1.1\r\nhost: test\r\n\r\n",
        "GET /health HTTP/1.1 x\r\nhost: test\r\n\r\n",
        "GE(T /health HTTP/1.1\r\nhost: test\r\n\r\n",
        "GET /health HTTP/3.0\r\nhost: test\r\n\r\n",
        "GET /health http/1.1\r\nhost: test\r\n\r\n",
        // A bare CR (section 2.2), NUL and other control characters (RFC 9110, section 5.5).
        "GET /health HTTP/1.1\rhost: test\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: test\r\nx: a\rb\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: test\r\nx: a\0b\r\n\r\n",
        "GET /hea\u{1}lth HTTP/1.1\r\nhost: test\r\n\r\n",
        // White space before the first field (section 2.2), before a colon (section 5.1), and a folded line
        // (section 5.2).
        "GET /health HTTP/1.1\r\n host: test\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost : test\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: test\r\nx: a\r\n b\r\n\r\n",
        // Fields without a colon, without a name, with a name that is no token (section 5).
        "GET /health HTTP/1.1\r\nhost: test\r\nx\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: test\r\n: a\r\n\r\n",
        "GET /health HTTP/1.1\r\nhost: test\r\nx y: a\r\n\r\n",
        // Lengths that are none or contradict each other (section 6.3, rule 5).
        "POST /work HTTP/1.1\r\nhost: test\r\ncontent-length: -1\r\n\r\n",
        "POST /work HTTP/1.1\r\nhost: test\r\ncontent-length: +5\r\n\r\n",
        "POST /work HTTP/1.1\r\nhost: test\r\ncontent-length: 0x5\r\n\r\n",
        "POST /work HTTP/1.1\r\nhost: test\r\ncontent-length: 5, 6\r\n\r\n",
        "POST /work HTTP/1.1\r\nhost: test\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "POST /work HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\ncontent-length: 58\r\n\r\n",
        // A coding that is not chunked in the end (section 6.3, rule 4), and any in HTTP/1.0 (section 6.1).
        "POST /work HTTP/1.1\r\nhost: test\r\ntransfer-encoding: identity\r\n\r\n",
        "POST /work HTTP/1.1\r\nhost: test\r\ntransfer-encoding: xchunked\r\n\r\n",
        "POST /work HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked, identity\r\n\r\n",
        "POST /work HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n",
        "POST /work HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n",
    ];
    for request in malformed {
        assert_eq!(service.closes_after(format!("{request}{HIDDEN}")).await, [400], "{request:?}");
    }
    assert_eq!(service.unreadable("malformed").await, malformed.len() as f64, "each is counted once");
    assert_eq!(service.scrape().await.works(&[]), 0.0, "and as nothing else");
}

#[tokio::test]
async fn a_request_without_one_valid_host_is_answered_400_and_its_connection_closed() {
    // RFC 9112, section 3.2.
    let service = Serving::serve().await;
    let hosts = [
        "",
        "host: test\r\nhost: test\r\n",
        "host: test\r\nHost: other\r\n",
        "host: two words\r\n",
        "host: http://test\r\n",
        "host: test/path\r\n",
        "host: user@test\r\n",
        "host: test:port\r\n",
        "host: a, b\r\n",
    ];
    for host in hosts {
        let request = format!("GET /health HTTP/1.1\r\n{host}\r\n{HIDDEN}");
        assert_eq!(service.closes_after(request).await, [400], "{host:?}");
    }
    let scrape = service.scrape().await;
    let refused = scrape.requests("/health", &[("http_response_status_code", "400")]);
    assert_eq!(
        (refused, scrape.works(&[])),
        (hosts.len() as f64, 0.0),
        "each is a request that is counted once"
    );
    // A target without a slash is a host, and for CONNECT alone (section 3.2.3).
    let request = format!("GET health HTTP/1.1\r\nhost: test\r\n\r\n{HIDDEN}");
    assert_eq!(service.closes_after(request).await, [400]);

    for host in ["test", "test:8080", "127.0.0.1:80", "[::1]:8080", "", "ex%41mple.org", "a_b.svc"] {
        let mut client = service.connect().await;
        client.send(format!("GET /health HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert_eq!(client.answer().await.status, 200, "{host:?}");
    }
}

#[tokio::test]
async fn a_length_beside_chunks_does_not_count_and_ends_the_connection() {
    // RFC 9112, section 6.1.
    let service = Serving::serve().await;
    let json = "content-type: application/json\r\n";
    for headers in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 90",
    ] {
        let request = format!(
            "POST /work?latency=0 HTTP/1.1\r\nhost: test\r\n{json}{headers}\r\n\r\n0\r\n\r\n{HIDDEN}"
        );
        assert_eq!(service.closes_after(request).await, [200], "{headers:?}");
    }
    let scrape = service.scrape().await;
    assert_eq!((scrape.works(&[]), scrape.works(&[("workload", "web")])), (2.0, 0.0));
}

#[tokio::test]
async fn a_request_that_hides_in_a_body_is_a_body() {
    let service = Serving::serve().await;
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let length = HIDDEN.len();
    for (method, target, body) in [
        ("GET", "/health", format!("content-length: {length}\r\n\r\n{HIDDEN}")),
        ("GET", "/health", format!("transfer-encoding: chunked\r\n\r\n{chunk}")),
        ("GET", "/health", format!("transfer-encoding: gzip, chunked\r\n\r\n{chunk}")),
        ("BREW", "/health", format!("content-length: {length}\r\n\r\n{HIDDEN}")),
        ("GET", "/nowhere", format!("content-length: {length}\r\n\r\n{HIDDEN}")),
        ("POST", "/work", format!("content-length: {length}\r\n\r\n{HIDDEN}")),
        ("POST", "/work", format!("content-length: {length}\r\nContent-Length: {length}\r\n\r\n{HIDDEN}")),
        // The last chunk has fields after it, as a request would have.
        ("POST", "/work", format!("transfer-encoding: chunked\r\n\r\n0\r\n{}", HIDDEN.replacen(' ', ":", 1))),
    ] {
        let request = format!("{method} {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{body}");
        assert_eq!(service.closes_after(&request).await.len(), 1, "{request:?}");
    }
    assert_eq!(service.scrape().await.works(&[("workload", "web")]), 0.0);
}

#[tokio::test]
async fn chunks_that_are_none_end_the_request_with_400_and_the_connection() {
    // RFC 9112, section 7.1.
    let service = Serving::serve().await;
    let chunks = [
        "zz\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "\r\n{}\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\n{}\n0\n\n",
        "1\r\n{}\r\n0\r\n\r\n",
        "2 2\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
    ];
    for chunk in chunks {
        let head = "POST /work HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(service.closes_after(format!("{head}{chunk}{HIDDEN}")).await, [400], "{chunk:?}");
        let ignored = "GET /health HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(service.closes_after(format!("{ignored}{chunk}{HIDDEN}")).await, [200], "{chunk:?}");
    }
    let scrape = service.scrape().await;
    let refused = scrape.works(&[("http_response_status_code", "400"), ("error_type", "")]);
    assert_eq!((refused, scrape.works(&[])), (chunks.len() as f64, chunks.len() as f64));
}

#[tokio::test]
async fn what_the_standard_allows_is_served() {
    let service = Serving::serve().await;
    let mut client = service.connect().await;
    for (request, status) in [
        // The absolute form (RFC 9112, section 3.2.2), whatever host it says.
        ("GET http://elsewhere:99/health HTTP/1.1\r\nhost: test\r\n\r\n", 200),
        // One empty line before a request, and LF alone at the end of lines (section 2.2).
        ("\r\nGET /health HTTP/1.1\r\nhost: test\r\n\r\n", 200),
        ("GET /health HTTP/1.1\nhost: test\n\n", 200),
        // No space after a colon, much before the end (section 5), names in any case, bytes over ASCII.
        ("GET /health HTTP/1.1\r\nHOST:test \t \r\nx: \u{fc}\r\n\r\n", 200),
        // The asterisk form (section 3.2.4) names no path that is served.
        ("OPTIONS * HTTP/1.1\r\nhost: test\r\n\r\n", 404),
        // An expectation that nobody knows may be left unmet (RFC 9110, section 10.1.1).
        ("GET /health HTTP/1.1\r\nhost: test\r\nexpect: the-unexpected\r\n\r\n", 200),
        // A protocol that is not spoken (section 7.8).
        ("GET /health HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", 200),
    ] {
        client.send(request).await;
        assert_eq!(client.answer().await.status, status, "{request:?}");
    }
    // Several at once are answered in their order (RFC 9112, section 9.3.2).
    let one = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: test\r\n\r\n");
    client.send([one("/work?latency=20ms&status=201"), one("/nowhere"), one("/health")].concat()).await;
    let answers = [client.answer().await, client.answer().await, client.answer().await];
    assert_eq!(answers.map(|answer| answer.status), [201, 404, 200]);
    // HTTP/1.0 needs no host, and its connection ends unless it asks for more (section 9.3).
    assert_eq!(service.closes_after("GET /health HTTP/1.0\r\n\r\n").await, [200]);
    assert_eq!(service.unreadable("malformed").await, 0.0);
}

#[tokio::test]
async fn a_client_that_waits_for_100_sends_its_body_after_it_or_never() {
    // RFC 9110, section 10.1.1.
    let service = Serving::serve().await;
    let mut client = service.connect().await;
    let head = "HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: 18";
    client.send(format!("POST /work?latency=0 {head}\r\n\r\n")).await;
    assert_eq!(client.head_alone().await.status, 100);
    client.send("{\"workload\":\"web\"}").await;
    assert_eq!(client.answer().await.json()["workload"], "web");
    // What does not look at the body does not ask for it; what comes then could be anything, and is not read.
    let mut client = service.connect().await;
    client.send(format!("GET /health {head}\r\n\r\n")).await;
    let (_, read) = client.end().await;
    assert_eq!(statuses(&read), [200]);
}

#[tokio::test]
async fn methods_that_a_path_does_not_take_are_405_and_have_one_name() {
    // RFC 9110, sections 9.1 and 15.5.6.
    let service = Serving::serve().await;
    let mut client = service.connect().await;
    let long = "M".repeat(3_000);
    for method in ["BREW", "get", "TRACE", "CONNECT", "PRI", &long] {
        let answer = client.request(method, "/health").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")), "{method}");
        assert!(!answer.text().contains("host: test"), "a TRACE shows nobody their fields");
    }
    // There is no tunnel, and what follows is a request and no bytes for elsewhere (section 9.3.6).
    let mut client = service.connect().await;
    client.send(format!("CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere:443\r\n\r\n{HIDDEN}")).await;
    assert_eq!(client.answer().await.status, 404);
    let scrape = service.scrape().await;
    let of = |method| {
        scrape.requests("/health", &[("http_request_method", method), ("http_response_status_code", "405")])
    };
    assert_eq!((of("_OTHER"), of("TRACE"), of("CONNECT")), (4.0, 1.0, 1.0));
    assert_eq!(scrape.requests("unmatched", &[("http_request_method", "CONNECT")]), 1.0);
}

#[tokio::test]
async fn a_head_over_its_bound_is_answered_431_once_and_its_connection_closed() {
    // RFC 6585, section 5; RFC 9110, section 15.5.15 where it is the target alone.
    let service = Serving::start_with("serve", &["--max-header", "8KiB"], &[]).await;
    let many = |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let large = [
        format!("GET /health?{} HTTP/1.1\r\nhost: test\r\n\r\n", "x".repeat(9_000)),
        format!("GET /health HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n", "x".repeat(9_000)),
        format!("GET /health HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!("GET /health HTTP/1.1\r\nhost: test\r\n{}: x\r\n\r\n", "x".repeat(9_000)),
        format!("GET /health HTTP/1.1\r\nhost: test\r\n{}\r\n", many(200)),
        format!("{} /health HTTP/1.1\r\nhost: test\r\n\r\n", "M".repeat(9_000)),
        "x".repeat(100_000),
    ];
    for request in &large {
        let shown = &request[..40];
        assert_eq!(service.closes_after(format!("{request}{HIDDEN}")).await, [431], "{shown}...");
    }
    assert_eq!(service.unreadable("too_large").await, large.len() as f64);
    let mut client = service.connect().await;
    client.send(format!("GET /health HTTP/1.1\r\nhost: test\r\n{}\r\n", many(99))).await;
    assert_eq!(client.answer().await.status, 200, "a hundred fields are none too many");
}

#[tokio::test]
async fn no_bytes_give_a_label_a_value_that_the_server_did_not_have() {
    let service = Serving::serve().await;
    let series = async || {
        let scrape = service.scrape().await;
        let values = scrape.samples().iter().flat_map(|sample| sample.labels.clone());
        values.filter(|(name, _)| name != "le").collect::<std::collections::BTreeSet<_>>()
    };
    for target in [
        "/",
        "/health/",
        "//health",
        "/%68ealth",
        "/../work",
        "/work;x",
        "/WORK",
        "/page/../../etc/passwd",
        "/page/%2e%2e",
    ] {
        let _ = service.get(target).await;
    }
    for workload in ["web", "other", "_OTHER", "%22%7D%0Aup%201", "x".repeat(64).as_str()] {
        assert_eq!(service.get(&format!("/work?latency=0&workload={workload}")).await.status, 200);
    }
    let _ = service.connect().await.request("BREW", "/work").await;
    let known = ["/", "/health", "/metrics", "/ready", "/openapi.json", "/page/{file}", "/work", "unmatched"];
    for (name, value) in series().await {
        match name.as_str() {
            "http_route" => assert!(known.contains(&&*value), "{value}"),
            "workload" => assert!(["", "demo", "drill", "web", "other"].contains(&&*value), "{value}"),
            "http_request_method" => assert!(["GET", "HEAD", "POST", "_OTHER"].contains(&&*value), "{value}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn the_pager_takes_no_notification_that_hides_in_another_one() {
    let pager = Serving::start_with("pager", &[], &[]).await;
    let firing = include_str!("../data/alertmanager/firing.json");
    let hidden = format!(
        "POST /webhook HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{firing}",
        firing.len()
    );
    let post = "POST /webhook HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n";
    for (request, status) in [
        (format!("{post}content-length: 0\r\ncontent-length: 9\r\n\r\n"), 400),
        (format!("{post}content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"), 400),
        (format!("{post}transfer-encoding: identity\r\n\r\n"), 400),
        (format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\n"), 400),
        ("POST /webhook HTTP/1.1\r\ncontent-length: 0\r\n\r\n".to_owned(), 400),
        (format!("{}x: {}\r\n\r\n", post, "x".repeat(1 << 20)), 431),
    ] {
        assert_eq!(
            pager.closes_after(format!("{request}{hidden}")).await,
            [status],
            "{:?}",
            &request[..80.min(request.len())]
        );
    }
    assert_eq!(pager.get("/pages").await.json()["pages"], serde_json::json!([]), "nothing rang");
}

#[tokio::test]
async fn a_connection_that_says_nothing_of_http_at_all_is_closed() {
    let service = Serving::serve().await;
    let tls: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let preface: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for bytes in [tls, preface, &[0; 64], &[0xff; 64]] {
        let mut client: Client = service.connect().await;
        client.send(bytes).await;
        let (end, read) = within(client.end(), "the end of the connection").await;
        assert!(matches!(end, End::Closed | End::Reset));
        assert!(statuses(&read).iter().all(|status| *status == 400), "{read:?}");
    }
    assert_eq!(service.unreadable("malformed").await, 4.0);
}
