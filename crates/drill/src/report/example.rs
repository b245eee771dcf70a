//! A run that was made up: half of the requests fail for a while, and one alert misses it.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use std::time::Duration;

use http::StatusCode;

use crate::evidence::{
    Alertmanager, Clock, Evidence, Labels, Page, Pager, Prometheus, Reply, Sample, Selected, Series,
};
use crate::judge::{Detection, Finding, Verdict};
use crate::run::Run;
use firedrill_contract::Time;
use firedrill_load::outcome::Outcome;

/// When it began.
pub const BEGAN: Time = Time::from_millis(1_700_000_000_000);

/// Requests a second.
const RATE: u64 = 20;

/// When each phase begins and ends, in seconds.
const PHASES: [(&str, u64, u64); 3] = [("calm", 0, 30), ("burning", 30, 120), ("recovery", 120, 180)];

/// A moment, so many milliseconds after the drill began.
pub fn at(millis: i64) -> Time {
    Time::from_millis(BEGAN.millis() + millis)
}

pub fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The run.
pub fn run() -> Run {
    let drill = r#"{"name": "error budget burn", "about": "Half of the requests fail. The alert must fire, page, and resolve; nobody else may be woken.",
        "workload": "drill", "job": "app", "phases": {
            "calm": {"for": "30s", "rate": "20/s", "work": {}},
            "burning": {"for": "90s", "rate": "20/s", "work": {"error_rate": 0.5}},
            "recovery": {"for": "60s", "rate": "20/s", "work": {}}
        }, "expect": [{"counts": "all phases"}]}"#;
    let run = PHASES.into_iter().fold(Run::made_up(drill, BEGAN), |run, (name, from, to)| {
        let requests = u32::try_from((to - from) * RATE).unwrap();
        run.then(name, Duration::from_secs(to - from), requests, |n| {
            let (outcome, took) = request(from * RATE + u64::from(n));
            (outcome, Duration::from_millis(took))
        })
    });
    let evidence = Evidence {
        prometheus: Reply::Received(prometheus()),
        alertmanager: Reply::Received(Alertmanager {
            alerts: Vec::new(),
            receivers: vec!["pager".to_owned()],
            failed: Ok(Vec::new()),
            unseen: Vec::new(),
        }),
        pager: Reply::Received(pager()),
        ..Evidence::none(at(260_000))
    };
    Run { ended: at(180_040), evidence, ..run }
}

/// What becomes of the kth request, and after how many milliseconds.
fn request(k: u64) -> (Outcome, u64) {
    let burns = (30 * RATE..120 * RATE).contains(&k);
    let outcome = match k {
        900 | 1_200 => Outcome::Reset,
        1_500 => Outcome::TimedOut,
        _ if burns && k.is_multiple_of(2) => Outcome::Answered(StatusCode::INTERNAL_SERVER_ERROR),
        _ => Outcome::Answered(StatusCode::OK),
    };
    // One in fifty is slow, and some are a little so.
    let tail = k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
    (outcome, 18 + tail + if tail > 62 { 60 } else { 0 } + if burns { tail / 2 } else { 0 })
}

/// A counter of requests with one status, scraped every five seconds.
fn counter(status: u16) -> Series {
    let of_status = |k: &u64| request(*k).0.status().is_some_and(|found| found.as_u16() == status);
    let seen = |second: i64| {
        let ended = u64::try_from(second).unwrap_or(0).min(180) * RATE;
        f64::from(u32::try_from((0..ended).filter(of_status).count()).unwrap())
    };
    let samples = (-60..=240).step_by(5).map(|second| Sample(at(second * 1_000 + 2_000), seen(second)));
    let name = "http_server_request_duration_seconds_count";
    let status = status.to_string();
    let labels = labels(&[
        ("__name__", name),
        ("job", "app"),
        ("instance", "app:8080"),
        ("workload", "drill"),
        ("http_response_status_code", &status),
    ]);
    Series { labels, samples: samples.collect() }
}

