//! `firedrill load`, and the load that drills will use: what is sent when, and what the ledger says of it.

mod hang_up;

use std::num::NonZero;
use std::time::{Duration, Instant};

use bytes::Bytes;
use firedrill_drill::file::DrillFile;
use firedrill_load::arrivals::Arrivals;
use firedrill_load::load::{Bounds, Load, Summary};
use firedrill_load::outcome::Outcome;
use firedrill_load::plan::Plan;
use firedrill_load::request::{Query, Request};
use firedrill_net::{Target, shutdown};
use http::{HeaderMap, Method, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::peer::{Act, Peer};
use crate::support::process::{Ended, Process};

const MS: Duration = Duration::from_millis(1);

/// A load of these peers, e.g. at `100/s` for so many milliseconds.
fn load(peers: &[&Peer], rate: &str, span: u32, timeout: Duration, in_flight: u32) -> Load {
    let targets = peers.iter().map(|peer| Target::parse(&peer.url()).unwrap()).collect();
    let query = Query::new([("seed", "7")], Some("n"));
    let request = Request {
        method: Method::GET,
        path: None,
        query,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        hang_up: None,
        work: None,
    };
    let arrivals = Arrivals::constant(rate.parse().unwrap(), Some(MS * span));
    let bounds = Bounds { timeout, in_flight: NonZero::new(in_flight).unwrap() };
    Load::new(targets, Plan::steady(7, arrivals, request), bounds).unwrap()
}

/// A load of these phases, as a drill file has them.
fn drill(url: &str, phases: &str) -> Load {
    load_within(30_000 * MS, url, phases)
}

/// The same, with so much time for each request.
fn load_within(timeout: Duration, url: &str, phases: &str) -> Load {
    let file = format!(r#"{{ "name": "a drill", "workload": "demo", "phases": {phases}, "expect": [] }}"#);
    let target = Target::parse(url).unwrap();
    let plan = serde_json::from_str::<DrillFile>(&file).unwrap().plan(7);
    let plan = plan.unwrap_or_else(|problems| panic!("{problems:?}"));
    let bounds = Bounds { timeout, in_flight: NonZero::new(1_000).unwrap() };
    Load::new(vec![target], plan, bounds).unwrap()
}

async fn run(load: Load) -> Summary {
    let (_stopper, stopping) = shutdown::channel();
    load.run(stopping).await.unwrap()
}

fn outcomes(summary: &Summary) -> Vec<(Outcome, u64)> {
    summary.ledger().outcomes().collect()
}

fn report(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[tokio::test]
async fn each_way_to_fail_has_its_own_outcome() {
    let ok = StatusCode::OK;
    for (act, outcome) in [
        (Act::Answer(200), Outcome::Answered(ok)),
        (Act::Answer(503), Outcome::Answered(StatusCode::SERVICE_UNAVAILABLE)),
        (Act::Reset, Outcome::Reset),
        (Act::Close, Outcome::Closed),
        (Act::Truncate, Outcome::Truncated(ok)),
        (Act::ResetInBody, Outcome::Truncated(ok)),
        (Act::Garble, Outcome::Garbled),
        (Act::Hang, Outcome::TimedOut),
        (Act::HangInBody, Outcome::TimedOut),
        // Without an end, in the head and in the body.
        (Act::Repeat("HTTP/1.1 200 OK\r\n", "a: b\r\n"), Outcome::Garbled),
        (Act::Repeat("HTTP/1.1 200 OK\r\n\r\n", "hello"), Outcome::TimedOut),
        // Elsewhere, where nobody goes.
        (
            Act::Say("HTTP/1.1 307 Go\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"),
            Outcome::Answered(StatusCode::TEMPORARY_REDIRECT),
        ),
    ] {
        let peer = Peer::start(move |_| act).await;
        let summary = run(load(&[&peer], "1000/s", 1, 300 * MS, 10)).await;
        assert_eq!(outcomes(&summary), [(outcome, 1)], "{act:?}");
        assert_eq!(peer.lines().len(), 1, "{act:?} was tried again");
    }
    let gone = Peer::start(|_| Act::Hang).await;
    let load = load(&[&gone], "1000/s", 1, 300 * MS, 10);
    gone.leave().await;
    assert_eq!(outcomes(&run(load).await), [(Outcome::Refused, 1)]);
}

#[tokio::test]
async fn every_request_that_was_due_is_sent_and_counted_once() {
    let peer = Peer::start(|n| Act::Answer([200, 404, 500][n % 3])).await;
    let summary = run(load(&[&peer], "1000/s", 300, 30_000 * MS, 1_000)).await;
    let statuses = [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR];
    assert_eq!(outcomes(&summary), statuses.map(|status| (Outcome::Answered(status), 100)));
    let mut asked = peer.lines();
    asked.sort_by_key(|line| (line.len(), line.clone()));
    let due: Vec<_> = (0..300).map(|n| format!("GET /?seed=7&n={n} HTTP/1.1")).collect();
    assert_eq!(asked, due);
}

#[tokio::test]
async fn connections_are_kept() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let summary = run(load(&[&peer], "20/s", 500, 30_000 * MS, 10)).await;
    assert_eq!(summary.ledger().answered(), 10);
    assert!(peer.connections() < 10, "a connection a request");
}

#[tokio::test]
async fn targets_are_taken_in_turn() {
    let (one, other) = (Peer::start(|_| Act::Answer(200)).await, Peer::start(|_| Act::Answer(200)).await);
    run(load(&[&one, &other], "1000/s", 20, 30_000 * MS, 100)).await;
    assert_eq!((one.lines().len(), other.lines().len()), (10, 10));
}

#[tokio::test]
async fn what_is_due_while_too_much_is_in_flight_is_not_sent_and_counted() {
    let peer = Peer::start(|_| Act::Hang).await;
    let summary = run(load(&[&peer], "1000/s", 20, 500 * MS, 2)).await;
    assert_eq!(outcomes(&summary), [(Outcome::TimedOut, 2), (Outcome::NotSent, 18)]);
    assert_eq!(peer.lines().len(), 2);
}

#[tokio::test]
async fn a_slow_answer_does_not_hold_the_next_request_back() {
    let peer = Peer::start(|_| Act::Hold).await;
    let release = async {
        peer.saw(50).await;
        peer.release();
    };
    let (summary, ()) = tokio::join!(run(load(&[&peer], "1000/s", 50, 30_000 * MS, 50)), release);
    assert_eq!(outcomes(&summary), [(Outcome::Answered(StatusCode::OK), 50)]);
    assert!(summary.ledger().latency().max().unwrap() >= 45 * MS);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_no_request() {
    let peer = Peer::start(|_| Act::AnswerAndClose).await;
    let summary = run(load(&[&peer], "50/s", 200, 30_000 * MS, 10)).await;
    assert_eq!(outcomes(&summary), [(Outcome::Answered(StatusCode::OK), 10)]);
    assert_eq!(peer.connections(), 10);
}

#[tokio::test]
async fn a_span_lasts_as_long_as_it_says() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let started = Instant::now();
    let summary = run(load(&[&peer], "1/s", 100, 30_000 * MS, 10)).await;
    assert_eq!(summary.ledger().due(), 1);
    assert!(summary.lasted() >= 100 * MS && started.elapsed() >= 100 * MS, "{:?}", summary.lasted());
}

#[tokio::test]
async fn phases_follow_one_another_on_one_schedule() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let summary = run(drill(
        &peer.url(),
        r#"{ "first": { "for": "105ms", "rate": "100/s", "request": { "path": "/first" } },
             "pause": { "for": "200ms" },
             "last": { "for": "50ms", "rate": { "steps": ["100/s", "200/s"] }, "request": { "path": "/last" } } }"#,
    ))
    .await;
    let phases: Vec<_> = summary
        .phases
        .iter()
        .map(|phase| {
            (phase.name.as_str(), phase.began.as_millis(), phase.ended.as_millis(), phase.ledger.due())
        })
        .collect();
    assert_eq!(phases, [("first", 0, 105, 11), ("pause", 105, 305, 0), ("last", 305, 355, 8)]);
    assert_eq!(summary.lasted(), 355 * MS);
    assert!(summary.ended >= 340 * MS && !summary.interrupted, "{summary:?}");
    let asked = peer.lines();
    assert_eq!(asked.iter().filter(|line| *line == "GET /first HTTP/1.1").count(), 11);
    assert_eq!(asked.iter().filter(|line| *line == "GET /last HTTP/1.1").count(), 8);
}

