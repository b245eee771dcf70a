//! Networks that are cut, silent or slow, between any two that talk to each other.

use std::time::Duration;

use tokio::time::sleep;

use super::killed::SILENCE;
use super::rig::{BURNING, PAGED_WITHIN, PHASES, Rig};
use crate::support::draws::Draws;
use crate::support::wire::State;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn between_prometheus_and_the_service_leaves_no_silence_that_could_be_told_and_no_count_lost() {
    let (mut draws, rig, drill) = Rig::drilling("scrapes cut", "calm").await;
    sleep(draws.between(SECOND, PHASES - SECOND * 10)).await;
    rig.wires.scrapes.is(draws.one_of(&[State::Cut, State::Silent]));
    sleep(draws.between(SECOND * 7, SECOND * 9)).await;
    rig.wires.scrapes.is(State::Whole);
    let findings = drill.ended().await;
    findings.inconclusive(&SILENCE, "nothing was scraped for");
    findings.fail("scrapes", "scrapes failed");
    findings.pass(&["counts"]);
    rig.has_recovered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn between_the_drill_and_the_service_leaves_requests_that_nobody_knows_of_and_no_lie() {
    let (mut draws, rig, drill) = Rig::drilling("traffic cut", "calm").await;
    for state in [State::Cut, State::Silent] {
        sleep(draws.between(SECOND, PHASES / 2 - SECOND * 4)).await;
        rig.wires.traffic.is(state);
        sleep(draws.between(SECOND, SECOND * 3)).await;
        rig.wires.traffic.is(State::Whole);
    }
    let findings = drill.ended().await;
    findings.pass(&["scrapes", "counts", "HighErrorRatio silent", "nothing else fires"]);
    rig.has_recovered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn between_alertmanager_and_the_pager_is_held_only_where_the_page_came_in_time() {
    let (mut draws, rig, drill) = Rig::drilling("pages cut", "burning").await;
    sleep(draws.between(Duration::ZERO, BURNING / 4)).await;
    rig.wires.pages.is(draws.one_of(&[State::Cut, State::Silent]));
    sleep(draws.between(SECOND * 14, SECOND * 20)).await;
    rig.wires.pages.is(State::Whole);
    let findings = drill.ended().await;
    let in_time = rig.paged_after().await.is_some_and(|after| after <= PAGED_WITHIN);
    println!("the page came in time: {in_time}");
    assert_eq!(findings.is_pass("HighErrorRatio notifies pager"), in_time, "{}", findings.said());
    findings.pass(&[
        "scrapes",
        "counts",
        "HighErrorRatio fires",
        "HighErrorRatio silent",
        "nothing else fires",
    ]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn silent_where_evidence_is_asked_for_is_no_evidence() {
    let (mut draws, rig, drill) = Rig::drilling("evidence silent", "calm").await;
    sleep(draws.between(SECOND, PHASES - SECOND)).await;
    rig.wires.prometheus.is(State::Silent);
    let findings = drill.ended().await;
    let all = ["scrapes", "counts", "HighErrorRatio fires", "HighErrorRatio silent", "nothing else fires"];
    findings.inconclusive(&all, "Prometheus gave no evidence");
    findings.is_inconclusive();
    rig.wires.prometheus.is(State::Whole);
    rig.has_recovered().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn slow_everywhere_is_told_as_it_is() {
    let mut draws = Draws::of("slow wires");
    let rig = Rig::start().await;
    let wires = &rig.wires;
    let all = [&wires.traffic, &wires.scrapes, &wires.alerts, &wires.pages];
    for wire in all.into_iter().chain([&wires.prometheus, &wires.alertmanager, &wires.pager]) {
        wire.is(State::Slow(draws.between(Duration::from_millis(20), Duration::from_millis(60))));
    }
    rig.begin(1).ended().await.all_pass();
}
