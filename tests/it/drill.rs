//! `firedrill drill` and `judge`: exit codes, what is left behind, and what is never shown.

mod path;

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::directory::Directory;
use crate::support::peer::{Act, Peer};
use crate::support::process::{Ended, Process};
use crate::support::repository;
use crate::support::serving::Serving;

/// How long the drill that comes with the program may take, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A drill of two seconds, of any service.
const SHORT: &str = "name: short\nworkload: drill\nphases: { a: { for: 2s, rate: 5/s, request: { path: /x } } }\nexpect: [{ counts: all phases }]\n";

async fn drill(directory: &Directory, arguments: &[&str]) -> Ended {
    let arguments = [&["drill"], arguments].concat();
    Process::start_in(directory.path(), &arguments, &[]).ended_within(LIMIT).await
}

#[tokio::test]
async fn an_interrupted_drill_keeps_its_run_file_which_gives_the_same_verdict_again() {
    let directory = Directory::new("interrupted");
    let mut process = Process::start_in(directory.path(), &["drill", "--seed", "7"], &[]);
    process.says("phase 1 of 3", LIMIT).await;
    process.signal(Signal::INT);
    let ended = process.ended_within(LIMIT).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stdout.contains("The drill was interrupted."), "{ended:?}");
    for kind in ["run.json", "json", "xml", "html"] {
        let path = directory.path().join("firedrill-runs").join(format!("embedded.{kind}"));
        assert!(path.exists(), "{kind} is missing");
    }
    let run = "firedrill-runs/embedded.run.json";
    let judge = async |arguments: &[&str]| {
        let arguments = [&["judge"], arguments].concat();
        Process::start_in(directory.path(), &arguments, &[]).ended_within(LIMIT).await
    };
    let written = std::fs::read_to_string(directory.path().join(run)).unwrap();
    let schema = serde_json::from_str(include_str!("../../docs/run-files.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        schema.iter_errors(&serde_json::from_str(&written).unwrap()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let (one, other) = (judge(&["--json", run]).await, judge(&["--json", run]).await);
    assert_eq!((one.code, &one.stdout), (Some(2), &other.stdout));
    let read = |place: &str, kind: &str| {
        std::fs::read_to_string(directory.path().join(place).join(format!("embedded.{kind}"))).unwrap()
    };
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parsed(&one.stdout), parsed(&read("firedrill-runs", "json")));
    // And its reports.
    let ended = judge(&["--out", "again", run]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stdout.contains("again/embedded.html"), "{ended:?}");
    for kind in ["json", "xml"] {
        assert_eq!(read("again", kind), read("firedrill-runs", kind));
    }
    assert!(read("again", "html").contains("</html>"));
    let ended = judge(&["--out", "again", run, run]).await;
    let refused = "two run files are called embedded: both would write again/embedded.html";
    assert!(ended.code == Some(2) && ended.stderr.contains(refused), "{ended:?}");
}

