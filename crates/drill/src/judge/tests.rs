//! Runs as they are recorded, made up here, with one thing in them that lies.

use std::time::Duration;

use http::StatusCode;

use super::*;
use crate::evidence::{
    Answer, Clock, Comparison, Evidence, Explained, Extent, Labels, Prometheus, QueryResult, Reply, Rule,
    Sample, Selected, Selector, Series, Value,
};
use firedrill_contract::Time;
use firedrill_load::ledger::{Ledger, Times};
use firedrill_load::outcome::Outcome;

const SECOND: Duration = Duration::from_secs(1);
const BEGAN: Time = Time::from_millis(1_700_000_000_000);

/// A moment, so many seconds after the drill began.
fn at(seconds: i64) -> Time {
    Time::from_millis(BEGAN.millis() + seconds * 1_000)
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A series with a sample every five seconds.
fn series(name: &str, pairs: &[(&str, &str)], from: i64, to: i64, value: impl Fn(i64) -> f64) -> Series {
    let target = [("__name__", name), ("job", "app"), ("instance", "a:1")];
    let samples = (from..=to)
        .filter(|second| second.rem_euclid(5) == 0)
        .map(|second| Sample(at(second), value(second)));
    Series { labels: labels(&[&target, pairs].concat()), samples: samples.collect() }
}

/// A drill of 30 calm seconds and 30 in which every request fails, at 10 a second.
fn run(expect: &str) -> Run {
    let drill = format!(
        r#"{{"name": "test", "workload": "drill", "job": "app", "phases": {{
            "calm": {{"for": "30s", "rate": "10/s", "work": {{}}}},
            "burning": {{"for": "30s", "rate": "10/s", "work": {{"error_rate": 1}}}}
        }}, "expect": [{expect}]}}"#
    );
    let answered =
        |status| move |n: u32| (Outcome::Answered(status), Duration::from_millis(20 + u64::from(n) % 40));
    let run = Run::made_up(&drill, BEGAN).then("calm", SECOND * 30, 300, answered(StatusCode::OK)).then(
        "burning",
        SECOND * 30,
        300,
        answered(StatusCode::INTERNAL_SERVER_ERROR),
    );
    let evidence = Evidence { prometheus: Reply::Received(prometheus()), ..Evidence::none(at(300)) };
    Run { evidence, ..run }
}

/// A Prometheus that tells the truth about it.
fn prometheus() -> Prometheus {
    let counted =
        |from: i64| move |second: i64| f64::from(i32::try_from((second - from).clamp(0, 30) * 10).unwrap());
    let counter = "http_server_request_duration_seconds_count";
    let status = |status| [("workload", "drill"), ("http_response_status_code", status)];
    let counters = vec![
        series(counter, &status("200"), -60, 120, counted(0)),
        series(counter, &status("500"), -60, 120, counted(30)),
    ];
    let selector = format!("{counter}{{job=\"app\",workload=\"drill\"}}");
    Prometheus {
        clock: Clock { ahead_ms: 3, give_or_take_ms: 2, moved_ms: 0 },
        scrape_intervals: [("app".to_owned(), 5_000)].into(),
        rules: vec![rule("HighErrorRatio")],
        alerts: Vec::new(),
        samples: vec![
            Selected { selector: "up".to_owned(), series: vec![series("up", &[], -60, 120, |_| 1.0)] },
            Selected { selector, series: counters },
        ],
        answers: Vec::new(),
        explained: Vec::new(),
    }
}

fn rule(name: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        alerting: true,
        group: "fast".to_owned(),
        query: "errors > 0.05".to_owned(),
        interval_ms: 5_000,
        for_ms: 10_000,
        keep_firing_for_ms: 0,
        labels: labels(&[("severity", "page")]),
        annotations: labels(&[("summary", "…")]),
        last_error: String::new(),
    }
}

/// What Prometheus knows, to be falsified.
fn prometheus_mut(run: &mut Run) -> &mut Prometheus {
    match &mut run.evidence.prometheus {
        Reply::Received(prometheus) => prometheus,
        Reply::NotAsked | Reply::Missing(_) => unreachable!("these runs have asked Prometheus"),
    }
}

fn counters(run: &mut Run) -> &mut Vec<Series> {
    &mut prometheus_mut(run).samples[1].series
}

