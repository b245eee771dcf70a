//! How punctual `firedrill load` is, and how much it can send: against oha, where that is installed.
//!
//! Everything shares the machine, as it does where a drill runs beside its service: on two cores the server
//! and the generator have to do with those. Both generators ask the same server for the same thing, in turns
//! within one run, so that what disturbs one disturbs the other.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::core::Core;
use crate::serve::Serve;
use crate::verdict;

/// The rate at which requests have to leave in time.
const RATE: u32 = 5_000;
/// How late 99.9 % of them may be at most.
const ASKED_LAG: Duration = Duration::from_millis(5);
/// The least share of oha's throughput.
const ASKED_RATIO: f64 = 0.80;
const CONNECTIONS: u32 = 32;
/// How much more than oha got `load` is asked for, so that what it reaches is what it can: not far more, since
/// each request that falls due and cannot be sent is entered in its ledger as well, and costs it time.
const MORE: f64 = 1.25;
/// The highest rate that `load` takes, in requests a second.
const FASTEST: f64 = 100_000.0;

/// Prints the figures; whether they are as they should be.
pub(crate) fn run(measure: bool) -> bool {
    let serve = Serve::start(&Core::start(1));
    let punctual = lag(serve.address, measure);
    let strong = throughput(serve.address, measure);
    punctual && strong
}

/// How late requests leave.
fn lag(address: SocketAddr, measure: bool) -> bool {
    let span = if measure { 20_000 } else { 10 };
    let report = load(address, &format!("{RATE}/s"), 1_000, Duration::from_millis(span));
    let lag = |quantile: &str| report["lag_seconds"][quantile].as_f64().unwrap() * 1e3;
    let [p50, p99, p999, max] = ["p50", "p99", "p999", "max"].map(lag);
    let met = p999 <= ASKED_LAG.as_secs_f64() * 1e3;
    println!("GET /health at {RATE}/s for {span} ms, {} requests", report["due"]);
    println!("  lag  p50 {p50:.3} ms   p99 {p99:.3} ms   max {max:.3} ms");
    verdict::print(measure, format!("p99.9 {p999:.3} ms"), format!("at most {ASKED_LAG:?}"), met);
    met
}

/// How many requests are answered in a second at most, as a share of what oha reaches.
fn throughput(address: SocketAddr, measure: bool) -> bool {
    let (turns, span) = if measure { (7, 3_000) } else { (1, 100) };
    let span = Duration::from_millis(span);
    println!("GET /health, at most {CONNECTIONS} in flight, {turns} pairs of {span:?} turns");
    // The first turn only warms up, and says what to ask for.
    let Some(mut theirs) = oha(address, span) else {
        let ours = answered(address, FASTEST, span);
        println!("  {ours:.0} answers a second   oha is not installed: nothing to compare with");
        return true;
    };
    let mut pairs = Vec::new();
    for turn in 0..turns {
        // Each goes first as often as the other, or nearly.
        let ours;
        if turn % 2 == 0 {
            ours = answered(address, MORE * theirs, span);
            theirs = oha(address, span).unwrap();
        } else {
            theirs = oha(address, span).unwrap();
            ours = answered(address, MORE * theirs, span);
        }
        pairs.push((ours, theirs));
    }
    let median = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let ours = median(pairs.iter().map(|(ours, _)| *ours).collect());
    let theirs = median(pairs.iter().map(|(_, theirs)| *theirs).collect());
    println!("  answers a second   load {ours:.0}   oha {theirs:.0}");
    let ratio = median(pairs.iter().map(|(ours, theirs)| ours / theirs).collect());
    let met = ratio >= ASKED_RATIO;
    verdict::print(measure, format!("ratio {ratio:.3}"), format!("at least {ASKED_RATIO:.2}"), met);
    met
}

/// Answers a second of `load`, which is asked for this many.
fn answered(address: SocketAddr, rate: f64, span: Duration) -> f64 {
    let report = load(address, &format!("{:.0}/s", rate.min(FASTEST)), CONNECTIONS, span);
    let answers = report["answered"]["200"].as_f64().unwrap_or_default();
    answers / report["lasted_seconds"].as_f64().unwrap()
}

/// What `firedrill load` reports.
fn load(address: SocketAddr, rate: &str, in_flight: u32, span: Duration) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
    command.args(["load", "--json", "--log", "warn", "--seed", "7", "--rate", rate]);
    command.args(["--for", &format!("{}ms", span.as_millis()), "--max-in-flight", &in_flight.to_string()]);
    let output = command.arg(format!("http://{address}/health")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Answers a second of oha, which sends on every connection as soon as the last answer is there; nothing
/// where it is not installed.
fn oha(address: SocketAddr, span: Duration) -> Option<f64> {
    let mut command = Command::new("oha");
    command.args(["--no-tui", "--output-format", "json", "-z", &format!("{}ms", span.as_millis())]);
    command.args(["-c", &CONNECTIONS.to_string(), &format!("http://{address}/health?seed=7&n=1000000")]);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("oha: {error}"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    Some(report["summary"]["requestsPerSec"].as_f64().unwrap())
}
