//! `firedrill probe`: exit codes and what it says.

use crate::support::peer::{Act, Peer};
use crate::support::process::{Ended, Process};

async fn probe(url: &str) -> Ended {
    Process::start(&["probe", "--timeout", "1s", url]).ended().await
}

#[tokio::test]
async fn a_healthy_url_is_0_and_says_nothing() {
    let peer = Peer::start(|_| Act::Answer(204)).await;
    let ended = probe(&format!("{}/ready?deep=1", peer.url())).await;
    assert_eq!((ended.code, &*ended.stdout, &*ended.stderr), (Some(0), "", ""));
    assert_eq!(peer.lines(), ["GET /ready?deep=1 HTTP/1.1"]);
    assert!(peer.heads()[0].contains(&format!("host: {}\r\n", peer.address)), "{:?}", peer.heads());
}

#[tokio::test]
async fn any_other_status_is_1_and_is_told_with_what_it_says() {
    for status in [302, 404, 503] {
        let peer = Peer::start(move |_| Act::Answer(status)).await;
        let url = format!("{}/ready", peer.url());
        let ended = probe(&url).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.starts_with(&format!("firedrill: {url}: ")), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(&status.to_string()) && ended.stderr.ends_with("hello\n"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

#[tokio::test]
async fn what_it_is_told_does_not_act_on_a_terminal() {
    let hostile = "HTTP/1.1 500 X\r\ncontent-length: 12\r\n\r\n\x1b]0;owned\x07\x1b[2J";
    let peer = Peer::start(move |_| Act::Say(hostile)).await;
    let ended = probe(&peer.url()).await;
    assert!(ended.stderr.contains("\\u{1b}]0;owned"), "{ended:?}");
    assert!(!ended.stderr.contains('\x1b'), "{ended:?}");
}

#[tokio::test]
async fn nobody_there_and_no_answer_in_time_are_1() {
    let peer = Peer::start(|_| Act::Hang).await;
    let url = peer.url();
    let ended = probe(&url).await;
    assert_eq!((ended.code, ended.stderr), (Some(1), format!("firedrill: {url}/: no response within 1 s\n")));
    peer.leave().await;
    let ended = probe(&url).await;
    assert_eq!((ended.code, ended.stderr), (Some(1), format!("firedrill: {url}/: connection refused\n")));
}

#[tokio::test]
async fn a_bad_url_is_2() {
    for url in ["localhost", "ftp://localhost", "http://localhost:x/"] {
        let ended = probe(url).await;
        assert_eq!(ended.code, Some(2), "{url}: {}", ended.stderr);
        assert!(ended.stderr.contains("http://app:8080"), "{}", ended.stderr);
    }
}
