//! What cannot start says so in one line.

use crate::support::process::{Ended, Process};
use crate::support::service::Service;

async fn refused(flags: &[&str], variables: &[(&str, &str)]) -> Ended {
    let ended = Process::start_with(&[&["serve"], flags].concat(), variables).ended().await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stdout.is_empty() && !ended.stderr.contains("backtrace"), "{ended:?}");
    ended
}

async fn refused_in_one_line(flags: &[&str], variables: &[(&str, &str)]) -> String {
    let ended = refused(flags, variables).await;
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.stderr
}

#[tokio::test]
async fn a_busy_port_is_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = refused_in_one_line(&["--listen", &address], &[]).await;
    assert!(line.contains(&address) && line.contains("in use") && line.contains("--listen"), "{line}");
}

#[tokio::test]
async fn an_unreadable_or_empty_token_is_one_line_without_the_token() {
    let line = refused_in_one_line(&["--token-file", "/nowhere/token"], &[]).await;
    assert!(line.contains("/nowhere/token"), "{line}");
    let line = refused_in_one_line(&[], &[("FIREDRILL_TOKEN", "two words")]).await;
    assert!(line.contains("FIREDRILL_TOKEN") && !line.contains("two words"), "{line}");
}

#[tokio::test]
async fn a_link_with_a_password_is_refused_without_the_password() {
    let line = refused_in_one_line(&["--link", "Grafana=https://admin:s3cret@localhost"], &[]).await;
    assert!(line.contains("--link") && !line.contains("s3cret"), "{line}");
}

#[tokio::test]
async fn a_bad_flag_or_variable_names_itself_and_what_it_takes() {
    for (flags, variables, expected) in [
        (&["--drain", "5"][..], &[][..], "a duration such as 250ms"),
        (&["--max-work", "0"], &[], "1..=65535"),
        (&["--max-memory", "lots"], &[], "a size such as"),
        (&["--max-header", "4GiB"], &[], "from 1KiB to 1MiB"),
        (&["--workloads", "Demo"], &[], "a-z"),
        (&["--listne", "x"], &[], "--listen"),
        (&["--max-memory", "1GiB", "--max-memory-total", "64MiB"], &[], "--max-memory-total"),
        (&["--link", "Grafana=localhost:3000"], &[], "--link: expected NAME=URL"),
        (&[], &[("FIREDRILL_GRACE", "soon")], "--grace"),
    ] {
        let ended = refused(flags, variables).await;
        assert!(ended.stderr.contains(expected), "{flags:?} {variables:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn help_shows_each_flag_with_its_variable_and_default() {
    let ended = Process::start(&["serve", "--help"]).ended().await;
    assert_eq!(ended.code, Some(0));
    for part in [
        "FIREDRILL_LISTEN",
        "[default: 127.0.0.1:8080]",
        "FIREDRILL_DRAIN",
        "[default: 5s]",
        "FIREDRILL_TOKEN",
    ] {
        assert!(ended.stdout.contains(part), "no {part} in\n{}", ended.stdout);
    }
}

#[tokio::test]
async fn an_open_service_that_others_can_reach_is_warned_about() {
    let mut process = Process::start(&["serve", "--listen", "0.0.0.0:0"]);
    let mut seen = process.logged("listening").await;
    assert!(seen["seed"].is_number());
    process.signal(rustix::process::Signal::INT);
    let stderr = process.ended().await.stderr;
    assert!(stderr.contains("FIREDRILL_TOKEN"), "{stderr}");
    seen.take();

    let service = Service::start(&[]).await;
    service.signal(rustix::process::Signal::INT);
    assert!(!service.ended().await.stderr.contains("WARN"));
}

#[tokio::test]
async fn requests_are_logged_only_when_asked() {
    for (flags, lines) in [(&[][..], 0), (&["--log-requests"][..], 1)] {
        let service = Service::start(flags).await;
        service.get("/health").await;
        service.signal(rustix::process::Signal::INT);
        let stderr = service.ended().await.stderr;
        assert_eq!(
            stderr.lines().filter(|line| line.contains("\"message\":\"request\"")).count(),
            lines,
            "{stderr}"
        );
    }
}
