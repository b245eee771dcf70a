//! What judging takes by the number of requests: `firedrill judge`, its reports included, of a thousand series.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use firedrill_contract::Time;
use firedrill_drill::evidence::{Clock, Evidence, Labels, Prometheus, Reply, Rule, Sample, Selected, Series};
use firedrill_drill::run::Run;
use firedrill_load::outcome::Outcome;
use http::StatusCode;

use crate::quartiles::median;
use crate::verdict;

const MIB: f64 = 1024.0 * 1024.0;
const REQUESTS: [u32; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Of a million requests.
const ASKED_SECONDS: f64 = 1.0;
const ASKED_MIB: f64 = 100.0 * 1e6 / MIB;
/// By how much a thousand times the requests may take longer, or more memory.
const ASKED_CONSTANT: f64 = 1.5;
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
    let (sizes, turns) = if measure { (4, 7) } else { (2, 1) };
    let directory = std::env::temp_dir().join(format!("firedrill-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let mut runs: Vec<_> =
        REQUESTS[..sizes].iter().map(|requests| OfRequests::write(*requests, &directory)).collect();
    // In turns, so that what disturbs one disturbs the others.
    for _ in 0..turns {
        for run in &mut runs {
            run.judge(&directory);
        }
    }
    fs::remove_dir_all(&directory).unwrap();

    println!("{} series of {} samples, by requests: median of {turns}", TARGETS * PATHS, scrapes() + 1);
    for run in &runs {
        println!(
            "  {:>8}   judged in {:>4.0} ms   {:>5.1} MiB resident at most   ledger {:>6} bytes of a run file of {:.1} MiB",
            run.requests,
            run.seconds() * 1e3,
            run.resident,
            run.ledger,
            run.file_size as f64 / MIB
        );
    }
    let Some(million) = runs.iter().find(|run| run.requests == 1_000_000) else { return true };
    let (fewest, most) = (&runs[0], &runs[sizes - 1]);
    let judge = |figure: String, asked: String, met: bool| {
        verdict::print(measure, figure, asked, met);
        met
    };
    let times = most.seconds() / fewest.seconds();
    let resident = most.resident / fewest.resident;
    let ledgers = million.ledger as f64 / runs[1].ledger as f64;
    judge(
        format!("a million judged in {:.2} s, with {:.1} MiB", million.seconds(), million.resident),
        format!("under {ASKED_SECONDS} s and {ASKED_MIB:.1} MiB"),
        million.seconds() < ASKED_SECONDS && million.resident < ASKED_MIB,
    ) & judge(
        format!(
            "{} requests take {times:.2} times as long and {resident:.2} times the memory of {}",
            most.requests, fewest.requests
        ),
        format!("under {ASKED_CONSTANT} times"),
        times < ASKED_CONSTANT && resident < ASKED_CONSTANT,
    ) & judge(
        format!("a ledger of ten times the requests is {ledgers:.2} times as large"),
        format!("under {ASKED_GROWTH}"),
        ledgers < ASKED_GROWTH,
    )
}

/// A run with so many requests, and what judging it took.
struct OfRequests {
    requests: u32,
    file: PathBuf,
    file_size: usize,
    /// How many bytes of the file its phases are.
    ledger: usize,
    took: Vec<Duration>,
    /// The most memory, in MiB.
    resident: f64,
}

impl OfRequests {
    fn write(requests: u32, directory: &Path) -> Self {
        let run = made_up(requests);
        let text = serde_json::to_string(&run).unwrap();
        let file = directory.join(format!("{requests}.run.json"));
        fs::write(&file, &text).unwrap();
        let ledger = serde_json::to_string(&run.phases).unwrap().len();
        Self { requests, file, file_size: text.len(), ledger, took: Vec::new(), resident: 0.0 }
    }

    /// Judges it, with reports, by the program.
    fn judge(&mut self, directory: &Path) {
        let (took, resident) = judge(&[self.file.as_os_str(), "--out".as_ref(), directory.as_os_str()]);
        self.took.push(took);
        self.resident = self.resident.max(resident);
    }

    fn seconds(&self) -> f64 {
        median(self.took.iter().map(Duration::as_secs_f64))
    }
}

/// How long the program took, and the most memory that it had, in MiB, as seen every millisecond.
fn judge(arguments: &[&OsStr]) -> (Duration, f64) {
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
    let run = Run::made_up(DRILL, began).then("all", LASTS, requests, |n| {
        // From 1 to 1001 ms, all over.
        let took = 1_000 + u64::from(n.wrapping_mul(2_654_435_761) % 1_000_000);
        (Outcome::Answered(StatusCode::OK), Duration::from_micros(took))
    });
    let evidence = Evidence {
        prometheus: Reply::Received(prometheus(began, f64::from(requests))),
        ..Evidence::none(run.ended + Duration::from_secs(120))
    };
    Run { ended: run.ended + Duration::from_secs(2), evidence, ..run }
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