/// `ALERTS` of an alert in one state, every five seconds between two.
pub fn alert(name: &str, state: &str, from: i64, to: i64) -> Series {
    let labels = labels(&[
        ("__name__", "ALERTS"),
        ("alertname", name),
        ("alertstate", state),
        ("severity", "page"),
        ("workload", "drill"),
    ]);
    let samples = (from..=to).step_by(5).map(|second| Sample(at(second * 1_000), 1.0));
    Series { labels, samples: samples.collect() }
}

fn prometheus() -> Prometheus {
    let selector = "http_server_request_duration_seconds_count{job=\"app\",workload=\"drill\"}";
    let up = Series {
        labels: labels(&[("__name__", "up"), ("job", "app"), ("instance", "app:8080")]),
        samples: (-60..=240).step_by(5).map(|second| Sample(at(second * 1_000 + 2_000), 1.0)).collect(),
    };
    Prometheus {
        clock: Clock { ahead_ms: 3, give_or_take_ms: 2, moved_ms: 0 },
        scrape_intervals: [("app".to_owned(), 5_000)].into(),
        rules: Vec::new(),
        alerts: vec![
            alert("HighErrorRatio", "pending", 41, 46),
            alert("HighErrorRatio", "firing", 51, 161),
            alert("ErrorBudgetBurn", "pending", 66, 166),
        ],
        samples: vec![
            Selected { selector: "up".to_owned(), series: vec![up] },
            Selected { selector: selector.to_owned(), series: vec![counter(200), counter(500)] },
        ],
        answers: Vec::new(),
        explained: Vec::new(),
    }
}

fn pager() -> Pager {
    Pager {
        clock: Clock { ahead_ms: 0, give_or_take_ms: 1, moved_ms: 0 },
        listening_since: at(-3_600_000),
        pages: vec![Page {
            receiver: "pager".to_owned(),
            labels: labels(&[("alertname", "HighErrorRatio"), ("severity", "page"), ("workload", "drill")]),
            annotations: labels(&[("summary", "Half of the requests fail")]),
            starts_at: at(51_000),
            rang_at: Some(at(53_400)),
            resolved_at: Some(at(171_200)),
        }],
    }
}

pub fn finding(subject: &str, verdict: Verdict, reason: &str, details: &[&str]) -> Finding {
    Finding {
        expectation: 0,
        subject: subject.to_owned(),
        verdict,
        reason: reason.to_owned(),
        details: details.iter().map(|detail| (*detail).to_owned()).collect(),
        detection: None,
        pending_until: None,
    }
}

/// What the judge might say of it.
pub fn findings() -> Vec<Finding> {
    let fired = Finding {
        detection: Some(Box::new(Detection {
            detected_seconds: 21.0,
            scrape_seconds: 2.0,
            evaluation_seconds: 9.0,
            for_seconds: 10.0,
            delivery_seconds: Some(0.4),
            grouping_seconds: Some(2.0),
        })),
        ..finding("HighErrorRatio fires", Verdict::Pass, "21 s after the cause (limit 1 min)", &[])
    };
    let mut findings = vec![
        finding("counts", Verdict::Pass, "3597 to 3600 sent, 3597 counted", &["3 requests had no answer"]),
        finding(
            "error ratio in burning",
            Verdict::Pass,
            "truth 49.92 % to 50 %, Prometheus 49.97 % (expected: the same, within 5%)",
            &[],
        ),
        fired,
        finding("HighErrorRatio notifies pager", Verdict::Pass, "2.4 s after it fired (limit 1 min)", &[]),
        finding(
            "ErrorBudgetBurn fires",
            Verdict::Fail,
            "did not fire within 1 min: its expression returned no series; workload=\"dril\" matches nothing, the nearest value is \"drill\"",
            &["its expression: job:errors:ratio{workload=\"dril\"} > 0.05"],
        ),
        finding("ErrorBudgetBurn resolves", Verdict::Inconclusive, "could not be judged: nothing fired", &[]),
        finding("HighErrorRatio silent workload=demo", Verdict::Pass, "no alert for it", &[]),
    ];
    findings.iter_mut().enumerate().for_each(|(expectation, finding)| finding.expectation = expectation);
    findings
}