/// `ALERTS` of `HighErrorRatio` in one state.
fn alert(state: &str, pairs: &[(&str, &str)], from: i64, to: i64) -> Series {
    let own = [("alertname", "HighErrorRatio"), ("alertstate", state), ("severity", "page")];
    series("ALERTS", &[&own, pairs].concat(), from, to, |_| 1.0)
}

fn judged(run: &Run) -> Vec<(Verdict, String)> {
    judge(run).into_iter().map(|finding| (finding.verdict, finding.reason)).collect()
}

#[track_caller]
fn assert_says(run: &Run, index: usize, verdict: Verdict, words: &str) {
    let judged = judged(run);
    let (found, says) = &judged[index];
    assert_eq!(*found, verdict, "{says}");
    assert!(says.contains(words), "{says:?} does not say {words:?}");
}

const COUNTS: &str = r#"{"counts": "all phases"}"#;

mod clocks;

mod increase {
    use super::*;

    /// A run with one counter, whose values are those of the requests that have ended.
    fn run(equals: &str, value: impl Fn(f64) -> f64) -> Run {
        let expect =
            format!(r#"{{"increase": "counted_total{{workload=\"$workload\"}}", "equals": {equals}}}"#);
        let mut run = super::run(&expect);
        let counted = |second: i64| value(f64::from(i32::try_from(second.clamp(0, 60) * 10).unwrap()));
        let counter = series("counted_total", &[("workload", "drill")], -60, 120, counted);
        let selector = "counted_total{workload=\"drill\"}".to_owned();
        prometheus_mut(&mut run).samples.push(Selected { selector, series: vec![counter] });
        run
    }

    /// When its process started.
    fn started(run: &mut Run, value: impl Fn(i64) -> f64) {
        let selector = "process_start_time_seconds".to_owned();
        let series = vec![series(&selector, &[], -60, 120, value)];
        prometheus_mut(run).samples.push(Selected { selector, series });
    }

    #[test]
    fn what_rose_by_just_what_happened_held() {
        let right = |requests| 1_000.0 + requests;
        assert_says(
            &run("\"requests\"", right),
            0,
            Verdict::Pass,
            "truth 600, rose by 600 (expected: the same)",
        );
        assert_says(&run("600", right), 0, Verdict::Pass, "rose by 600 (expected: 600)");
        let latencies = run(r#""latency_sum", "within": "1%""#, |requests| requests * 0.0388);
        assert_says(&latencies, 0, Verdict::Pass, "rose by 23.28 s (expected: the same, within 1%)");
        let millis = run(r#""latency_sum", "within": "50%""#, |requests| requests * 38.8);
        assert_says(&millis, 0, Verdict::Fail, "rose by 6 h 28 min");
    }

    #[test]
    fn one_more_or_less_is_a_lie() {
        for wrong in [599.0, 601.0] {
            let rose = run("\"requests\"", |requests| if requests == 600.0 { wrong } else { requests });
            assert_says(&rose, 0, Verdict::Fail, &format!("truth 600, rose by {wrong} (expected: the same)"));
        }
        assert_says(&run("\"errors\"", |requests| requests), 0, Verdict::Fail, "truth 300, rose by 600");
    }

    #[test]
    fn a_counter_may_only_go_down_with_its_process() {
        let mut anew =
            run("\"requests\"", |requests| if requests < 300.0 { requests } else { requests - 280.0 });
        started(&mut anew, |second| if second < 30 { 1.0 } else { 2.0 });
        assert_says(&anew, 0, Verdict::Inconclusive, "may be lost, since it began anew");
        let mut fell =
            run("\"requests\"", |requests| if requests < 300.0 { requests } else { requests - 280.0 });
        started(&mut fell, |_| 1.0);
        let says = "it went down from 250 to 20 at ";
        assert_says(&fell, 0, Verdict::Fail, says);
        assert_says(&fell, 0, Verdict::Fail, "though its process did not start anew");
    }

    #[test]
    fn what_is_not_there_did_not_rise() {
        let mut none = run("0", |requests| requests);
        prometheus_mut(&mut none).samples.last_mut().unwrap().series.clear();
        assert_says(&none, 0, Verdict::Fail, "there is no such counter");
    }
}

mod counts {
    use super::*;

    #[test]
    fn all_of_them_once() {
        assert_says(&run(COUNTS), 0, Verdict::Pass, "600 sent, 600 counted");
    }

    #[test]
    fn twice_is_a_lie_and_so_is_one_too_few() {
        let mut twice = run(COUNTS);
        counters(&mut twice)
            .iter_mut()
            .flat_map(|series| &mut series.samples)
            .for_each(|sample| sample.1 *= 2.0);
        assert_says(&twice, 0, Verdict::Fail, "600 requests too many, each request was counted twice");
        let mut fewer = run(COUNTS);
        counters(&mut fewer)[0].samples.iter_mut().for_each(|sample| sample.1 = sample.1.min(299.0));
        assert_says(&fewer, 0, Verdict::Fail, "1 request is missing");
    }

    #[test]
    fn what_is_counted_late_is_counted() {
        // The last scrape that should have all is at 65 s; one request is in the next one only.
        let until = |last: i64| {
            let mut run = run(COUNTS);
            let late = |sample: &mut Sample| {
                if sample.0 < at(last) {
                    sample.1 = sample.1.min(299.0)
                }
            };
            counters(&mut run)[1].samples.iter_mut().for_each(late);
            run
        };
        assert_says(&until(75), 0, Verdict::Pass, "600 sent, 600 counted");
        assert_says(&until(80), 0, Verdict::Fail, "1 request is missing");
        // Whether it is lost is not known before the scrapes that it has are there.
        let mut early = until(75);
        early.evidence.collected = at(67);
        for selected in &mut prometheus_mut(&mut early).samples {
            selected.series.iter_mut().for_each(|series| series.samples.retain(|sample| sample.0 <= at(67)));
        }
        let until = judge(&early)[0].pending_until;
        assert!(until.is_some_and(|until| until > at(75)), "{until:?}");
    }

    #[test]
    fn failures_that_are_counted_as_successes_are_found_by_status() {
        let mut run = run(COUNTS);
        counters(&mut run)[1].labels.insert("http_response_status_code".to_owned(), "200".to_owned());
        assert_says(&run, 0, Verdict::Fail, "300 answered with status 200, 600 counted under it");
    }

    #[test]
    fn what_was_never_answered_has_no_status_and_hides_none() {
        let mut run = run(COUNTS);
        counters(&mut run)[1].labels.insert("http_response_status_code".to_owned(), "200".to_owned());
        let gone = [("workload", "drill"), ("error_type", "disconnected")];
        let gone = series("http_server_request_duration_seconds_count", &gone, -60, 120, |_| 0.0);
        counters(&mut run).push(gone);
        assert_says(&run, 0, Verdict::Fail, "300 answered with status 200, 600 counted under it");
    }

    #[test]
    fn only_successes_counted_is_a_lie() {
        let mut run = run(COUNTS);
        counters(&mut run).truncate(1);
        assert_says(&run, 0, Verdict::Fail, "600 sent, 300 counted: 300 requests are missing");
    }

    #[test]
    fn a_request_whose_outcome_nobody_knows_widens_the_truth_by_one() {
        let mut run = run(COUNTS);
        let due = SECOND * 59;
        run.phases[1].ledger.enter(Outcome::Reset, Times { due, left: due, sent: None, ended: due });
        assert_says(
            &run,
            0,
            Verdict::Pass,
            "600 counted; between 600 and 601 could be, since 1 outcome is unknown",
        );
        counters(&mut run)[0]
            .samples
            .iter_mut()
            .for_each(|sample| sample.1 = if sample.1 > 0.0 { sample.1 + 2.0 } else { 0.0 });
        assert_says(&run, 0, Verdict::Fail, "602 counted; between 600 and 601 could be");
    }

    #[test]
    fn what_stood_there_before_is_not_the_drills() {
        let mut run = run(COUNTS);
        counters(&mut run)
            .iter_mut()
            .flat_map(|series| &mut series.samples)
            .for_each(|sample| sample.1 += 1_000.0);
        assert_says(&run, 0, Verdict::Pass, "600 counted");
    }

    #[test]
    fn a_counter_that_began_anew_may_have_lost_what_ended_since_its_last_scrape() {
        let mut run = run(COUNTS);
        // It crashed at 12 s, after the scrape at 10 s, and lost 20 requests.
        for sample in &mut counters(&mut run)[0].samples {
            if sample.0 > at(10) {
                sample.1 -= 120.0;
            }
        }
        assert_says(
            &run,
            0,
            Verdict::Pass,
            "580 counted; between 540 and 600 could be, since the process restarted once",
        );
        // More than those that ended between the two scrapes cannot have been lost by that.
        for sample in &mut counters(&mut run)[0].samples {
            if sample.0 > at(20) {
                sample.1 = sample.1.min(90.0);
            }
        }
        assert_says(&run, 0, Verdict::Fail, "requests are missing");
    }

    #[test]
    fn a_restart_shows_by_its_time_where_the_counter_has_overtaken_what_it_stood_at() {
        let mut run = run(COUNTS);
        // It crashed at 2 s with 20 counted, and had counted 40 more when it was scraped at 5 s: none since the scrape at 0 s.
        for sample in &mut counters(&mut run)[0].samples {
            if sample.0 > at(0) {
                sample.1 -= 20.0;
            }
        }
        assert_says(&run, 0, Verdict::Fail, "20 requests are missing");
        let started =
            series("process_start_time_seconds", &[], -60, 120, |second| if second > 0 { 9.0 } else { 1.0 });
        prometheus_mut(&mut run)
            .samples
            .push(Selected { selector: "process_start_time_seconds".to_owned(), series: vec![started] });
        assert_says(
            &run,
            0,
            Verdict::Pass,
            "580 counted; between 540 and 600 could be, since the process restarted once",
        );
    }

    #[test]
    fn a_series_that_is_born_in_between_began_at_nothing() {
        let mut run = run(COUNTS);
        counters(&mut run)[1].samples.retain(|sample| sample.0 > at(30));
        assert_says(&run, 0, Verdict::Pass, "600 counted");
    }

    #[test]
    fn counters_that_the_file_names_have_their_variables_replaced() {
        let own = r#"{"counts": "all phases", "series": "hits_total{job=\"$job\",who=\"$workload\"}"},
            {"quantile": 0.5, "within": "5%", "series": "took{who=\"$workload\"}"}"#;
        let asked = questions(&run(own)).selectors;
        for selector in [r#"hits_total{job="app",who="drill"}"#, r#"took_bucket{who="drill"}"#] {
            assert!(asked.contains(&selector.to_owned()), "{asked:?}");
        }
    }

    #[test]
    fn traffic_of_others_is_told_from_a_lie() {
        let mut run = run(COUNTS);
        for sample in &mut counters(&mut run)[0].samples {
            sample.1 += sample.0.since(at(-60)).unwrap().as_secs_f64();
        }
        assert_says(&run, 0, Verdict::Inconclusive, "others were sending");
    }

    #[test]
    fn before_the_scrape_that_tells_it_is_too_early() {
        let mut run = run(COUNTS);
        run.evidence.collected = at(61);
        for selected in &mut prometheus_mut(&mut run).samples {
            selected.series.iter_mut().for_each(|series| series.samples.retain(|sample| sample.0 <= at(60)));
        }
        let until = judge(&run)[0].pending_until;
        assert!(until.is_some_and(|until| until > at(61) && until < at(80)), "{until:?}");
    }

    #[test]
    fn no_counter_and_no_target_are_lies_and_no_prometheus_is_not() {
        let mut bare = run(COUNTS);
        counters(&mut bare).clear();
        assert_says(&bare, 0, Verdict::Fail, "600 sent, none counted");
        prometheus_mut(&mut bare).samples[0].series.clear();
        assert_says(&bare, 0, Verdict::Fail, "Prometheus scrapes no target of job \"app\"");
        bare.evidence.prometheus = Reply::Missing("connection refused".to_owned());
        assert_says(&bare, 0, Verdict::Inconclusive, "connection refused");
    }
}

mod alerts {
    use super::*;

    const FIRES: &str = r#"{"alert": "HighErrorRatio", "labels": {"workload": "drill"}, "severity": "page",
        "fires": {"during": "burning", "within": "25s"}, "resolves": {"within": "60s"}}"#;
    const DRILL: [(&str, &str); 1] = [("workload", "drill")];

    fn fired() -> Run {
        let mut run = run(FIRES);
        prometheus_mut(&mut run).alerts =
            vec![alert("pending", &DRILL, 35, 40), alert("firing", &DRILL, 45, 90)];
        run
    }

    #[test]
    fn in_time() {
        let run = fired();
        assert_says(&run, 0, Verdict::Pass, "15 s after the cause");
        assert_says(&run, 1, Verdict::Pass, "35 s after its cause ended");
        let detection = *judge(&run)[0].detection.clone().unwrap();
        let Detection { detected_seconds, scrape_seconds, evaluation_seconds, for_seconds, .. } = detection;
        let parts = [detected_seconds, scrape_seconds, evaluation_seconds, for_seconds];
        assert_eq!(parts, [15.0, 0.0, 5.0, 10.0]);
    }

    #[test]
    fn too_late_is_a_lie() {
        let mut run = fired();
        prometheus_mut(&mut run).alerts = vec![alert("firing", &DRILL, 60, 90)];
        assert_says(&run, 0, Verdict::Fail, "fired 30 s after the cause; the limit is 25 s");
    }

    #[test]
    fn never_names_what_is_known_of_the_reason() {
        let mut run = fired();
        prometheus_mut(&mut run).alerts = vec![alert("pending", &DRILL, 35, 90)];
        assert_says(&run, 0, Verdict::Fail, "`for` is 10 s");
        prometheus_mut(&mut run).alerts = vec![alert("firing", &[], 45, 90)];
        assert_says(&run, 0, Verdict::Fail, "it has no label \"workload\"");
        prometheus_mut(&mut run).alerts = vec![alert("firing", &[("workload", "demo")], 45, 90)];
        assert_says(&run, 0, Verdict::Fail, "expected workload=\"drill\", found \"demo\"");
        assert_says(&run, 1, Verdict::Inconclusive, "nothing fired");
    }

    #[test]
    fn a_rule_that_is_not_there_is_named_with_the_nearest() {
        let mut run = fired();
        prometheus_mut(&mut run).alerts.clear();
        prometheus_mut(&mut run).rules[0].name = "HighErorRatio".to_owned();
        assert_says(&run, 0, Verdict::Fail, "the nearest is HighErorRatio");
        prometheus_mut(&mut run).rules.clear();
        assert_says(&run, 0, Verdict::Inconclusive, "no alerting rules loaded");
    }

    #[test]
    fn firing_before_its_cause_tells_nothing_unless_the_cause_silences_it() {
        let mut run = fired();
        prometheus_mut(&mut run).alerts = vec![alert("firing", &DRILL, -30, 90)];
        assert_says(&run, 0, Verdict::Inconclusive, "firing before the cause");
        prometheus_mut(&mut run).alerts = vec![alert("firing", &DRILL, -30, 35)];
        assert_says(&run, 0, Verdict::Fail, "comparison operator inverted");
    }

    #[test]
    fn one_that_goes_on_is_a_lie_when_its_time_is_over() {
        let mut run = fired();
        prometheus_mut(&mut run).alerts = vec![alert("firing", &DRILL, 45, 300)];
        assert_says(&run, 1, Verdict::Fail, "did not resolve within 1 min");
        run.evidence.collected = at(100);
        prometheus_mut(&mut run).alerts = vec![alert("firing", &DRILL, 45, 100)];
        let until = judge(&run)[1].pending_until;
        assert!(until.is_some_and(|until| until > at(120) && until < at(140)), "{until:?}");
    }

    #[test]
    fn a_scrape_gap_is_no_evidence_of_a_lie() {
        let mut run = fired();
        prometheus_mut(&mut run).alerts.clear();
        prometheus_mut(&mut run).samples[0].series[0]
            .samples
            .retain(|sample| sample.0 < at(35) || sample.0 > at(50));
        assert_says(&run, 0, Verdict::Inconclusive, "nothing was scraped for");
    }

    #[test]
    fn the_control_is_no_rubber_stamp() {
        let never = r#"{"alert": "HighErrorRatio", "labels": {"workload": "demo"}, "never": "fires"}"#;
        let mut run = run(never);
        assert_says(&run, 0, Verdict::Pass, "did not fire");
        prometheus_mut(&mut run).alerts = vec![alert("firing", &[("workload", "demo")], 45, 50)];
        assert_says(&run, 0, Verdict::Fail, "fired 45 s after the drill began");
        prometheus_mut(&mut run).rules[0].name = "Other".to_owned();
        assert_says(&run, 0, Verdict::Fail, "no alerting rule of this name");
    }

    #[test]
    fn silence_of_what_nobody_watches_is_no_evidence() {
        let never = r#"{"alert": "HighErrorRatio", "labels": {"workload": "demo"}, "never": "fires"}, {"nothing_else": "fires"}"#;
        let up = |change: fn(&mut Vec<Sample>)| {
            let mut run = run(never);
            change(&mut prometheus_mut(&mut run).samples[0].series[0].samples);
            run
        };
        // The target is no longer listed; it was never; each scrape of it fails.
        for run in [
            up(|up| up.retain(|sample| sample.0 < at(20))),
            up(|up| up.retain(|sample| sample.0 < at(0))),
            up(|up| up.iter_mut().for_each(|sample| sample.1 = 0.0)),
        ] {
            assert_says(&run, 0, Verdict::Inconclusive, "nothing was scraped for");
            assert_says(&run, 1, Verdict::Inconclusive, "nothing was scraped for");
        }
    }

    #[test]
    fn an_alert_that_ends_because_nothing_is_scraped_has_not_resolved() {
        let mut run = fired();
        prometheus_mut(&mut run).samples[0].series[0].samples.retain(|sample| sample.0 < at(70));
        assert_says(&run, 1, Verdict::Inconclusive, "nothing was scraped for");
        // Scrapes that fail are scrapes: there are alerts about those.
        let mut run = fired();
        let up = &mut prometheus_mut(&mut run).samples[0].series[0].samples;
        up.iter_mut().filter(|sample| sample.0 > at(50)).for_each(|sample| sample.1 = 0.0);
        assert_says(&run, 1, Verdict::Pass, "35 s after its cause ended");
    }

    #[test]
    fn what_nobody_asked_for_is_named() {
        let mut run = run(&format!("{FIRES}, {{\"nothing_else\": \"fires\"}}"));
        prometheus_mut(&mut run).alerts = vec![alert("firing", &DRILL, 45, 90)];
        assert_says(&run, 2, Verdict::Pass, "none fired unexpectedly");
        prometheus_mut(&mut run).alerts.push(alert("firing", &[("workload", "demo")], 50, 55));
        assert_says(&run, 2, Verdict::Fail, "workload=\"demo\"");
    }

    #[test]
    fn an_alert_unasked_is_no_lie_where_the_traffic_was_not_as_given() {
        let silent = r#"{"nothing_else": "fires"}, {"alert": "HighErrorRatio", "never": "fires"}"#;
        let mut run = run(silent);
        prometheus_mut(&mut run).alerts = vec![alert("firing", &[], 45, 90)];
        // Every request of the second phase failed, and took from 20 to 59 ms.
        for (truth, during) in
            [("slow_ratio(500ms)", ""), ("p99", ""), ("error_ratio", r#", "during": "calm""#)]
        {
            let premise = format!(r#"{{"truth": "{truth}", "at_most": 0.5{during}}}"#);
            run.drill.given = vec![serde_json::from_str(&premise).unwrap()];
            assert_says(&run, 0, Verdict::Fail, "fired 45 s after the drill began");
            assert_says(&run, 1, Verdict::Fail, "fired 45 s after the drill began");
        }
        run.drill.given = vec![serde_json::from_str(r#"{"truth": "error_ratio", "at_most": 0.5}"#).unwrap()];
        let why = "but error_ratio was 100 % in burning, where at most 50 % is given";
        assert_says(&run, 0, Verdict::Inconclusive, why);
        assert_says(&run, 1, Verdict::Inconclusive, why);
    }

    #[test]
    fn one_that_always_fires_is_not_else() {
        let mut run = run(r#"{"nothing_else": "fires"}"#);
        prometheus_mut(&mut run).alerts = vec![alert("firing", &[], -60, 120)];
        assert_says(&run, 0, Verdict::Pass, "none fired");
    }
}

mod causes {
    use super::*;

    const FIRES: &str = r#"{"alert": "HighErrorRatio", "labels": {"workload": "drill"},
        "fires": {"during": "burning", "within": "25s"}, "resolves": {"within": "60s"}}"#;

    /// A run in which it never fired, and what is known of these parts of its expression.
    fn never(selectors: Vec<Selector>, comparisons: Vec<Comparison>) -> Run {
        let mut run = run(FIRES);
        prometheus_mut(&mut run).explained = vec![explained(selectors, comparisons)];
        run
    }

    fn explained(selectors: Vec<Selector>, comparisons: Vec<Comparison>) -> Explained {
        Explained {
            expression: "errors > 0.05".to_owned(),
            records: None,
            from: at(30),
            to: at(60),
            selectors,
            comparisons,
            unexplained: Vec::new(),
        }
    }

    /// Selects nothing; of its metric there are series with these values of the label `kind`.
    fn nothing(selector: &str, kinds: &[&str]) -> Selector {
        let kinds: Vec<_> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let values = (!kinds.is_empty()).then(|| ("kind".to_owned(), kinds));
        let metric = selector.split('{').next().map(str::to_owned);
        let selector = selector.to_owned();
        Selector {
            selector,
            selected: 0,
            range_ms: None,
            metric,
            values: values.into_iter().collect(),
            ruled_out: [].into(),
            nearest: Vec::new(),
        }
    }

    fn comparison(operator: &str, most: f64, held: f64) -> Comparison {
        Comparison {
            left: "errors".to_owned(),
            operator: operator.to_owned(),
            right: "0.05".to_owned(),
            left_was: Some(Extent { least: 0.0, most }),
            right_was: Some(Extent { least: 0.05, most: 0.05 }),
            held: Some(held),
        }
    }

    #[test]
    fn what_is_not_there_is_named_before_what_it_leads_to() {
        let run = never(vec![nothing("eror{}", &[])], vec![comparison(">", 0.0, 0.0)]);
        assert_says(&run, 0, Verdict::Fail, "did not fire within 25 s: Prometheus has no metric eror");
        assert!(judge(&run)[0].details[0].contains("errors was 0, never > 0.05"));
    }

    #[test]
    fn matchers_that_do_not_meet_are_named_last() {
        let apart = || nothing("errors{kind=\"a\",kind!=\"a\"}", &["a", "b"]);
        let run = never(vec![apart()], vec![comparison(">", 0.01, 0.0)]);
        assert_says(&run, 0, Verdict::Fail, "errors was between 0 and 0.01, never > 0.05");
        assert!(judge(&run)[0].details[0].contains("nothing matches all of errors"));
        let mut ruled_out = apart();
        ruled_out.ruled_out = [("kind".to_owned(), vec!["b".to_owned()])].into();
        let says = "did not fire within 25 s: nothing matches all of errors{kind=\"a\",kind!=\"a\"}, \
            what all else matches does not match kind=\"a\": the nearest is \"b\"";
        assert_says(&never(vec![ruled_out], vec![]), 0, Verdict::Fail, says);
    }

    #[test]
    fn a_rule_that_recorded_nothing_is_no_misspelt_metric() {
        let mut run = never(vec![nothing("errors{}", &[])], vec![]);
        prometheus_mut(&mut run).rules.push(Rule {
            name: "errors".to_owned(),
            alerting: false,
            ..rule("errors")
        });
        assert_says(&run, 0, Verdict::Fail, "the rule that records errors gave nothing");
    }

    #[test]
    fn one_mistake_in_many_places_is_told_a_few_times() {
        let run = never((0..9).map(|n| nothing(&format!("eror{n}{{}}"), &[])).collect(), vec![]);
        let details = judge(&run).remove(0).details;
        assert_eq!(details.len(), 5, "{details:?}");
        assert_eq!(details[3], "and 5 more like these");
    }

    #[test]
    fn a_comparison_that_held_for_a_moment_may_be_turned_round() {
        let mut run = never(vec![], vec![comparison("<", 0.5, 0.02)]);
        let drill = [("workload", "drill")];
        prometheus_mut(&mut run).alerts =
            vec![alert("pending", &drill, 30, 30), alert("pending", &drill, 75, 80)];
        let says = "did not fire within 25 s: it was pending for 5 s at most, and `for` is 10 s: \
            errors was between 0 and 0.5, and < 0.05 for only 2 % of the time: is the comparison operator inverted?";
        assert_says(&run, 0, Verdict::Fail, says);
        prometheus_mut(&mut run).explained[0].comparisons[0].held = Some(0.9);
        assert_eq!(
            judged(&run)[0].1,
            "did not fire within 25 s: it was pending for 5 s at most, and `for` is 10 s"
        );
    }

    #[test]
    fn a_range_that_remembers_the_cause_is_named() {
        let mut run = never(vec![], vec![]);
        prometheus_mut(&mut run).alerts = vec![alert("firing", &[("workload", "drill")], 45, 300)];
        let selector =
            |range_ms| Selector { selected: 1, range_ms: Some(range_ms), ..nothing("errors[10m]", &[]) };
        prometheus_mut(&mut run).explained[0].selectors = vec![selector(600_000)];
        assert_says(
            &run,
            1,
            Verdict::Fail,
            "did not resolve within 1 min after its cause ended: errors[10m] looks back 10 min",
        );
        prometheus_mut(&mut run).explained[0].selectors = vec![selector(60_000)];
        assert_eq!(judged(&run)[1].1, "did not resolve within 1 min after its cause ended");
    }
}

mod spoilers {
    use super::*;

    #[test]
    fn a_clock_that_was_set_while_the_drill_ran_tells_nothing_though_it_is_right_at_the_end() {
        for (millis, moved) in [(-40_000, "back by 40 s"), (40_000, "forward by 40 s")] {
            let mut own = run(COUNTS);
            own.clock_moved_ms = millis;
            let mut theirs = run(COUNTS);
            prometheus_mut(&mut theirs).clock.moved_ms = millis;
            for (run, whose) in [(own, "the drill's own clock"), (theirs, "the clock of Prometheus")] {
                assert_says(&run, 0, Verdict::Inconclusive, &format!("{whose} was put {moved} while"));
            }
        }
        let mut slightly = run(COUNTS);
        slightly.clock_moved_ms = 1_900;
        assert_says(&slightly, 0, Verdict::Pass, "600 counted");
    }

    #[test]
    fn a_clock_that_is_off_by_a_minute_tells_nothing() {
        let mut run = run(COUNTS);
        prometheus_mut(&mut run).clock.ahead_ms = -60_000;
        assert_says(&run, 0, Verdict::Inconclusive, "1 min behind");
    }

    #[test]
    fn a_prometheus_that_has_just_started_does_not_make_a_gap_smaller() {
        let mut run = run(r#"{"scrapes": "no gaps"}"#);
        let prometheus = prometheus_mut(&mut run);
        prometheus.scrape_intervals.clear();
        let up = prometheus.samples.iter_mut().find(|selected| selected.selector == "up").unwrap();
        up.series[0].samples.retain(|sample| sample.0 < at(20) || sample.0 > at(42));
        assert_says(&run, 0, Verdict::Inconclusive, "nothing was scraped for");
    }

    #[test]
    fn an_interrupted_drill_tells_nothing() {
        let mut run = run(COUNTS);
        run.interrupted = true;
        assert_says(&run, 0, Verdict::Inconclusive, "interrupted");
    }

    #[test]
    fn a_generator_that_was_behind_tells_nothing_of_rates_and_phases_and_all_of_counts() {
        let mut run = run(&format!(r#"{{"nothing_else": "fires"}}, {COUNTS}"#));
        let due = SECOND * 31;
        for _ in 0..10 {
            run.phases[1].ledger.enter(
                Outcome::NotSent,
                Times { due, left: due + SECOND * 3, sent: None, ended: due + SECOND * 3 },
            );
        }
        assert_says(&run, 0, Verdict::Inconclusive, "the drill itself was behind");
        assert_says(&run, 1, Verdict::Pass, "600 sent, 600 counted");
    }

    #[test]
    fn a_run_file_gives_the_same_verdicts_again() {
        let run = run(COUNTS);
        let written = serde_json::to_string(&run).unwrap();
        let read: Run = serde_json::from_str(&written).unwrap();
        assert_eq!(read, run);
        assert_eq!(judge(&read), judge(&run));
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
    }
}
