//! A client's clock, the service's own, and what lies between them.

use firedrill_load::path::Trip;

use super::*;

const MS: Duration = Duration::from_millis(1);

#[derive(Clone, Copy)]
struct Answered {
    /// What the service was asked to wait, where the drill knows.
    injected: Option<Duration>,
    handshake: Duration,
    lag: Duration,
    service_time: Duration,
}

/// From the drill's own machine, of a service of the drill's own: 20 ms, or 80 ms each tenth time.
fn near(k: u32) -> Answered {
    let injected = if k.is_multiple_of(10) { 80 * MS } else { 20 * MS };
    Answered {
        injected: Some(injected),
        handshake: MS / 10,
        lag: MS / 10,
        service_time: injected + MS * 3 / 10,
    }
}

/// The same with 40 ms of network between.
fn far(k: u32) -> Answered {
    let near = near(k);
    Answered { handshake: 40 * MS, service_time: near.service_time + 40 * MS, ..near }
}

/// The same of somebody's service, of which the drill does not know how long it takes.
fn foreign(answered: Answered) -> Answered {
    Answered { injected: None, ..answered }
}

/// A run with 1000 of these in its second phase, and what a query about it gave.
fn run(equals: &str, within: &str, number: f64, answered: impl Fn(u32) -> Answered) -> Run {
    let query =
        format!(r#"{{"query": "latency", "during": "burning", "equals": "{equals}", "within": "{within}"}}"#);
    let mut run = super::run(&query);
    run.phases[1].ledger = Ledger::default();
    for k in 0..1000 {
        let Answered { injected, handshake, lag, service_time } = answered(k);
        let due = SECOND * 30 + 30 * MS * k;
        let left = due + lag;
        let sent = Some((left, Trip { handshake, injected }));
        let times = Times { due, left, sent, ended: left + service_time };
        run.phases[1].ledger.enter(Outcome::Answered(StatusCode::OK), times);
    }
    let at = run.phases[1].ended;
    let value = Value { labels: Labels::new(), value: number };
    prometheus_mut(&mut run).answers =
        vec![Answer { query: "latency".to_owned(), at, result: QueryResult::Values(vec![value]) }];
    run
}

#[track_caller]
fn assert_verdict(run: &Run, verdict: Verdict, words: &str) {
    assert_says(run, 0, verdict, words);
    // What is written is read, and judged, as it was.
    let read: Run = serde_json::from_str(&serde_json::to_string(run).unwrap()).unwrap();
    assert_eq!((&read, judge(&read)), (run, judge(run)));
}

#[test]
fn near_by_a_latency_has_to_be_the_clients() {
    for (equals, right) in
        [("p50", 0.0203), ("mean", 0.0263), ("latency_sum", 26.3), ("slow_ratio(50ms)", 0.1)]
    {
        assert_verdict(&run(equals, "5%", right, near), Verdict::Pass, "truth ");
        for wrong in [right * 0.9, right * 1.1] {
            assert_verdict(&run(equals, "5%", wrong, near), Verdict::Fail, "truth ");
        }
    }
}

#[test]
fn a_path_that_was_measured_accounts_for_what_the_service_does_not_see() {
    let held =
        "client 60.32 ms, Prometheus 20.2 ms (expected: the same, within 5%), the path accounts for 40.12 ms";
    assert_verdict(&run("p50", "5%", 0.0202, far), Verdict::Pass, held);
    assert_verdict(&run("mean", "5%", 0.0262, far), Verdict::Pass, "the path accounts for 40.1 ms");
    assert_verdict(&run("latency_sum", "5%", 26.2, far), Verdict::Pass, "the path accounts for 40.1 s");
    // At the client all take longer than 50 ms.
    assert_verdict(&run("slow_ratio(50ms)", "5%", 0.1, far), Verdict::Pass, "the path accounts for 90 %");
    let path = "every answer took at least 40.3 ms longer than was injected, connecting 40 ms to 40.03 ms";
    assert_eq!(judge(&run("p50", "5%", 0.0202, far))[0].details[0], path);
}

#[test]
fn more_than_the_path_explains_is_a_lie() {
    for (equals, wrong) in [("p50", 0.015), ("mean", 0.02), ("latency_sum", 20.0), ("slow_ratio(50ms)", 0.05)]
    {
        assert_verdict(&run(equals, "5%", wrong, far), Verdict::Fail, "more than the path explains");
    }
    // Of a service that nobody knows, the path may be as long as the fastest answer.
    assert_verdict(&run("p95", "5%", 0.05, |k| foreign(far(k))), Verdict::Fail, "more than the path");
    assert_verdict(&run("p50", "5%", 0.07, far), Verdict::Fail, "truth 60.32 ms, Prometheus 70 ms");
}

#[test]
fn a_round_trip_is_the_path_to_a_service_that_nobody_knows() {
    let held =
        "client 60.32 ms, Prometheus 20.2 ms (expected: the same, within 5%), the path accounts for 40.12 ms";
    assert_verdict(&run("p50", "5%", 0.0202, |k| foreign(far(k))), Verdict::Pass, held);
}

#[test]
fn a_proxy_that_takes_connections_itself_may_hide_a_path_as_long_as_the_fastest_answer() {
    let behind = |k| Answered { handshake: MS / 10, ..foreign(far(k)) };
    let says = "client 60.32 ms, Prometheus 20.2 ms (expected: the same, within 5%), but 40.12 ms may have passed on the way";
    assert_verdict(&run("p50", "5%", 0.0202, behind), Verdict::Inconclusive, says);
    assert_verdict(&run("p50", "5%", 0.0603, behind), Verdict::Pass, "truth 60.32 ms");
    // The slow ones took longer by more than that.
    assert_verdict(&run("p95", "5%", 0.05, behind), Verdict::Fail, "truth 120.3 ms");
}

#[test]
fn a_service_that_does_not_wait_as_it_is_asked_says_nothing_of_the_path() {
    let hasty = |k| Answered { injected: Some(200 * MS), handshake: MS / 10, ..far(k) };
    assert_verdict(&run("p50", "5%", 0.0202, hasty), Verdict::Inconclusive, "may have passed on the way");
}

#[test]
fn the_drills_own_lag_spoils_no_latency_that_is_right() {
    let behind = |k| Answered { lag: 80 * MS, ..foreign(near(k)) };
    for (equals, right) in
        [("p50", 0.0203), ("mean", 0.0263), ("latency_sum", 26.3), ("slow_ratio(50ms)", 0.1)]
    {
        assert_verdict(&run(equals, "5%", right, behind), Verdict::Pass, "truth ");
        // It may have read the answers as late as it sent the requests.
        assert_verdict(
            &run(equals, "5%", right / 2.0, behind),
            Verdict::Inconclusive,
            "may have passed on the way",
        );
        assert_verdict(&run(equals, "5%", right * 2.0, behind), Verdict::Fail, "truth ");
    }
}

#[test]
fn round_trips_that_differ_excuse_as_much() {
    let uneven = |k: u32| Answered { handshake: 40 * MS + 2 * MS * (k % 10), ..foreign(far(k)) };
    let run_uneven = run("p95", "5%", 0.055, uneven);
    assert_verdict(&run_uneven, Verdict::Inconclusive, "may have passed on the way");
    let path = "the fastest answer took 60.29 ms, connecting 40 ms to 58.02 ms";
    assert_eq!(judge(&run_uneven)[0].details[0], path);
    assert_verdict(&run("p95", "5%", 0.055, |k| foreign(far(k))), Verdict::Fail, "more than the path");
}

#[test]
fn premises_are_about_service_times() {
    let premise = r#"{"truth": "slow_ratio(50ms)", "at_most": 0.2, "during": "burning"}"#;
    let silent = |answered: fn(u32) -> Answered| {
        let mut run = run("p50", "5%", 0.0203, answered);
        run.drill.expect = serde_json::from_str(r#"[{"nothing_else": "fires"}]"#).unwrap();
        run.drill.given = vec![serde_json::from_str(premise).unwrap()];
        prometheus_mut(&mut run).alerts = vec![alert("firing", &[], 45, 90)];
        run
    };
    // The drill's lag is no reason for an alert of the service.
    assert_says(&silent(|k| Answered { lag: 80 * MS, ..near(k) }), 0, Verdict::Fail, "fired 45 s after");
    assert_says(&silent(far), 0, Verdict::Inconclusive, "slow_ratio(50ms) was 100 % in burning");
}

/// The same run as a version without service times wrote it.
fn without_service_times(run: &Run) -> Run {
    let mut run = run.clone();
    for phase in &mut run.phases {
        let mut ledger = serde_json::to_value(&phase.ledger).unwrap();
        for member in ["service_time", "path"] {
            ledger.as_object_mut().unwrap().remove(member).unwrap();
        }
        phase.ledger = serde_json::from_value(ledger).unwrap();
    }
    run
}

#[test]
fn in_a_file_without_service_times_lag_spoils_a_latency() {
    let old = |number, lag| {
        without_service_times(&run("slow_ratio(500ms)", "10%", number, move |k| Answered {
            lag,
            service_time: if k.is_multiple_of(4) { 520 * MS } else { 20 * MS },
            ..near(k)
        }))
    };
    assert_verdict(&old(0.25, MS), Verdict::Pass, "truth 25 %");
    assert_verdict(&old(0.2, MS), Verdict::Fail, "truth 25 %");
    assert_verdict(&old(0.25, 80 * MS), Verdict::Inconclusive, "the drill's own lag was 80.06 ms (p99)");
}
