//! Each request that the service read is counted exactly once, whatever becomes of it.

use rustix::process::Signal;

use crate::support::client::{Client, End};
use crate::support::service::Service;

const LONG: &str = "GET /work?latency=60s HTTP/1.1\r\nhost: test\r\n\r\n";

#[tokio::test]
async fn an_answer_is_counted_with_its_status_and_workload() {
    let service = Service::start(&[]).await;
    service.get("/work?latency=0&workload=demo").await;
    service.get("/work?latency=0&workload=demo&status=404").await;
    service.get("/work?latency=0&workload=invented").await;
    service.get("/work?latency=0&workload=demo&status=503").await;
    let scrape = service.counted(4.0).await;
    let demo = |status, error| {
        scrape.works(&[("workload", "demo"), ("http_response_status_code", status), ("error_type", error)])
    };
    assert_eq!((demo("200", ""), demo("404", ""), demo("503", "503")), (1.0, 1.0, 1.0));
    assert_eq!(scrape.works(&[("workload", "other"), ("http_response_status_code", "200")]), 1.0);
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_answer_is_counted() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    client.send("GET /work?latency=60s&workload=demo HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    drop(client);
    let scrape = service.counted(1.0).await;
    let labels = [("error_type", "disconnected"), ("http_response_status_code", ""), ("workload", "demo")];
    assert_eq!(scrape.works(&labels), 1.0);
    assert!(scrape.sum("firedrill_injected_latency_seconds_total", &[]) < 60.0, "only the wait that was");
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_of_the_body_is_counted() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    client.shrink_window();
    client.send("GET /work?latency=0&body=1GiB HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(client.head_alone().await.status, 200);
    drop(client);
    let scrape = service.counted(1.0).await;
    assert_eq!(scrape.works(&[("error_type", "disconnected"), ("http_response_status_code", "200")]), 1.0);
}

#[tokio::test]
async fn head_and_empty_bodies_are_counted_as_answered() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    for (method, query) in [
        ("HEAD", ""),
        ("HEAD", "&body=1MiB"),
        ("GET", "&body=0"),
        ("GET", "&status=204"),
        ("GET", "&status=304"),
    ] {
        client.request(method, &format!("/work?latency=0{query}")).await;
    }
    let scrape = service.counted(5.0).await;
    assert_eq!(scrape.works(&[("error_type", "")]), 5.0);
    assert_eq!(scrape.works(&[("http_request_method", "HEAD")]), 2.0);
}

#[tokio::test]
async fn pipelined_requests_are_counted_one_by_one() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    let one = "GET /work?latency=0 HTTP/1.1\r\nhost: test\r\n\r\n";
    client.send(one.repeat(7)).await;
    for _ in 0..7 {
        assert_eq!(client.answer().await.status, 200);
    }
    // The workload of one does not leak into the next.
    client.send(format!("{}{one}", one.replace("latency", "workload=demo&latency"))).await;
    client.answer().await;
    client.answer().await;
    let scrape = service.counted(9.0).await;
    assert_eq!(scrape.works(&[("workload", "demo")]), 1.0);
}

#[tokio::test]
async fn what_is_pipelined_behind_a_hang_up_is_counted_only_if_it_was_read() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    client.send(LONG.replace("60s", "200ms").repeat(3)).await;
    service.in_flight(1.0).await;
    drop(client);
    // hyper sees the hang-up when it writes the first answer, or when it has read the last request.
    service
        .scrape_until("the end of the connection", |scrape| {
            scrape.works(&[]) >= 1.0
                && scrape.sum("http_server_active_requests", &[]) == 1.0
                && scrape.sum("firedrill_connections", &[]) == 1.0
        })
        .await;
    // That scrape may have read the counts before the end and the connections after it.
    let scrape = service.scrape().await;
    assert_eq!(scrape.works(&[]), scrape.sum("firedrill_injected_requests_total", &[]));
}

