//! Scrapes that miss what happened.

use super::shipped::{PROMETHEUS, Shipped};

/// With these lines in how Prometheus scrapes the service.
fn scraped_with(lines: &str) -> Shipped {
    const JOB: &str = "- job_name: firedrill\n";
    Shipped::copy().with(PROMETHEUS, JOB, &format!("{JOB}    {lines}\n"))
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_target_that_is_missing() {
    let missing = scraped_with("relabel_configs: [{ source_labels: [job], regex: firedrill, action: drop }]");
    missing.drilled("errors").await.fail(r#"none counted: Prometheus scrapes no target of job "firedrill""#);
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_scrape_interval_longer_than_the_window() {
    let drilled = scraped_with("scrape_interval: 61s").drilled("notification").await;
    drilled.fail("looks back 1 min, which holds fewer than two scrapes: they are 1 min 1 s apart");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_rule_that_drops_a_metric() {
    let drop = "metric_relabel_configs: [{ source_labels: [__name__], regex: http_server_request_duration_seconds_count, action: drop }]";
    let drilled = scraped_with(drop).drilled("errors").await;
    // The pager has it as well, and no workloads.
    drilled.fail(
        r#"none counted: workload="errors" matches nothing:
        no series of http_server_request_duration_seconds_count has the label "workload""#,
    );
    drilled.fail("the service exposes it: look for a relabelling rule that drops it");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_rule_that_drops_the_failures() {
    let drop = r#"metric_relabel_configs: [{ source_labels: [http_response_status_code], regex: "5..", action: drop }]"#;
    scraped_with(drop).drilled("errors").await.fail("answered with status 500, 0 counted under it");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn buckets_without_the_edge_of_the_objective() {
    let drop = r#"metric_relabel_configs: [{ source_labels: [le], regex: "0.5", action: drop }]"#;
    scraped_with(drop).drilled("latency").await.fail(r#"what all else matches does not match le="0.5""#);
}
