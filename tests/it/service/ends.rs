//! The service ends well.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::support::client::Client;
use crate::support::service::Service;

#[tokio::test]
async fn sigterm_drains_finishes_what_was_accepted_and_exits_0() {
    let service = Service::start(&["--drain", "300ms", "--grace", "20s"]).await;
    let mut working = service.connect().await;
    working.send("GET /work?latency=1s HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.in_flight(1.0).await;
    let mut kept = service.connect().await;
    assert_eq!(kept.request("GET", "/ready").await.status, 200);

    service.signal(Signal::TERM);
    // While it drains it says so, and still serves whoever has not noticed.
    let ready = loop {
        let ready = service.get("/ready").await;
        if ready.status == 503 {
            break ready;
        }
    };
    assert!(ready.text().contains("draining"));
    let late = service.get("/work?latency=0").await;
    assert_eq!((late.status, late.header("connection")), (200, Some("close")));
    let goodbye = kept.request("GET", "/health").await;
    assert_eq!((goodbye.status, goodbye.header("connection")), (200, Some("close")));

    assert_eq!(working.answer().await.status, 200, "what was accepted is finished");
    let address = service.address;
    assert_eq!(service.ended().await.code, Some(0));
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let service = Service::start(&["--drain", "0", "--grace", "60s"]).await;
    let mut idle = service.connect().await;
    assert_eq!(idle.request("GET", "/health").await.status, 200);
    let silent = service.connect().await;
    service.scrape_until("both connections", |scrape| scrape.sum("firedrill_connections", &[]) == 3.0).await;
    service.signal(Signal::TERM);
    assert_eq!(service.ended().await.code, Some(0));
    drop((idle, silent));
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    for second in [Signal::TERM, Signal::INT] {
        let mut service = Service::start(&["--drain", "60s", "--grace", "60s"]).await;
        let mut working = service.connect().await;
        working.send("GET /work?latency=60s HTTP/1.1\r\nhost: test\r\n\r\n").await;
        service.in_flight(1.0).await;
        service.signal(Signal::TERM);
        service.process.logged("draining").await;
        service.signal(second);
        assert_eq!(service.ended().await.code, Some(0));
    }
}

#[tokio::test]
async fn ctrl_c_does_not_drain() {
    let service = Service::start(&["--drain", "60s"]).await;
    service.signal(Signal::INT);
    assert_eq!(service.ended().await.code, Some(0));
}

#[tokio::test]
async fn sigterm_under_load_loses_no_request() {
    let service = Service::start(&["--drain", "100ms"]).await;
    let address = service.address;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        clients.spawn(async move {
            let mut answered = 0;
            // A client as they come: keeps its connection until it is told to close it, then opens another.
            while let Ok(stream) = TcpStream::connect(address).await {
                let mut client = Client::from(stream);
                loop {
                    let answer = client.request("GET", "/work?latency=2ms").await;
                    assert_eq!(answer.status, 200);
                    answered += 1;
                    if answer.header("connection") == Some("close") {
                        break;
                    }
                }
            }
            answered
        });
    }
    service.scrape_until("load", |scrape| scrape.works(&[]) > 200.0).await;
    service.signal(Signal::TERM);
    let answered: u32 = clients.join_all().await.into_iter().sum();
    assert!(answered > 200);
    assert_eq!(service.ended().await.code, Some(0));
}

/// The same error as from a disk that is full: what cannot be logged is lost, and nothing else.
#[tokio::test]
async fn logs_that_nobody_takes_are_no_reason_to_end() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--drain", "0"]).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut logs = BufReader::new(child.stderr.take().unwrap()).lines();
    while !logs.next_line().await.unwrap().unwrap().contains("listening") {}
    drop(logs);
    let id = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap(); // It logs that it drains.
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}