#[tokio::test]
async fn garbage_is_not_a_request_and_is_counted_as_unreadable() {
    let service = Service::start(&["--max-header", "1KiB", "--header-timeout", "50ms"]).await;
    let unreadable: [(&str, &str); 3] = [
        ("malformed", "\x16\x03\x01 this is not HTTP\r\n\r\n"),
        ("malformed", "GET /work HTTP/1.1\r\nhost test\r\n\r\n"),
        ("too_large", &format!("GET /work HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n", "x".repeat(4 << 10))),
    ];
    for (_, bytes) in unreadable {
        let mut client = service.connect().await;
        client.send(bytes).await;
        let (_, answer) = client.end().await;
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    let mut client = service.connect().await;
    client.send("GET /work HT").await;
    client.finish_sending().await;
    client.end().await;
    let mut slow = service.connect().await;
    slow.send("GET /work HT").await;
    slow.end().await;
    let scrape = service.counted(0.0).await;
    let count = |reason| scrape.sum("firedrill_unreadable_requests_total", &[("reason", reason)]);
    assert_eq!(
        (count("malformed"), count("too_large"), count("incomplete"), count("timeout")),
        (2.0, 1.0, 1.0, 1.0)
    );
}

#[tokio::test]
async fn what_the_request_asked_to_break_is_counted_as_that() {
    let service = Service::start(&[]).await;
    let ended = async |query: &str| {
        let mut client = service.connect().await;
        client.send(format!("GET /work?latency=0&{query} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        client.end().await
    };
    assert_eq!(ended("abort=reset").await, (End::Reset, Vec::new()));
    let (_, truncated) = ended("abort=truncate&body=100000").await;
    let body = truncated.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(truncated.len() - body, 50_000);
    assert_eq!(service.get("/work?latency=0&abort=panic").await.status, 500);
    assert_eq!(service.get("/work?latency=0").await.status, 200, "the next request is served");

    let scrape = service.counted(4.0).await;
    for (error, status) in [("reset", ""), ("truncated", "200"), ("panic", "500")] {
        assert_eq!(
            scrape.works(&[("error_type", error), ("http_response_status_code", status)]),
            1.0,
            "{error}"
        );
        assert_eq!(scrape.sum("firedrill_injected_errors_total", &[("error_type", error)]), 1.0, "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_counted_as_timed_out() {
    let service = Service::start(&["--write-timeout", "50ms"]).await;
    let mut client = service.connect().await;
    client.shrink_window();
    client.send("GET /work?latency=0&body=1GiB HTTP/1.1\r\nhost: test\r\n\r\n").await;
    let scrape = service.counted(1.0).await;
    assert_eq!(scrape.works(&[("error_type", "timeout")]), 1.0);
}

#[tokio::test]
async fn a_client_that_hangs_up_in_its_own_body_is_counted() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    client.send("POST /work HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{").await;
    service
        .scrape_until("the request", |scrape| {
            scrape.sum("http_server_active_requests", &[("http_request_method", "POST")]) == 1.0
        })
        .await;
    drop(client);
    let scrape = service.counted(1.0).await;
    assert_eq!(scrape.works(&[("http_request_method", "POST")]), 1.0);
}

#[tokio::test]
async fn a_client_that_hangs_up_in_its_own_body_is_counted_under_the_workload_of_its_query() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    client.send("POST /work?workload=drill HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{").await;
    client.finish_sending().await;
    let scrape = service.counted(1.0).await;
    assert_eq!(scrape.works(&[("workload", "drill")]), 1.0);
}

#[tokio::test]
async fn what_shutdown_cuts_is_counted_before_the_end() {
    let service = Service::start(&["--drain", "0", "--grace", "0", "--log-requests"]).await;
    let mut client = service.connect().await;
    client.send(LONG).await;
    service.in_flight(1.0).await;
    service.signal(Signal::TERM);
    client.end().await;
    let ended = service.ended().await;
    let cut = ended.stderr.lines().filter(|line| line.contains("\"shutdown\"")).count();
    assert_eq!((ended.code, cut), (Some(0), 1), "{}", ended.stderr);
}

#[tokio::test]
async fn unknown_paths_and_methods_collapse_to_one_value() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    for n in 0..20 {
        assert_eq!(client.request("GET", &format!("/nothing/{n}")).await.status, 404);
        assert_eq!(client.request(&format!("M{n}"), "/work").await.status, 405);
    }
    let options = client.request("OPTIONS", "*").await.status;
    assert_eq!(options, 404);
    let scrape = service.counted(20.0).await;
    assert_eq!(scrape.requests("unmatched", &[("http_response_status_code", "404")]), 21.0);
    assert_eq!(
        scrape.works(&[("http_request_method", "_OTHER"), ("http_response_status_code", "405")]),
        20.0
    );
    let series = |name: &str, value: &str| {
        let named = scrape.samples().iter().filter(|sample| sample.name.ends_with("_count"));
        named.filter(|sample| sample.labels.contains(&(name.to_owned(), value.to_owned()))).count()
    };
    assert_eq!((series("http_route", "unmatched"), series("http_request_method", "_OTHER")), (2, 1));
}

#[tokio::test]
async fn everything_that_is_read_exists_at_zero_before_the_first_request() {
    let service = Service::start(&["--workloads", "demo,shop"]).await;
    let scrape = service.scrape().await;
    for workload in ["demo", "shop", "other"] {
        for (status, error) in
            [("200", ""), ("500", "500"), ("503", "shed"), ("500", "panic"), ("", "disconnected")]
        {
            for method in ["GET", "POST"] {
                let labels = [
                    ("http_request_method", method),
                    ("http_route", "/work"),
                    ("workload", workload),
                    ("http_response_status_code", status),
                    ("error_type", error),
                ];
                assert!(scrape.has("http_server_request_duration_seconds_count", &labels), "{labels:?}");
            }
        }
        for name in [
            "firedrill_injected_requests_total",
            "firedrill_injected_errors_total",
            "firedrill_injected_cpu_seconds_total",
            "firedrill_injected_latency_seconds_total",
            "firedrill_memory_held_bytes",
            "firedrill_shed_requests_total",
        ] {
            assert!(scrape.has(name, &[("workload", workload)]), "{name} of {workload}");
        }
    }
    let requests = scrape.samples().iter().filter(|sample| sample.name.ends_with("_count"));
    assert!(requests.clone().count() > 40 && requests.map(|sample| sample.value).sum::<f64>() == 0.0);
}

#[tokio::test]
async fn many_rude_clients_at_once_are_each_counted_once() {
    let service = Service::start(&[]).await;
    let address = service.address;
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..120_u32 {
        clients.spawn(async move {
            let mut client = Client::connect(address).await;
            let query =
                ["abort=reset", "abort=truncate", "abort=panic", "body=256KiB", "status=500", "cpu=1ms"]
                    [n as usize % 6];
            client
                .send(format!(
                    "GET /work?latency=1ms&{query} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
                ))
                .await;
            match n % 4 {
                0 => drop(client),
                1 => {
                    // A client that says it sends no more looks like one that has gone.
                    client.finish_sending().await;
                    client.end().await;
                }
                _ => {
                    client.end().await;
                }
            }
        });
    }
    clients.join_all().await;
    service.counted(120.0).await;
    service
        .scrape_until("no connection left", |scrape| scrape.sum("firedrill_connections", &[]) == 1.0)
        .await;
}