#[tokio::test]
async fn what_is_in_flight_when_its_phase_ends_stays_in_its_account() {
    let peer = Peer::start(|n| if n == 0 { Act::Hold } else { Act::Answer(503) }).await;
    let release = async {
        peer.saw(2).await;
        peer.release();
    };
    let phases = r#"{ "first": { "for": "100ms", "rate": "10/s", "request": { "path": "/" } },
                      "last": { "for": "100ms", "rate": "10/s", "request": { "path": "/" } } }"#;
    let (summary, ()) = tokio::join!(run(drill(&peer.url(), phases)), release);
    let [first, last] = [0, 1].map(|phase| summary.phases[phase].ledger.outcomes().collect::<Vec<_>>());
    assert_eq!(first, [(Outcome::Answered(StatusCode::OK), 1)]);
    assert_eq!(last, [(Outcome::Answered(StatusCode::SERVICE_UNAVAILABLE), 1)]);
    let latency = summary.phases[0].ledger.latency().max().unwrap();
    assert!(latency >= 100 * MS && summary.ended >= 100 * MS, "{latency:?}, {summary:?}");
}

#[tokio::test]
async fn requests_are_numbered_through_all_phases() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let phase = r#"{ "for": "20ms", "rate": "100/s", "work": { "latency": "1ms" } }"#;
    run(drill(&peer.url(), &format!(r#"{{ "first": {phase}, "last": {phase} }}"#))).await;
    let mut asked = peer.lines();
    asked.sort();
    let line = |n| format!("GET /work?latency=1ms&workload=demo&seed=7&n={n} HTTP/1.1");
    assert_eq!(asked, [0, 1, 2, 3].map(line));
}

#[tokio::test]
async fn a_load_that_is_stopped_says_how_far_it_came() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let load = drill(
        &peer.url(),
        r#"{ "first": { "for": "20ms", "rate": "100/s", "request": { "path": "/" } },
             "endless": { "for": "1h", "rate": "20/s", "request": { "path": "/" } },
             "never": { "for": "1h", "rate": "1/s", "request": { "path": "/" } } }"#,
    );
    let (stopper, stopping) = shutdown::channel();
    let progress = load.progress();
    assert_eq!((progress.elapsed(), progress.due()), (Duration::ZERO, 0));
    let stop = async {
        peer.saw(4).await;
        assert_eq!(progress.phase(), 1);
        assert!(progress.elapsed() >= 70 * MS, "{:?}", progress.elapsed());
        stopper.ask(shutdown::Shutdown::Graceful);
    };
    let (summary, ()) = tokio::join!(load.run(stopping), stop);
    let summary = summary.unwrap();
    assert!(summary.interrupted);
    let names: Vec<_> = summary.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["first", "endless"]);
    assert_eq!(summary.ledger().due(), progress.due());
    assert_eq!(progress.due(), progress.ended());
    assert!(summary.lasted() < Duration::from_secs(60), "{:?}", summary.lasted());
}

