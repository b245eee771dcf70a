//! What has to hold whatever comes from outside: one function for each kind of input.
//!
//! Each takes any bytes and panics where something does not hold. Only tests and fuzzers (`fuzz/`) have
//! them. `replay` runs what fuzzing kept through them.

#![cfg(any(test, feature = "testing"))]

mod connection;

use std::time::Duration;

use firedrill_contract::{Caps, OpenTo, Refusal, Work, quoted};
use firedrill_drill::evidence::{Labels, Value};
use firedrill_drill::file::source::Source;
use firedrill_drill::file::{DrillFile, environment};
use firedrill_drill::judge::{judge, questions, unexplained, unquiet};
use firedrill_drill::report::junit::junit;
use firedrill_drill::report::text::Look;
use firedrill_drill::report::{Report, Written};
use firedrill_drill::run::Run;
use firedrill_load::plan::Activity;
use firedrill_net::sanitize::is_unsafe;

pub use connection::http;
pub use firedrill_drill::evidence::fuzz::{alertmanager, exposition, grafana, prometheus};
pub use firedrill_pager::fuzz::webhook;

/// The caps of a service that nobody configured, with one that is not a round number.
fn caps() -> Caps {
    Caps { cpu: Duration::from_millis(1_234), ..Caps::default() }
}

/// What `/work` is asked: a query in the first line, and a JSON body in those that follow, where there are any.
///
/// # Panics
/// Where what is taken is not within the caps, is not the same in a query and in JSON, or draws what
/// was not asked for; and where a refusal names nothing that was given.
pub fn work(input: &[u8]) {
    let (query, json) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], Some(&input[end + 1..])),
        None => (input, None),
    };
    let query = String::from_utf8_lossy(query);
    let by_query = Work::from_query(&query, &caps());
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let members = pairs.iter().map(|(name, value)| format!("{}:{}", text(name), text(value)));
    let object = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    let by_json = Work::parse_with_json([], object.as_bytes(), &caps());
    assert_eq!(by_query, by_json, "a query and JSON of the same names mean the same");
    taken_or_refused(&by_query, |name| pairs.iter().any(|(given, _)| quoted(given) == name));
    if let Some(json) = json {
        let both =
            Work::parse_with_json(pairs.iter().map(|(name, value)| (&**name, &**value)), json, &caps());
        taken_or_refused(&both, |_| true);
    }
}

fn text(text: &str) -> serde_json::Value {
    text.into()
}

fn taken_or_refused(read: &Result<Work, Refusal>, given: impl Fn(&str) -> bool) {
    match read {
        Ok(work) => taken(work),
        Err(refusal) => {
            let Refusal { parameter, got, expected } = refusal;
            assert!(given(parameter), "{refusal} is about what was not given");
            assert!(!expected.is_empty());
            for shown in [parameter, got] {
                assert!(!shown.chars().any(char::is_control), "{shown:?} can act on a terminal");
                assert!(shown.chars().count() <= 64 * "\\u{10ffff}".len() + 1, "{shown:?} is long");
            }
        }
    }
}

fn taken(work: &Work) {
    let caps = caps();
    assert!(work.latency.longest() <= caps.latency && work.cpu <= caps.cpu && work.outage <= caps.outage);
    assert!(work.memory.is_none_or(|memory| memory.size <= caps.memory && memory.hold <= caps.hold));
    assert!(work.body.is_none_or(|size| size <= caps.body));
    let longest = work.latency.longest();
    for n in [work.n, 0, 1, u64::MAX] {
        let injection = work.draw(work.seed.unwrap_or(7), n);
        assert!(injection.latency <= longest, "{:?} drew {:?}", work.latency, injection.latency);
        let error = work.error.map_or(work.status, |(_, status)| status);
        assert!([work.status, error].contains(&injection.status));
        assert_eq!(injection, work.draw(work.seed.unwrap_or(7), n), "the same draw does the same");
    }
    if work.costly(&OpenTo::default()).is_none() {
        assert!(longest <= OpenTo::default().latency && work.exit.is_none() && work.memory.is_none());
    }
}

