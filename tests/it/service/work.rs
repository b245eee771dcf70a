//! `/work` does what it is asked, within bounds, and says what is wrong otherwise.

use std::time::Instant;

use crate::support::service::Service;

#[tokio::test]
async fn every_path_answers() {
    let service = Service::start(&[]).await;
    let health = service.get("/health").await;
    assert_eq!((health.status, health.text().as_str()), (200, "I'm healthy"));
    assert_eq!(health.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(service.get("/ready").await.status, 200);
    assert_eq!(
        service.get("/metrics").await.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert_eq!(service.get("/openapi.json").await.json()["openapi"], "3.1.0");
    let head = service.connect().await.request("HEAD", "/health").await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("11")));
}

#[tokio::test]
async fn work_without_parameters_is_a_little_different_each_time_and_can_be_repeated() {
    let service = Service::start(&["--seed", "7"]).await;
    let first = service.get("/work").await.json();
    let second = service.get("/work").await.json();
    assert_ne!(first["latency"], second["latency"]);
    assert_eq!((&first["seed"], &first["n"], &second["n"]), (&7.into(), &0.into(), &1.into()));
    let again = service.get("/work?seed=7&n=0").await.json();
    assert_eq!(again["latency"], first["latency"]);
}

#[tokio::test]
async fn a_query_and_a_body_do_the_same() {
    let service = Service::start(&[]).await;
    let by_query = service.get("/work?latency=uniform(1ms,9ms)&status=201&seed=3&n=4&workload=demo").await;
    let json = r#"{"latency":"uniform(1ms,9ms)","status":201,"seed":3,"n":"4","workload":"demo"}"#;
    let mut client = service.connect().await;
    client.send(format!("POST /work HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}", json.len())).await;
    let by_body = client.answer().await;
    assert_eq!((by_query.status, by_body.status), (201, 201));
    assert_eq!(by_query.json(), by_body.json());
}

#[tokio::test]
async fn an_error_says_what_was_given_and_what_would_be_right() {
    let service = Service::start(&["--max-latency", "2s"]).await;
    for (target, status, detail) in [
        ("/work?latncy=1s", 400, "did you mean latency?"),
        ("/work?latency=3s", 400, "above 2s"),
        ("/work?latency=soon", 400, "got soon"),
        ("/nowhere", 404, "/health"),
        ("/work?status=418", 400, "registered status"),
    ] {
        let answer = service.get(target).await;
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{target}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{target}: {problem}");
    }
    let refused = service.get("/work?latency=3s").await.json();
    assert_eq!((&refused["parameter"], &refused["got"]), (&"latency".into(), &"3s".into()));

    let answer = service.connect().await.request("DELETE", "/work").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD,POST")));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
}

#[tokio::test]
async fn a_body_that_is_not_a_small_json_object_in_time_is_refused() {
    let service = Service::start(&["--max-request-body", "1KiB", "--body-timeout", "50ms"]).await;
    let post = async |headers: &str, body: &str| {
        let mut client = service.connect().await;
        client.send(format!("POST /work HTTP/1.1\r\nhost: test\r\n{headers}\r\n\r\n{body}")).await;
        client.answer().await.status
    };
    let json = "content-type: application/json\r\ncontent-length: 2";
    assert_eq!(post(json, "[]").await, 400);
    assert_eq!(post("content-type: text/plain\r\ncontent-length: 2", "{}").await, 415);
    assert_eq!(post("content-type: application/json\r\ncontent-length: 3000", &"x".repeat(3000)).await, 413);
    assert_eq!(post("content-type: application/json\r\ntransfer-encoding: chunked", "1\r\n{\r\n").await, 408);
    assert_eq!(post("content-length: 0", "").await, 200);
}