#[tokio::test]
async fn evidence_that_cannot_be_had_is_told_before_the_first_request() {
    let directory = Directory::new("unreachable");
    directory.write("short.yaml", SHORT);
    let peer = Peer::start(|_| Act::Answer(200)).await;
    let target = peer.url();
    let nobody = "http://127.0.0.1:9";
    let ended = drill(&directory, &["--target", &target, "--prometheus", nobody, "short.yaml"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("no evidence from Prometheus: GET http://127.0.0.1:9"), "{ended:?}");
    assert!(peer.heads().is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_files_is_told_with_its_place() {
    let directory = Directory::new("wrong");
    directory.write("wrong.yaml", &SHORT.replace("rate:", "rte:"));
    directory.write("other/short.yaml", SHORT);
    directory.write("short.yaml", SHORT);
    let ended = drill(&directory, &["--target", "http://127.0.0.1:9", "wrong.yaml"]).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("wrong.yaml:3:25: unknown key `rte`: did you mean `rate`?"), "{ended:?}");
    let ended =
        drill(&directory, &["--target", "http://127.0.0.1:9", "short.yaml", "other/short.yaml"]).await;
    assert!(ended.stderr.contains("two drill files are called short"), "{ended:?}");
    directory.write("secret.yaml", &SHORT.replace("workload", "target: http://me:${WORD}@app\nworkload"));
    let ended =
        Process::start_in(directory.path(), &["drill", "secret.yaml"], &[("WORD", "s3cret")]).ended().await;
    assert!(ended.stderr.contains("a URL with a user or a password in it would show in logs"), "{ended:?}");
    assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
    let ended = Process::start_in(directory.path(), &["judge", "short.yaml"], &[]).ended().await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("short.yaml is no run file"), "{ended:?}");
}

#[tokio::test]
async fn what_a_strangers_files_and_answers_say_does_not_act_on_a_terminal() {
    let directory = Directory::new("hostile");
    directory.write("short.yaml", SHORT);
    directory.write("keys.yaml", &SHORT.replace("rate:", r#""\e]0;owned\a":"#));
    directory.write("hostile.run.json", r#"{ "version": 1, "\u001b]0;owned\u0007": 1 }"#);
    let hostile = "HTTP/1.1 500 X\r\ncontent-length: 9\r\n\r\n\x1b]0;owned";
    let prometheus = Peer::start(move |_| Act::Say(hostile)).await;
    let target = ["--target", "http://127.0.0.1:9"];
    for (arguments, code) in [
        (&["check", "keys.yaml"][..], 1),
        (&[&["drill", "keys.yaml"], &target[..]].concat(), 2),
        (&["judge", "hostile.run.json"], 2),
        (&[&["drill", "short.yaml", "--prometheus", &prometheus.url()], &target[..]].concat(), 2),
    ] {
        let ended = Process::start_in(directory.path(), arguments, &[]).ended().await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains("owned"), "{arguments:?} is not told: {ended:?}");
        assert!(!ended.stderr.contains(['\x1b', '\x07']), "{arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_strangers_drill_file_gets_no_secret_of_the_environment() {
    let directory = Directory::new("stranger");
    let stranger = Peer::start(|_| Act::Answer(200)).await;
    let sends = format!("target: {}/${{DEPLOY_TOKEN}}\nworkload", stranger.url());
    directory.write("stranger.yaml", &SHORT.replace("workload", &sends));
    let secret = [("DEPLOY_TOKEN", "s3cret")];
    let ended = Process::start_in(directory.path(), &["drill", "stranger.yaml"], &secret).ended().await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("DEPLOY_TOKEN is named like a secret"), "{ended:?}");
    assert!(stranger.heads().is_empty() && !format!("{ended:?}").contains("s3cret"), "{ended:?}");
}

#[tokio::test]
async fn credentials_are_sent_to_prometheus_and_never_shown() {
    let directory = Directory::new("credentials");
    directory.write("short.yaml", SHORT);
    directory.write("bearer", "s3cret-token\n");
    directory.write("basic", "me:s3cret-word\n");
    let prometheus = Peer::start(|_| Act::Answer(403)).await;
    for (file, sent) in [("bearer", "Bearer s3cret-token"), ("basic", "Basic bWU6czNjcmV0LXdvcmQ=")] {
        let credentials = ["--prometheus", &prometheus.url(), "--prometheus-credentials-file", file];
        let target = ["--target", "http://127.0.0.1:9", "short.yaml"];
        let ended = drill(&directory, &[&credentials[..], &target].concat()).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let heads = prometheus.heads();
        assert!(heads.last().unwrap().contains(&format!("authorization: {sent}\r\n")), "{heads:?}");
        assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
    }
}

#[tokio::test]
async fn header_fields_of_a_file_reach_the_target_and_nothing_that_is_written() {
    let directory = Directory::new("headers");
    directory.write("short.yaml", &SHORT.replace("request: { path: /x }", "work: { cpu: 1ms }"));
    directory.write("headers", "Authorization: Bearer s3cret\n");
    let service = Serving::start_with("serve", &[], &[("FIREDRILL_TOKEN", "s3cret")]).await;
    let target = format!("http://{}", service.address);
    let ended = drill(&directory, &["--target", &target, "--header-file", "headers", "short.yaml"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut written = vec![format!("{ended:?}")];
    for kind in ["run.json", "json", "xml", "html"] {
        let path = directory.path().join("firedrill-runs").join(format!("short.{kind}"));
        written.push(std::fs::read_to_string(path).unwrap());
    }
    assert!(written.iter().all(|text| !text.contains("s3cret")), "{written:?}");
    // Without the token it would have been 401.
    let run: Value = serde_json::from_str(&written[1]).unwrap();
    let outcomes = &run["phases"][0]["ledger"]["outcomes"];
    assert_eq!(*outcomes, serde_json::json!([{ "outcome": "answered", "status": 200, "count": 10 }]));
}

#[tokio::test]
#[ignore = "needs Python 3: cargo test -- --include-ignored"]
async fn files_that_are_printed_are_taken_from_the_log_as_they_were_written() {
    let directory = Directory::new("printed");
    directory.write("short.yaml", &SHORT.replace("request: { path: /x }", "work: { status: 404 }"));
    let service = Serving::start_with("serve", &[], &[]).await;
    let target = format!("http://{}", service.address);
    let ended = drill(&directory, &["--print-files", "--target", &target, "short.yaml"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    directory.write("log", &ended.stdout);
    let extract = std::process::Command::new(repository::path("deploy/extract"))
        .arg(directory.path().join("taken"))
        .stdin(std::fs::File::open(directory.path().join("log")).unwrap())
        .output()
        .unwrap();
    assert!(extract.status.success(), "{extract:?}");
    let said = String::from_utf8(extract.stdout).unwrap();
    assert!(ended.stdout.starts_with(&said) && said.contains("Monitoring told the truth"), "{said}");
    for kind in ["run.json", "json", "xml", "html"] {
        let read =
            |place: &str| std::fs::read(directory.path().join(format!("{place}/short.{kind}"))).unwrap();
        assert!(read("taken") == read("firedrill-runs"), "{kind}");
    }
}