/// A drill file.
///
/// # Panics
/// Where a problem has no place in the text or is shown as something that acts on a terminal, a file is not read again as
/// it was written, or a plan asks for requests out of their order.
pub fn drill_file(input: &[u8]) {
    let source = Source::new("drill.yaml", input);
    let checked = source.check();
    let problems = checked.as_ref().err().map(Vec::as_slice).unwrap_or_default();
    for problem in problems {
        assert!(!problem.message.is_empty() && problem.message.len() < 4_000, "{problem:?}");
    }
    let shown = source.show(problems, 100, false);
    assert!(!shown.contains(|c| is_unsafe(c) && c != '\n'), "{shown:?}");
    let Some(file) = std::str::from_utf8(input).ok().and_then(|text| DrillFile::read(text).ok()) else {
        return;
    };
    let json = serde_json::to_string(&file).expect("a drill file has a form in JSON");
    let again: DrillFile = serde_json::from_str(&json).expect("what was written is read");
    assert_eq!(again, file, "{json}");
    let _ = file.target.as_deref().map(environment::defaults);
    let Ok(plan) = file.plan(file.seed.unwrap_or(7)) else {
        return assert!(checked.is_err(), "a file without problems has no plan: {file:?}");
    };
    assert_eq!(plan.phases().len(), file.phases.len());
    for phase in plan.phases() {
        let Activity::Traffic { arrivals, .. } = &phase.activity else { continue };
        let due: Vec<_> = arrivals.due().take(100).collect();
        assert!(due.is_sorted(), "{due:?}");
        assert!(due.iter().all(|due| arrivals.span().is_none_or(|span| *due <= span)), "{due:?}");
    }
}

/// A run file.
///
/// # Panics
/// Where it is not read again as it was written, is judged differently a second time, or its reports are
/// not what a program, a terminal or a browser may be given.
pub fn run_file(input: &[u8]) {
    number(f64::from_bits(input.iter().fold(0, |bits: u64, byte| bits.rotate_left(7) ^ u64::from(*byte))));
    let Ok(run) = serde_json::from_slice::<Run>(input) else { return };
    let written = serde_json::to_string(&run).expect("a run has a form in JSON");
    let again: Run = serde_json::from_str(&written).expect("what was written is read");
    assert_eq!(serde_json::to_string(&again).expect("it has a form"), written);

    let verdicts = judge(&run);
    assert_eq!(judge(&again), verdicts, "a run file repeats its verdicts");
    assert_eq!(questions(&run), questions(&again));
    let _ = (unexplained(&run, &verdicts), unquiet(&run));

    let report = Report::new(&run, &verdicts);
    let json: Report = serde_json::from_str(&report.json()).expect("a report is read as it was written");
    assert_eq!(json.findings, report.findings);
    let shown = report.text(&Written::default(), Look { width: 80, colour: false, verbose: true });
    assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?} can act on a terminal");
    let xml = junit(std::slice::from_ref(&report));
    let read = quick_junit::Report::deserialize_from_str(&xml).expect("JUnit's readers take it");
    assert_eq!(read.tests, verdicts.len());
    let html = report.html(&run, &Written::default());
    assert!(!html.to_ascii_lowercase().contains("<script"), "{html}");
}

/// So many cases of a property, the same ones each time: a test does not fail by chance.
#[cfg(test)]
fn cases(cases: u32) -> proptest::test_runner::Config {
    let rng_seed = proptest::test_runner::RngSeed::Fixed(7);
    proptest::test_runner::Config { cases, rng_seed, failure_persistence: None, ..Default::default() }
}

/// A number in a run file is read as it was written, to its last bit.
fn number(number: f64) {
    let value = Value { labels: Labels::new(), value: number };
    let json = serde_json::to_string(&value).expect("each number has a form in JSON");
    let again: Value = serde_json::from_str(&json).expect("what was written is read");
    assert!(
        again.value.to_bits() == number.to_bits() || number.is_nan(),
        "{json} was read as {}",
        again.value
    );
}

#[cfg(test)]
mod contract;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod replay;
