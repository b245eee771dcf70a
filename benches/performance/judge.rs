//! What judging takes: `firedrill judge`, its reports included, of a run of a million requests and a thousand
//! series, and the size of the ledger by the number of requests.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use firedrill::drill::evidence::{
    Clock, Evidence, Labels, Prometheus, Rule, Sample, Selected, Series, Source,
};
use firedrill::drill::fate::Fate;
use firedrill::drill::file::DrillFile;
use firedrill::drill::ledger::{Ledger, Times};
use firedrill::drill::run::{PhaseLedger, Run, VERSION};
use firedrill::drill::time::Time;
use http::StatusCode;

use crate::verdict;

const ASKED_TIME: Duration = Duration::from_secs(1);
const ASKED_MIB: f64 = 100.0 * 1e6 / (1024.0 * 1024.0);
/// By how much a ledger of ten times the requests may be larger, since its counts have more digits.
const ASKED_GROWTH: f64 = 1.5;

const TARGETS: u32 = 10;
const PATHS: u32 = 100;
const LASTS: Duration = Duration::from_secs(900);
const SCRAPE: Duration = Duration::from_secs(5);

const DRILL: &str = r#"
name: large
workload: large
job: app
phases: { all: { for: 900s, rate: 1112/s, work: {} } }
expect:
  - counts: all phases
  - { alert: HighErrorRatio, never: fires }
  - { nothing_else: fires }
  - { scrapes: no gaps }
"#;

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let requests = if measure { 1_000_000 } else { 10_000 };
    let large = made_up(requests);
    let text = serde_json::to_string(&large).unwrap();
    let directory = std::env::temp_dir().join(format!("firedrill-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let file = directory.join("large.run.json");
    fs::write(&file, &text).unwrap();
    let mib = |bytes: usize| bytes as f64 / (1024.0 * 1024.0);
    let (series, samples) = (TARGETS * PATHS, scrapes() + 1);
    println!(
        "{requests} requests, {series} series of {samples} samples, a run file of {:.1} MiB",
        mib(text.len())
    );

    let mut judged: Vec<_> = (0..if measure { 7 } else { 1 })
        .map(|_| judge(&[file.to_str().unwrap(), "--out", directory.to_str().unwrap()]))
        .collect();
    fs::remove_dir_all(&directory).unwrap();
    judged.sort_by_key(|one| one.0);
    let time = judged[judged.len() / 2].0;
    let peak = judged.iter().map(|(_, peak)| *peak).fold(0.0, f64::max);
    let quick = time < ASKED_TIME;
    verdict::print(
        measure,
        format!("judged in  {time:.1?} (median)"),
        format!("under {ASKED_TIME:?}"),
        quick,
    );
    let light = peak < ASKED_MIB;
    verdict::print(
        measure,
        format!("resident   {peak:.1} MiB at most"),
        format!("under {ASKED_MIB:.1} MiB"),
        light,
    );

    let size = |run: &Run| serde_json::to_string(&run.phases).unwrap().len() as f64;
    let growth = size(&large) / size(&made_up(requests / 10));
    let bounded = growth < ASKED_GROWTH;
    let figure =
        format!("a ledger of {requests} requests is {growth:.2} times as large as one of {}", requests / 10);
    verdict::print(measure, figure, format!("under {ASKED_GROWTH}"), bounded);
    quick && light && bounded
}

/// How long the program took, and the most memory that it had, in MiB, as seen every millisecond.
fn judge(arguments: &[&str]) -> (Duration, f64) {
    let began = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
    let mut child = command.arg("judge").args(arguments).stdout(Stdio::null()).spawn().unwrap();
    let mut peak = 0.0_f64;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = peak.max(line.map_or(0.0, |kibibytes| kibibytes.parse::<f64>().unwrap() / 1024.0));
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(status.success(), "it should have held: {status}");
    (began.elapsed(), peak)
}

/// A run in which monitoring told the truth about so many requests, at a steady rate.
fn made_up(requests: u32) -> Run {
    let began = Time::from_millis(1_700_000_000_000);
    let ended = began + LASTS;
    let mut ledger = Ledger::default();
    for n in 0..requests {
        let due = LASTS / requests * n;
        // From 1 to 1001 ms, all over.
        let took = Duration::from_micros(1_000 + u64::from(n.wrapping_mul(2_654_435_761) % 1_000_000));
        ledger.enter(Fate::Answered(StatusCode::OK), Times { due, left: due, ended: due + took });
    }
    Run {
        version: VERSION,
        firedrill: env!("CARGO_PKG_VERSION").to_owned(),
        drill: DrillFile::read(DRILL).unwrap(),
        target: "http://app:8080".to_owned(),
        seed: 7,
        began,
        phases: vec![PhaseLedger { name: "all".to_owned(), began, ended, ledger }],
        ended: ended + Duration::from_secs(2),
        clock_moved_ms: 0,
        interrupted: false,
        evidence: Evidence {
            prometheus: Source::Said(prometheus(began, f64::from(requests))),
            ..Evidence::none(ended + Duration::from_secs(120))
        },
    }
}

fn prometheus(began: Time, requests: f64) -> Prometheus {
    let of_target =
        |target: u32| vec![("job", "app".to_owned()), ("instance", format!("10.0.0.{target}:8080"))];
    let counter = "http_server_request_duration_seconds_count";
    let each = requests / f64::from(TARGETS * PATHS);
    let counts = (0..TARGETS * PATHS).map(|n| {
        let own = [
            ("__name__", counter.to_owned()),
            ("workload", "large".to_owned()),
            ("http_route", format!("/path/{}", n % PATHS)),
            ("http_response_status_code", "200".to_owned()),
        ];
        series(began, [of_target(n / PATHS), own.to_vec()].concat(), |share| (each * share).floor())
    });
    let up = (0..TARGETS).map(|target| {
        series(began, [of_target(target), vec![("__name__", "up".to_owned())]].concat(), |_| 1.0)
    });
    Prometheus {
        clock: Clock { ahead_ms: 0, give_or_take_ms: 1, moved_ms: 0 },
        scrape_intervals: [("app".to_owned(), 5_000)].into(),
        rules: vec![Rule {
            name: "HighErrorRatio".to_owned(),
            alerting: true,
            group: "fast".to_owned(),
            query: "errors > 0.05".to_owned(),
            interval_ms: 5_000,
            for_ms: 10_000,
            keep_firing_for_ms: 0,
            labels: Labels::new(),
            annotations: Labels::new(),
            last_error: String::new(),
        }],
        alerts: Vec::new(),
        samples: vec![
            Selected { selector: "up".to_owned(), series: up.collect() },
            Selected {
                selector: format!("{counter}{{job=\"app\",workload=\"large\"}}"),
                series: counts.collect(),
            },
        ],
        answers: Vec::new(),
        explained: Vec::new(),
    }
}

/// How many scrapes fit into the drill, the minute before it and the minute after it.
fn scrapes() -> u32 {
    u32::try_from((LASTS.as_secs() + 120) / SCRAPE.as_secs()).unwrap()
}

/// A sample every scrape, from a minute before the drill to a minute after it, by how far the drill is.
fn series(began: Time, labels: Vec<(&str, String)>, value: impl Fn(f64) -> f64) -> Series {
    let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let first = Time::from_millis(began.millis() - 60_000);
    let sample = |n: u32| {
        let since_first = SCRAPE * n;
        let share = (since_first.as_secs_f64() - 60.0) / LASTS.as_secs_f64();
        Sample(first + since_first, value(share.clamp(0.0, 1.0)))
    };
    Series { labels, samples: (0..=scrapes()).map(sample).collect() }
}
