//! A network between the drill and its service is no lie of the service's histogram.

use std::time::Duration;

use super::drill;
use crate::support::directory::Directory;
use crate::support::process::Ended;
use crate::support::serving::Serving;
use crate::support::wire::{State, Wire};

/// Drills a service that takes 20 ms, with a proxy before it that takes 20 ms each way.
async fn through_a_slow_proxy(sends: &str) -> Ended {
    let directory = Directory::new("slow-proxy");
    let file = format!(
        r#"
name: far
workload: drill
phases: {{ calm: {{ for: 7s, rate: 20/s, {sends} }} }}
expect:
  - {{ quantile: 0.5, during: calm, within: 50% }}
  - increase: http_server_request_duration_seconds_sum{{workload="drill",http_response_status_code="200"}}
    equals: latency_sum
    within: 50%
"#
    );
    directory.write("far.yaml", &file);
    let service = Serving::start_with("serve", &[], &[]).await;
    let wire = Wire::to(service.address).await;
    wire.is(State::Slow(Duration::from_millis(20)));
    drill(&directory, &["--seed", "7", "--target", &wire.url(), "far.yaml"]).await
}

/// How often the report has these words, however its lines are wrapped.
fn count(ended: &Ended, words: &str) -> usize {
    let report = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    report.matches(words).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_work_the_drill_knows_what_a_slow_path_adds() {
    let ended = through_a_slow_proxy("work: { latency: 20ms }").await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(count(&ended, "the path accounts for"), 2, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_other_services_it_does_not_and_calls_none_a_liar() {
    let ended = through_a_slow_proxy("request: { path: '/work?latency=20ms&workload=drill' }").await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(count(&ended, "may have passed on the way"), 2, "{ended:?}");
}
