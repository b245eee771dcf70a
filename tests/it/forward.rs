//! `firedrill forward`: what one side does reaches the other as it was done.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZero;
use std::time::Duration;

use firedrill_net::Connector;
use firedrill_net::forward::{Bounds, Forward};
use firedrill_net::shutdown::{self, ShutdownTrigger};
use rustix::process::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::peer::{Act, Peer};
use crate::support::process::{Process, within};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

/// The program before this address, and where it listens.
async fn before(to: SocketAddr, flags: &[&str]) -> (Process, SocketAddr) {
    let to = to.to_string();
    let mut process = Process::start(&[&["forward", "--listen", "127.0.0.1:0", &to], flags].concat());
    let address = process.listening().await;
    (process, address)
}

/// Sends a request and reads until the end of the connection, which may be an error.
async fn ask(address: SocketAddr) -> (Vec<u8>, Option<ErrorKind>) {
    let mut answer = Vec::new();
    let asked = async {
        // A reset can come as early as this.
        let mut client = TcpStream::connect(address).await?;
        client.write_all(REQUEST).await?;
        client.read_to_end(&mut answer).await
    };
    let end = within(asked, "the end of the connection").await.err();
    (answer, end.map(|error| error.kind()))
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Both ends of a connection through the program, which a byte has passed.
async fn ends(address: SocketAddr, behind: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = TcpStream::connect(address).await.unwrap();
    let (mut server, _) = within(behind.accept(), "a connection").await.unwrap();
    client.write_all(b"x").await.unwrap();
    assert_eq!(within(server.read_u8(), "a byte").await.unwrap(), b'x');
    (client, server)
}

/// A forward in this process, to a name with these addresses.
async fn among(addresses: Vec<SocketAddr>) -> (SocketAddr, ShutdownTrigger) {
    let (listener, address) = listener().await;
    let connector = Connector::looked_up_by("app:8080".parse().unwrap(), move || {
        let addresses = addresses.clone();
        async move { Ok(addresses) }
    });
    let second = Duration::from_secs(1);
    let bounds = Bounds { connections: NonZero::new(100).unwrap(), connect: second, grace: second };
    let (stopper, stopping) = shutdown::channel();
    tokio::spawn(Forward::new(listener, connector, bounds).run(stopping));
    (address, stopper)
}

#[tokio::test]
async fn bytes_pass_both_ways_and_one_side_may_end_before_the_other() {
    let (behind, to) = listener().await;
    let (_process, address) = before(to, &[]).await;
    let (mut client, mut server) = ends(address, &behind).await;
    let (question, answer) = (vec![b'?'; 3 << 20], vec![b'!'; 3 << 20]);
    let asks = async {
        client.write_all(&question).await.unwrap();
        client.shutdown().await.unwrap();
        let mut got = Vec::new();
        client.read_to_end(&mut got).await.unwrap();
        got
    };
    let answers = async {
        let mut got = Vec::new();
        server.read_to_end(&mut got).await.unwrap();
        // Only now, after the client has said that it is done.
        server.write_all(&answer).await.unwrap();
        server.shutdown().await.unwrap();
        got
    };
    let (got, asked) = within(async { tokio::join!(asks, answers) }, "both ends").await;
    assert!(got == answer && asked == question);
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_close_a_close_on_the_other_side() {
    let peer = Peer::start(|n| [Act::Reset, Act::ResetInBody, Act::Truncate, Act::Close][n]).await;
    let (_process, address) = before(peer.address, &[]).await;
    assert_eq!(ask(address).await, (vec![], Some(ErrorKind::ConnectionReset)));
    assert_eq!(ask(address).await.1, Some(ErrorKind::ConnectionReset), "reset in the body");
    let (answer, end) = ask(address).await;
    assert!(answer.ends_with(b"hello") && end.is_none(), "truncated: {end:?}");
    assert_eq!(ask(address).await, (vec![], None));
}

#[tokio::test]
async fn a_client_that_resets_or_leaves_is_seen_to() {
    let (behind, to) = listener().await;
    let (_process, address) = before(to, &[]).await;
    let (client, mut server) = ends(address, &behind).await;
    client.set_zero_linger().unwrap();
    drop(client);
    let end = within(server.read_u8(), "the reset").await.unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    let (client, mut server) = ends(address, &behind).await;
    drop(client);
    let end = within(server.read_u8(), "the end").await.unwrap_err();
    assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn replicas_are_taken_in_turn_and_one_that_is_away_is_passed_over() {
    let peers = [Peer::start(|_| Act::AnswerAndClose).await, Peer::start(|_| Act::AnswerAndClose).await];
    let away = Peer::start(|_| Act::Hang).await.leave().await;
    let (address, _stopper) = among(vec![peers[0].address, away, peers[1].address]).await;
    for _ in 0..6 {
        let (answer, end) = ask(address).await;
        assert!(answer.ends_with(b"hello") && end.is_none(), "{end:?}");
    }
    assert_eq!(peers.map(|peer| peer.connections()), [2, 4]);
}

#[tokio::test]
async fn while_nobody_is_there_connections_are_reset_and_the_change_is_told() {
    let to = Peer::start(|_| Act::Hang).await.leave().await;
    let (mut process, address) = before(to, &[]).await;
    for _ in 0..3 {
        assert_eq!(ask(address).await, (vec![], Some(ErrorKind::ConnectionReset)));
    }
    process.logged("target went away").await;
    let _peer = Peer::at(to, |_| Act::AnswerAndClose).await;
    assert_eq!(ask(address).await.1, None);
    assert_eq!(process.logged("target came back").await["host"], to.to_string());
}

#[tokio::test]
async fn a_connection_above_the_bound_is_reset_and_the_others_go_on() {
    let (behind, to) = listener().await;
    let (mut process, address) = before(to, &["--max-connections", "1"]).await;
    let (mut client, mut server) = ends(address, &behind).await;
    let refused = async { TcpStream::connect(address).await?.read_u8().await };
    let error = within(refused, "the reset").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    process.logged("refused connections: as many as allowed are open").await;
    server.write_all(b"x").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'x');
}

#[tokio::test]
async fn after_a_signal_open_connections_end_in_their_own_time() {
    let peer = Peer::start(|_| Act::Hold).await;
    let (mut process, address) = before(peer.address, &["--grace", "1h"]).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(REQUEST).await.unwrap();
    peer.saw(1).await;
    process.signal(Signal::TERM);
    let waiting = process.logged("accepting no more connections, waiting for those that are open").await;
    assert_eq!(waiting["open"], 1);
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    peer.release();
    let mut answer = [0; 43];
    within(client.read_exact(&mut answer), "the answer").await.unwrap();
    assert!(answer.ends_with(b"hello"));
    drop(client);
    let ended = process.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn a_second_signal_or_the_end_of_the_grace_resets_what_is_open() {
    for (grace, signals) in [("1h", 2), ("10ms", 1)] {
        let (behind, to) = listener().await;
        let (mut process, address) = before(to, &["--grace", grace]).await;
        let (mut client, mut server) = ends(address, &behind).await;
        process.signal(Signal::INT);
        process.logged("accepting no more connections, waiting for those that are open").await;
        if signals == 2 {
            process.signal(Signal::TERM);
        }
        for end in [&mut client, &mut server] {
            let error = within(end.read_u8(), "the reset").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "grace {grace}");
        }
        assert_eq!(process.ended().await.code, Some(0));
    }
}

#[tokio::test]
async fn what_cannot_be_started_is_2_and_says_why() {
    let (_busy, address) = listener().await;
    let busy = address.to_string();
    for (arguments, why) in [
        (&["--listen", &busy, "app:8080"][..], &*busy),
        (&["--listen", "localhost", "app:8080"], "localhost"),
        (&["--max-connections", "0", "app:8080"], "1..=100000"),
        (&["--grace", "soon", "app:8080"], "expected a duration"),
        (&["http://app:8080"], "a host and a port such as app:8080"),
        (&["app"], "a host and a port such as app:8080"),
    ] {
        let ended = Process::start(&[&["forward"], arguments].concat()).ended().await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(why) && !ended.stderr.contains("panicked"), "{}", ended.stderr);
    }
}