#[tokio::test]
async fn a_post_takes_each_parameter_in_its_query_or_in_its_body() {
    let service = Service::start(&[]).await;
    let post = async |query: &str, body: &str| {
        let mut client = service.connect().await;
        let length = body.len();
        client.send(format!("POST /work?{query} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")).await;
        client.answer().await
    };
    assert_eq!(post("latency=0", r#"{"status": 404}"#).await.status, 404);
    assert_eq!(post("latency=0&status=404", "{}").await.status, 404);
    assert_eq!(post("latency=0", r#"{"latency": "0"}"#).await.status, 400);
}

#[tokio::test]
async fn a_body_is_as_long_as_asked_and_never_built_in_memory() {
    let service = Service::start(&[]).await;
    let mut client = service.connect().await;
    client.send("GET /work?latency=0&body=200MiB HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await;
    assert_eq!(client.head_alone().await.header("content-length"), Some("209715200"));
    let (_, body) = client.end().await;
    assert_eq!(body.len(), 200 << 20);
    let scrape = service.scrape().await;
    let resident = scrape.sum("process_resident_memory_bytes", &[]);
    assert!(resident < f64::from(64 << 20), "{resident} bytes resident");
}

#[tokio::test]
async fn cpu_is_processor_time_and_stops_when_the_client_is_gone() {
    let service = Service::start(&["--cpu-threads", "1"]).await;
    let before = service.scrape().await.sum("process_cpu_seconds_total", &[]);
    service.get("/work?latency=0&cpu=300ms").await;
    let scrape = service.counted(1.0).await;
    let burnt = scrape.sum("firedrill_injected_cpu_seconds_total", &[]);
    assert!((0.300..0.330).contains(&burnt), "burnt {burnt} s");
    assert!(scrape.sum("process_cpu_seconds_total", &[]) - before >= 0.29, "the kernel agrees");

    let mut client = service.connect().await;
    client.send("GET /work?latency=0&cpu=10s HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service
        .scrape_until("burning", |scrape| scrape.sum("firedrill_injected_cpu_seconds_total", &[]) > burnt)
        .await;
    drop(client);
    let stopped = service.counted(2.0).await.sum("firedrill_injected_cpu_seconds_total", &[]);
    assert!(stopped < 9.0, "burnt {stopped} s for nobody");
    // The one thread is free for the next.
    service.get("/work?latency=0&cpu=1ms").await;
}

#[tokio::test]
async fn memory_is_resident_while_it_is_held_and_given_back_after() {
    let service = Service::start(&[]).await;
    let resident = async || service.scrape().await.sum("process_resident_memory_bytes", &[]);
    let before = resident().await;
    let held = f64::from(100 << 20);
    let mut client = service.connect().await;
    client
        .send("GET /work?latency=0&memory=100MiB&hold=60s&workload=demo HTTP/1.1\r\nhost: test\r\n\r\n")
        .await;
    let scrape = service
        .scrape_until("memory held", |scrape| {
            scrape.sum("firedrill_memory_held_bytes", &[("workload", "demo")]) == held
        })
        .await;
    assert!(scrape.sum("process_resident_memory_bytes", &[]) >= before + held, "it is really resident");
    drop(client);
    service.counted(1.0).await;
    assert!(resident().await < before + held / 2.0, "a hang-up gives it back to the system");
    assert_eq!(service.get("/work?latency=0&memory=100MiB&hold=1ms").await.status, 200);
    assert!(resident().await < before + held / 2.0, "so does the end of the hold");
}

#[tokio::test]
async fn a_crash_on_request_answers_first_and_ends_with_the_code() {
    let service = Service::start(&[]).await;
    let answer = service.get("/work?latency=0&exit=42").await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(service.ended().await.code, Some(42));
}

#[tokio::test]
async fn a_latency_takes_its_time() {
    let service = Service::start(&[]).await;
    let began = Instant::now();
    service.get("/work?latency=200ms").await;
    assert!(began.elapsed().as_millis() >= 200);
    let injected = service.counted(1.0).await.sum("firedrill_injected_latency_seconds_total", &[]);
    assert_eq!(injected, 0.2, "what was injected is what was asked for");
}

#[tokio::test]
async fn a_head_cannot_be_broken_off_in_a_body_that_it_has_not() {
    let service = Service::start(&[]).await;
    let answer = service.connect().await.request("HEAD", "/work?latency=0&abort=truncate").await;
    assert_eq!(answer.status, 400);
    assert_eq!(service.counted(1.0).await.sum("firedrill_injected_errors_total", &[]), 0.0);
}
