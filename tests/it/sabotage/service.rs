//! A service that counts wrongly, drilled without any Prometheus.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::shipped::Shipped;
use super::stack::Drilled;
use crate::support::directory::Directory;
use crate::support::fetch;
use crate::support::process::Process;
use crate::support::serving::Serving;

/// What is told for a line of the service's metrics.
type Lie = fn(&str) -> Option<String>;

/// What begins a series that counts requests for work.
const REQUESTS: &str = "http_server_request_duration_seconds_";

/// Runs the drill that comes with the program against a service of which `/metrics` lies.
async fn drilled(lie: Lie) -> Drilled {
    const FILE: &str = "drills/embedded.yaml";
    let service = Serving::start_with("serve", &[], &[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let address: Arc<str> = service.address.to_string().into();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, Arc::clone(&address), lie));
        }
    });
    let directory = Directory::new("lying-service");
    // Latencies so long that what a busy machine adds to them stays within the tolerances.
    Shipped::copy().with(FILE, "p50=20ms,p99=120ms", "uniform(400ms,600ms)").write(&directory);
    let arguments = ["drill", FILE, "--seed", "7", "--target", &target];
    let process = Process::start_in(directory.path(), &arguments, &[]);
    Drilled::of(process).await
}

/// Passes a connection on as it is, unless what it asks for first is metrics.
async fn pass_on(mut client: TcpStream, service: Arc<str>, lie: Lie) {
    let mut head = Vec::new();
    // A client sends the head of its first request at once.
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read_buf(&mut head).await {
            Ok(1..) => {}
            _ => return,
        }
    }
    if head.starts_with(b"GET /metrics") {
        return tell(client, &service, lie).await;
    }
    let mut service = TcpStream::connect(&*service).await.unwrap();
    // That a client hung up is no failure of this test.
    let _ = service.write_all(&head).await;
    let _ = copy_bidirectional(&mut client, &mut service).await;
}

/// Answers with the service's metrics, line by line as the lie has them.
async fn tell(mut client: TcpStream, service: &str, lie: Lie) {
    let metrics = fetch::get(&format!("http://{service}/metrics")).await.unwrap();
    let text: String = metrics.text().lines().filter_map(lie).map(|line| line + "\n").collect();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    let _ = client.write_all(answer.as_bytes()).await;
    let _ = client.shutdown().await;
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_that_tells_the_truth_through_the_same_door_is_believed() {
    drilled(|line| Some(line.to_owned())).await.pass();
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_that_counts_each_request_twice() {
    let twice = drilled(|line| {
        let Some((series, value)) = line.rsplit_once(' ').filter(|_| line.starts_with(REQUESTS)) else {
            return Some(line.to_owned());
        };
        Some(format!("{series} {}", 2.0 * value.parse::<f64>().unwrap()))
    });
    twice.await.fail("counts 800 sent, 1600 counted: 800 requests too many, each request was counted twice");
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_that_misses_hang_ups() {
    let missed = drilled(|line| (!line.contains(r#"error_type="disconnected""#)).then(|| line.to_owned()));
    missed.await.fail("requests are missing");
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_that_counts_only_successes() {
    let successes = drilled(|line| {
        let failed = line.contains(r#"http_response_status_code="4"#)
            || line.contains(r#"http_response_status_code="5"#);
        (!failed).then(|| line.to_owned())
    });
    successes.await.fail("answered with status 500, 0 counted under it");
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_whose_series_are_born_with_their_first_request() {
    let born = drilled(|line| {
        let unborn = line.starts_with(REQUESTS) && line.ends_with(" 0");
        (!unborn).then(|| line.to_owned())
    });
    born.await.fail("were born while the drill ran, and hid what they counted first");
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_that_counts_failures_as_successes() {
    // Each of the two statuses counts what was answered with the other one.
    let swapped = drilled(|line| {
        let [ok, failed] = ["200", "500"].map(|status| format!(r#"http_response_status_code="{status}""#));
        Some(if line.contains(&ok) { line.replace(&ok, &failed) } else { line.replace(&failed, &ok) })
    });
    swapped.await.fail("answered with status 200, ");
}

/// A line whose value is another one, where its series begins so.
fn with(line: &str, begins: &str, value: impl Fn(f64) -> f64) -> Option<String> {
    let Some((series, found)) = line.rsplit_once(' ').filter(|_| line.starts_with(begins)) else {
        return Some(line.to_owned());
    };
    Some(format!("{series} {}", value(found.parse().unwrap())))
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_that_sums_its_latency_in_milliseconds() {
    let millis = drilled(|line| with(line, "http_server_request_duration_seconds_sum", |sum| sum * 1_000.0));
    millis.await.fail("FAIL increase of http_server_request_duration_seconds_sum");
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_whose_buckets_leave_out_what_failed() {
    let left_out = drilled(|line| {
        let failed = line.contains("_bucket{") && line.contains(r#"error_type="500""#);
        if failed { with(line, "http", |_| 0.0) } else { Some(line.to_owned()) }
    });
    left_out.await.fail("FAIL increase of http_server_request_duration_seconds_bucket");
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_that_counts_requests_under_another_route() {
    let elsewhere = drilled(|line| Some(line.replace(r#"http_route="/work""#, r#"http_route="/""#)));
    elsewhere.await.fail("FAIL increase of http_server_request_duration_seconds_count");
}

#[tokio::test]
#[ignore = "takes half a minute"]
async fn a_service_that_says_it_was_asked_for_less() {
    let less = drilled(|line| with(line, "firedrill_injected_errors_total", |errors| (errors / 2.0).floor()));
    less.await.fail("FAIL increase of firedrill_injected_errors_total");
}
