//! What a real Prometheus makes of `/metrics`.

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::client::End;
use crate::support::eventually::eventually;
use crate::support::prometheus::api::{Api, Raw, RawValue};
use crate::support::prometheus::server::Server;
use crate::support::service::Service;

const LIMIT: Duration = Duration::from_secs(30);

/// Scrapes the service once a second in each format, as a job of that name.
async fn scraping(service: &Service) -> Server {
    let job = |name: &str, protocol: &str| {
        format!(
            "  - job_name: {name}\n    scrape_protocols: [{protocol}]\n    always_scrape_classic_histograms: true\n    \
             static_configs: [{{targets: [\"{}\"]}}]\n",
            service.address
        )
    };
    let jobs = job("protobuf", "PrometheusProto")
        + &job("openmetrics", "OpenMetricsText1.0.0")
        + &job("text", "PrometheusText0.0.4");
    Server::start(&format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{jobs}"))
        .await
}

/// Sends this many requests that end in each of these ways; nothing is in flight afterwards.
async fn send(service: &Service, wishes: &[(&str, u32)]) {
    for &(wish, times) in wishes {
        for _ in 0..times {
            let target = format!("/work?workload=drill&{wish}");
            if wish.contains("reset") {
                let mut client = service.connect().await;
                client.send(format!("GET {target} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
                assert_eq!(client.end().await.0, End::Reset);
            } else {
                service.get(&target).await;
            }
        }
    }
    service.counted(wishes.iter().map(|(_, times)| f64::from(*times)).sum()).await;
}

/// Seconds since the Unix epoch.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// The last raw samples of this selector, once each was scraped after this time.
async fn scraped_after(time: f64, api: &Api, selector: &str) -> Vec<Raw> {
    eventually(LIMIT, async || {
        let last = api.last(selector).await?;
        let fresh = !last.is_empty() && last.iter().all(|sample| sample.at > time);
        if fresh { Ok(last) } else { Err(format!("{selector} is not newer than {time}: {last:?}")) }
    })
    .await
}

const WISHES: [(&str, u32); 4] =
    [("latency=0", 23), ("latency=30ms", 5), ("latency=0&status=500", 7), ("abort=reset", 3)];

#[tokio::test]
#[ignore = "needs prometheus on PATH; cargo test -- --ignored"]
async fn prometheus_counts_what_was_sent_whatever_the_format() {
    let service = Service::start(&[]).await;
    let prometheus = scraping(&service).await;
    send(&service, &WISHES).await;
    let sent_by = now();
    for job in ["protobuf", "openmetrics", "text"] {
        for (error_type, sent) in [("", 28.0), ("500", 7.0), ("reset", 3.0), ("disconnected", 0.0)] {
            let labels = format!(
                "{{job=\"{job}\",http_request_method=\"GET\",workload=\"drill\",error_type=\"{error_type}\""
            );
            let name = "http_server_request_duration_seconds";
            for selector in
                [format!("{name}_count{labels}}}"), format!("{name}_bucket{labels},le=\"+Inf\"}}")]
            {
                let counted = scraped_after(sent_by, &prometheus.api, &selector).await;
                let counted: Vec<_> = counted.iter().map(Raw::number).collect();
                assert_eq!(counted, [sent], "{selector}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs prometheus on PATH; cargo test -- --ignored"]
async fn one_scrape_brings_native_histograms_and_classic_buckets_that_agree() {
    let service = Service::start(&[]).await;
    let prometheus = scraping(&service).await;
    send(&service, &WISHES).await;
    let labels = "{job=\"protobuf\",http_request_method=\"GET\",workload=\"drill\",error_type=\"\"}";
    let native =
        scraped_after(now(), &prometheus.api, &format!("http_server_request_duration_seconds{labels}")).await;
    let [Raw { value: RawValue::Native { count, sum, buckets }, at, .. }] = native[..] else {
        panic!("one native histogram was expected: {native:?}");
    };
    assert_eq!(count, 28.0);
    assert!(buckets >= 2, "latencies of 0 and of 30 ms are apart: {buckets} buckets");
    let exposed = service.scrape().await;
    let labels_of = [("http_request_method", "GET"), ("workload", "drill"), ("error_type", "")];
    assert_eq!(sum, exposed.sum("http_server_request_duration_seconds_sum", &labels_of));
    // The classic half of the same scrape.
    let classic = format!("http_server_request_duration_seconds_bucket{labels} @ {at}");
    let classic = prometheus.api.query(&classic).await.unwrap();
    assert_eq!(classic.len(), firedrill_server::BUCKETS.len() + 1, "{classic:?}");
    let below = |edge: &str| {
        let bucket = classic.iter().find(|bucket| bucket["metric"]["le"] == edge);
        let bucket = bucket.unwrap_or_else(|| panic!("no bucket {edge}: {classic:?}"));
        bucket["value"][1].as_str().unwrap().parse::<f64>().unwrap()
    };
    assert_eq!(below("+Inf"), count);
    assert!(below("0.025") <= 23.0, "those that took 30 ms are above: {classic:?}");
    // Text cannot carry them.
    for job in ["openmetrics", "text"] {
        let native = format!("http_server_request_duration_seconds{{job=\"{job}\"}}");
        assert_eq!(prometheus.api.query(&native).await.unwrap(), Vec::<serde_json::Value>::new());
    }
}

#[tokio::test]
#[ignore = "needs promtool on PATH; cargo test -- --ignored"]
async fn promtool_finds_nothing_to_complain_about() {
    let service = Service::start(&[]).await;
    send(&service, &WISHES).await;
    let text = service.get("/metrics").await.body;
    assert_eq!(check(&text).await, (Some(0), String::new()));
    let ill_named = b"# TYPE requests counter\nrequests 1\n";
    assert_eq!(check(ill_named).await.0, Some(3), "promtool does look at names");
}

/// What `promtool check metrics` says of this text, lint included, and its exit code.
async fn check(text: &[u8]) -> (Option<i32>, String) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut promtool = command.spawn().expect("promtool is on PATH");
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(text).await.unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}
