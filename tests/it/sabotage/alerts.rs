//! Rules that are broken.

use super::shipped::{RULES, Shipped};

/// Of the expression of `HighErrorRatio`, what says whether many fail.
const MANY_FAIL: &str = r#"job_workload_slo:bad_requests:ratio_rate1m{slo="availability"} > 0.05"#;

/// And what says whether it can be told from chance.
const ENOUGH: &str = r#"job_workload_slo:bad_requests:rate1m{slo="availability"} * 60 >= 5"#;

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_threshold_a_hundredfold() {
    let drilled =
        Shipped::copy().with(RULES, MANY_FAIL, &MANY_FAIL.replace("0.05", "5")).drilled("errors").await;
    drilled.fail(r#"did not fire within 35 s: job_workload_slo:bad_requests:ratio_rate1m{slo="availability"} was between 0 and"#);
    drilled.fail("never > 5");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_comparison_turned_round() {
    let drilled =
        Shipped::copy().with(RULES, MANY_FAIL, &MANY_FAIL.replace('>', "<")).drilled("errors").await;
    drilled.fail("HighErrorRatio fires  did not fire within 35 s");
    drilled.fail("% of the time: is the comparison operator inverted?");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_label_misspelt() {
    let drilled =
        Shipped::copy().with(RULES, MANY_FAIL, &MANY_FAIL.replace("slo=", "sl0=")).drilled("errors").await;
    drilled.fail(
        r#"did not fire within 35 s: sl0="availability" matches nothing:
        no series of job_workload_slo:bad_requests:ratio_rate1m has the label "sl0"; the nearest is "slo""#,
    );
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_label_value_misspelt() {
    let drilled = Shipped::copy()
        .with(RULES, MANY_FAIL, &MANY_FAIL.replace("availability", "availabilty"))
        .drilled("errors")
        .await;
    drilled.fail(
        r#"did not fire within 35 s: slo="availabilty" matches nothing, the nearest value is "availability""#,
    );
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_label_misspelt_in_a_rule_that_records() {
    let drilled = Shipped::copy()
        .with(RULES, r#"error_type!~"|disconnected""#, r#"eror_type!~"|disconnected""#)
        .drilled("errors")
        .await;
    drilled.fail(
        r#"eror_type!~"|disconnected" matches nothing: no series of http_server_request_duration_seconds_count
        has the label "eror_type"; the nearest is "error_type" (in the rule that records job_workload_slo:bad_requests:rate1m)"#,
    );
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_metric_misspelt() {
    let drilled = Shipped::copy()
        .with(RULES, ENOUGH, &ENOUGH.replace("bad_requests", "bad_request"))
        .drilled("errors")
        .await;
    drilled.fail(
        "did not fire within 35 s: Prometheus has no metric job_workload_slo:bad_request:rate1m;
        the nearest is job_workload_slo:bad_requests:rate1m",
    );
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_metric_misspelt_in_a_rule_that_records() {
    let drilled = Shipped::copy()
        .with(
            RULES,
            "rate(http_server_request_duration_seconds_count{",
            "rate(http_server_requests_duration_seconds_count{",
        )
        .drilled("errors")
        .await;
    drilled.fail(
        "did not fire within 35 s: Prometheus has no metric http_server_requests_duration_seconds_count;
        the nearest is http_server_request_duration_seconds_count (in the rule that records ",
    );
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_pending_time_far_too_long() {
    let drilled = Shipped::copy().with(RULES, "for: 10s", "for: 10m").drilled("errors").await;
    drilled.fail("HighErrorRatio fires  did not fire within 35 s: it was pending for ");
    drilled.fail("and `for` is 10 min");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_window_shorter_than_two_scrapes() {
    let drilled = Shipped::copy().with(RULES, "[1m]", "[1s]").drilled("errors").await;
    drilled.fail("HighErrorRatio fires  did not fire within 35 s: http_server_request_duration_seconds_");
    drilled.fail("looks back 1 s, which holds fewer than two scrapes: they are 2 s apart");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_window_that_remembers_too_long() {
    let drilled = Shipped::copy().with(RULES, "[1m]", "[10m]").drilled("errors").await;
    drilled.fail("HighErrorRatio resolves  did not resolve within 1 min 30 s after its cause ended: http_server_request_duration_seconds_");
    drilled.fail("looks back 10 min (in the rule that records ");
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_grouping_that_is_dropped() {
    let drilled =
        Shipped::copy().with(RULES, "sum by (job, workload) (", "sum by (job) (").drilled("errors").await;
    drilled.fail(r#"fired with other labels: it has no label "workload""#);
}

#[tokio::test]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn a_condition_that_is_not_of_the_workload_alone() {
    let of_the_workload = format!("{MANY_FAIL}\n          and\n          {ENOUGH}");
    let of_the_job = format!(
        r#"job_workload_slo:requests:rate1m{{slo="availability"}} >= 0 and on (job) sum by (job) ({MANY_FAIL})"#
    );
    let drilled = Shipped::copy().with(RULES, &of_the_workload, &of_the_job).drilled("errors").await;
    drilled.fail("HighErrorRatio silent workload=demo  fired ");
}
