//! Dashboards that show nothing.

use super::shipped::{SERVICE, Shipped};

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_panel_with_a_misspelt_metric() {
    let (right, wrong) =
        ("http_server_request_duration_seconds_count", "http_server_requests_duration_seconds_count");
    let drilled = Shipped::copy().with_panels().with(SERVICE, right, wrong).drilled("smoke").await;
    drilled.fail("queries have no data: Service / Requests (A): Prometheus has no metric ");
    drilled.fail(&format!("Prometheus has no metric {wrong}; the nearest is {right}"));
}