#[tokio::test]
async fn a_load_that_nobody_waits_for_any_more_sends_nothing_more() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let load = load(&[&peer], "200/s", 60_000, 30_000 * MS, 10);
    let progress = load.progress();
    tokio::select! {
        summary = run(load) => panic!("{summary:?}"),
        () = peer.saw(3) => {}
    }
    let soon = progress.due();
    tokio::time::sleep(50 * MS).await;
    assert!(progress.due() <= soon + 1, "{soon}, then {}", progress.due());
}

#[tokio::test]
async fn a_target_may_be_away_at_start_and_go_away_and_come_back() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let address = peer.leave().await;
    let mut process = Process::start(&["load", "--json", "--rate", "100/s", &format!("http://{address}")]);
    let mut answered = 0;
    for _ in 0..2 {
        assert_eq!(process.logged("target went away").await["host"], address.to_string());
        let peer = Peer::at(address, |_| Act::Answer(200)).await;
        process.logged("target came back").await;
        peer.saw(5).await;
        answered += peer.lines().len();
        peer.leave().await;
    }
    process.logged("target went away").await;
    process.signal(Signal::TERM);
    let ended = process.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let report = report(&ended);
    assert!(report["answered"]["200"].as_u64().unwrap() + 4 >= answered as u64, "{report}");
    assert!(report["unanswered"]["refused"].as_u64().unwrap() > 50, "{report}");
    assert!(ended.stderr.lines().count() < 10, "not a line a request: {}", ended.stderr);
}

