//! `/metrics` in OpenMetrics.

use crate::support::openmetrics;
use crate::support::service::Service;

#[tokio::test]
async fn the_exposition_is_strict_openmetrics() {
    let service = Service::start(&[]).await;
    for target in ["/work?latency=0&workload=demo", "/work?latency=0&status=500", "/nowhere", "/metrics"] {
        service.get(target).await;
    }
    let mut client = service.connect().await;
    client
        .send("GET /metrics HTTP/1.1\r\nhost: test\r\naccept: application/openmetrics-text;version=1.0.0\r\n\r\n")
        .await;
    let answer = client.answer().await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(kind));
    let text = answer.text();
    let families = openmetrics::read(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(families.len() > 20, "{families:#?}");
    assert!(families.iter().all(|family| !family.samples.is_empty()), "{families:#?}");
}
