//! SIGKILL for each part in turn, and a start soon after.

use std::time::Duration;

use tokio::time::sleep;

use super::rig::{BURNING, PAGED_WITHIN, PHASES, Rig};
use crate::support::eventually::eventually;

const SECOND: Duration = Duration::from_secs(1);

const TOLD: &str = "HighErrorRatio notifies pager";

/// What rests on Prometheus having watched all the time: that something did not happen.
pub(super) const SILENCE: [&str; 2] = ["HighErrorRatio silent", "nothing else fires"];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn prometheus_at_any_moment_leaves_no_silence_that_could_be_told_and_no_count_lost() {
    let (mut draws, mut rig, drill) = Rig::drilling("prometheus killed", "calm").await;
    sleep(draws.between(SECOND, PHASES - SECOND * 2)).await;
    rig.kill_prometheus(draws.between(SECOND * 7, SECOND * 10)).await;
    let findings = drill.ended().await;
    findings.inconclusive(&SILENCE, "nothing was scraped for");
    findings.inconclusive(&["scrapes"], "nothing was scraped for");
    findings.pass(&["counts"]);
    rig.has_recovered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn alertmanager_before_there_is_anything_to_tell_changes_nothing() {
    let (mut draws, mut rig, drill) = Rig::drilling("alertmanager killed early", "calm").await;
    sleep(draws.between(Duration::ZERO, SECOND * 2)).await;
    rig.kill_alertmanager(draws.between(SECOND, SECOND * 3)).await;
    drill.ended().await.all_pass();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn alertmanager_while_it_should_tell_is_held_only_where_the_page_came_in_time() {
    let (mut draws, mut rig, drill) = Rig::drilling("alertmanager killed late", "burning").await;
    sleep(draws.between(Duration::ZERO, BURNING / 4)).await;
    rig.kill_alertmanager(draws.between(SECOND * 10, SECOND * 20)).await;
    let findings = drill.ended().await;
    let in_time = rig.paged_after().await.is_some_and(|after| after <= PAGED_WITHIN);
    println!("the page came in time: {in_time}");
    assert_eq!(findings.is_pass(TOLD), in_time, "{}", findings.said());
    findings.pass(&[
        "scrapes",
        "counts",
        "HighErrorRatio fires",
        "HighErrorRatio silent",
        "nothing else fires",
    ]);
    rig.has_recovered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn the_pager_before_there_is_anything_to_tell_changes_nothing() {
    let (mut draws, mut rig, drill) = Rig::drilling("pager killed early", "calm").await;
    sleep(draws.between(Duration::ZERO, SECOND * 4)).await;
    rig.kill_pager(draws.between(SECOND, SECOND * 3)).await;
    drill.ended().await.all_pass();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn the_pager_after_it_rang_has_forgotten_that_and_nobody_claims_that_it_rang() {
    let (mut draws, mut rig, drill) = Rig::drilling("pager killed late", "burning").await;
    eventually(SECOND * 60, async || rig.paged_after().await.ok_or_else(|| "no page yet".to_owned())).await;
    sleep(draws.between(Duration::ZERO, SECOND * 3)).await;
    rig.kill_pager(draws.between(SECOND, SECOND * 3)).await;
    let findings = drill.ended().await;
    findings.inconclusive(&[TOLD], "the pager has been listening only since");
    findings.is_inconclusive();
    rig.has_recovered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn the_service_at_any_moment_is_counted_within_what_can_be_known() {
    let (mut draws, mut rig, drill) = Rig::drilling("service killed", "calm").await;
    sleep(draws.between(SECOND, PHASES - SECOND * 6)).await;
    rig.kill_service(draws.between(SECOND * 4, SECOND * 5)).await;
    let findings = drill.ended().await;
    findings.pass(&["counts"]);
    findings.fail("scrapes", "scrapes failed");
    rig.has_recovered().await;
}