#[tokio::test]
async fn a_signal_ends_the_load_once_what_is_in_flight_is_answered() {
    for signal in [Signal::TERM, Signal::INT] {
        let peer = Peer::start(|_| Act::Hold).await;
        let mut process = Process::start(&["load", "--json", "--rate", "1/h", &peer.url()]);
        peer.saw(1).await;
        process.signal(signal);
        let waiting = process.logged("nothing more is due, waiting for what is in flight").await;
        assert_eq!(waiting["in_flight"], 1);
        peer.release();
        let ended = process.ended().await;
        assert_eq!((ended.code, &report(&ended)["answered"]), (Some(0), &json!({"200": 1})));
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let peer = Peer::start(|_| Act::Hang).await;
    let mut process = Process::start(&["load", "--rate", "1/h", &peer.url()]);
    peer.saw(1).await;
    process.signal(Signal::TERM);
    process.logged("nothing more is due, waiting for what is in flight").await;
    process.signal(Signal::TERM);
    let ended = process.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("abandoned            1"), "{}", ended.stdout);
    assert!(ended.stdout.contains("Nothing was ever answered."), "{}", ended.stdout);
}

#[tokio::test]
async fn requests_ask_for_the_work_the_workload_and_a_repeatable_draw() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let work = "latency=p50=20ms,p99=300ms&error_rate=0.01";
    let arguments = ["load", "--rate", "100/s", "--for", "20ms", "--workload", "demo", "--work", work];
    let ended = Process::start(&[&arguments[..], &["--seed", "7", &peer.url()]].concat()).ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let query = "latency=p50%3D20ms%2Cp99%3D300ms&error_rate=0.01&workload=demo&seed=7";
    let mut asked = peer.lines();
    asked.sort();
    assert_eq!(asked, [0, 1].map(|n| format!("GET /work?{query}&n={n} HTTP/1.1")));
    assert!(ended.stdout.starts_with("2 requests were due in "), "{}", ended.stdout);
    assert!(ended.stdout.lines().next().unwrap().ends_with("at 100/s   seed 7"), "{}", ended.stdout);
}

#[tokio::test]
async fn a_seed_that_was_not_given_is_random_and_told() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let mut seeds = Vec::new();
    for _ in 0..2 {
        let ended = Process::start(&["load", "--json", "--for", "1ms", &peer.url()]).ended().await;
        seeds.push(report(&ended)["seed"].as_u64().unwrap());
    }
    assert_ne!(seeds[0], seeds[1]);
    let lines: Vec<_> = seeds.iter().map(|seed| format!("GET /work?seed={seed}&n=0 HTTP/1.1")).collect();
    assert_eq!(peer.lines(), lines);
}

#[tokio::test]
async fn the_token_is_sent_and_never_shown() {
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let file = std::env::temp_dir().join(format!("firedrill-token-{}", std::process::id()));
    std::fs::write(&file, "s3cret\n").unwrap();
    let url = peer.url();
    let arguments = ["load", "--for", "1ms", "--log", "trace", &url];
    let from_file = [&arguments[..], &["--token-file", file.to_str().unwrap()]].concat();
    let variable = [("FIREDRILL_TOKEN", "s3cret")];
    for process in [Process::start(&from_file), Process::start_with(&arguments, &variable)] {
        let ended = process.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
    }
    let ended = Process::start_with(&from_file, &variable).ended().await;
    assert_eq!(ended.code, Some(2), "two tokens: {}", ended.stderr);
    std::fs::remove_file(file).unwrap();
    let heads = peer.heads();
    assert!(heads.len() == 2 && heads.iter().all(|head| head.contains("authorization: Bearer s3cret\r\n")));
}

#[tokio::test]
async fn what_cannot_be_started_is_2_and_says_why() {
    let app = "http://127.0.0.1:9";
    for (arguments, why) in [
        (&["--token-file", "/nonexistent/token", app][..], "/nonexistent/token"),
        (&["--rate", "5", app], "expected a rate such as"),
        (&["--rate", "1000000/s", app], "100000/s"),
        (&["--work", "latency=soon", app], "latency: got soon"),
        (&["--work", "colour=red", app], "colour"),
        (&["--timeout", "0", app], "from 1ms"),
        (&["--ca-file", "/nonexistent/ca.pem", app], "/nonexistent/ca.pem"),
        (&["http://me:pw@127.0.0.1:9"], "password"),
        (&[], "URL"),
    ] {
        let ended = Process::start(&[&["load"], arguments].concat()).ended().await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(why), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stdout.is_empty() && !ended.stderr.contains("panicked"), "{ended:?}");
    }
}
