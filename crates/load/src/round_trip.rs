//! One request and its answer.

use std::time::Duration;

use http::Response;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};

use super::outcome::Outcome;
use super::pool::{Connection, Pool};
use super::request::Outgoing;
use crate::request::HangUp;

/// How long a client that hangs up before the answer waits once its body has been taken, so that the
/// service has it before it sees the connection end.
pub const HANG_UP_AFTER: Duration = Duration::from_millis(100);

/// What came of sending one request.
pub(super) struct RoundTrip {
    pub(super) outcome: Outcome,
    /// When it was handed to a connection that was ready, and how long the TCP handshake of that one took; nothing
    /// where there was none, or no end in time.
    pub(super) sent: Option<(Instant, Duration)>,
    /// The connection, where it can be used again.
    pub(super) connection: Option<Connection>,
}

impl From<Outcome> for RoundTrip {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, sent: None, connection: None }
    }
}

/// Sends a request and reads its answer to the end, or hangs up where it is told to.
///
/// A request that failed is not sent a second time. The one thing tried again is a kept connection
/// that turns out to have been closed before it took a byte of the request.
pub(super) async fn round_trip(pool: &Pool, mut outgoing: Box<Outgoing>, deadline: Instant) -> RoundTrip {
    loop {
        let connection = match pool.take(deadline).await {
            Ok(connection) => connection,
            Err(unreached) => return Outcome::from(&unreached).into(),
        };
        let (used, sent) = (connection.used, (Instant::now(), connection.handshake));
        match timeout_at(deadline, send(connection, outgoing)).await {
            Ok(Ok((outcome, connection))) => return RoundTrip { outcome, sent: Some(sent), connection },
            Ok(Err(Unsent { outgoing: Some(unsent), .. })) if used => outgoing = unsent,
            Ok(Err(Unsent { outcome, .. })) => return outcome.into(),
            Err(_) => return Outcome::TimedOut.into(),
        }
    }
}

/// A request without an answer; with the request where none of it was written.
struct Unsent {
    outcome: Outcome,
    outgoing: Option<Box<Outgoing>>,
}

async fn send(
    mut connection: Connection,
    outgoing: Box<Outgoing>,
) -> Result<(Outcome, Option<Connection>), Unsent> {
    let Outgoing { request, hang_up, mut sent, injected } = *outgoing;
    let answer = tokio::select! {
        biased;
        answer = connection.sender.try_send_request(request) => answer,
        () = time_to_hang_up(sent.as_mut()) => {
            connection.hang_up();
            return Ok((Outcome::HungUp, None));
        }
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(mut error) => {
            let outgoing = |request| Box::new(Outgoing { request, hang_up, sent, injected });
            let unsent = error.take_message().map(outgoing);
            return Err(Unsent { outcome: Outcome::from(error.error()), outgoing: unsent });
        }
    };
    // What few requests need is boxed, or every one would have room for it.
    Ok(match hang_up {
        None => read_answer(answer, connection).await,
        // The connection may still have a body to send that nobody will ask for.
        Some(HangUp::BeforeAnswer) => (Box::pin(read_answer(answer, connection)).await.0, None),
        Some(HangUp::InAnswer) => Box::pin(hang_up_in_answer(answer, connection)).await,
    })
}

/// Waits until a client that hangs up before the answer has had time_to_hang_up; others never have.
async fn time_to_hang_up(sent: Option<&mut oneshot::Receiver<()>>) {
    if let Some(sent) = sent
        && sent.await.is_ok()
    {
        sleep(HANG_UP_AFTER).await;
    } else {
        std::future::pending::<()>().await;
    }
}

/// Reads an answer to its end.
async fn read_answer(answer: Response<Incoming>, connection: Connection) -> (Outcome, Option<Connection>) {
    let status = answer.status();
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return (Outcome::Truncated(status), None);
        }
    }
    (Outcome::Answered(status), Some(connection))
}

/// Reads the start of an answer's body and hangs up, unless that was all of it.
async fn hang_up_in_answer(
    answer: Response<Incoming>,
    connection: Connection,
) -> (Outcome, Option<Connection>) {
    let status = answer.status();
    let mut body = answer.into_body();
    match body.frame().await {
        None => (Outcome::Answered(status), Some(connection)),
        Some(Err(_)) => (Outcome::Truncated(status), None),
        Some(Ok(_)) if body.is_end_stream() => (Outcome::Answered(status), Some(connection)),
        Some(Ok(_)) => {
            connection.hang_up();
            (Outcome::HungUp, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, Method, StatusCode};
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::request::{Query, Request};
    use firedrill_net::{Connector, Target};

    /// What becomes of a request on a connection that ends while it holds the request unwritten.
    async fn on_a_connection_that_ends(used: bool) -> Outcome {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut first, _) = listener.accept().await.unwrap();
        let (sender, ends) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let pool = Pool::new(Connector::new(address.to_string().parse().unwrap()));
        let idle = tokio::spawn(std::future::pending::<()>());
        pool.keep(Connection {
            sender,
            opened: Instant::now(),
            handshake: Duration::ZERO,
            used,
            driver: idle.abort_handle(),
        });
        let answers = tokio::spawn(async move {
            let (mut second, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(second.read_u8().await.unwrap());
            }
            second.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        });
        let request = Request {
            method: Method::GET,
            path: None,
            query: Query::default(),
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
            hang_up: None,
            work: None,
        };
        let target = Target::parse(&format!("http://{address}")).unwrap();
        let request = request.nth(0, &target).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let (ended, ()) = tokio::join!(round_trip(&pool, request, deadline), async { drop(ends) });
        let mut written = Vec::new();
        first.read_to_end(&mut written).await.unwrap();
        assert!(written.is_empty());
        answers.abort();
        ended.outcome
    }

    #[tokio::test]
    async fn a_request_that_a_kept_connection_did_not_take_is_sent_on_another() {
        assert_eq!(on_a_connection_that_ends(true).await, Outcome::Answered(StatusCode::OK));
    }

    #[tokio::test]
    async fn a_request_that_a_new_connection_did_not_take_failed() {
        assert_eq!(on_a_connection_that_ends(false).await, Outcome::Closed);
    }
}
