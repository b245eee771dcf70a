//! One request and its answer.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, timeout_at};

use super::fate::Fate;
use super::pool::{Connection, Pool};

/// Sends a request and reads its answer to the end: what became of it, and the connection where it
/// can be used again.
///
/// A request that failed is not sent a second time. The one thing tried again is a kept connection
/// that turns out to have been closed before it took a byte of the request.
pub(super) async fn exchange(
    pool: &Pool,
    mut request: Request<Full<Bytes>>,
    deadline: Instant,
) -> (Fate, Option<Connection>) {
    loop {
        let connection = match pool.take(deadline).await {
            Ok(connection) => connection,
            Err(unreached) => return (Fate::from(&unreached), None),
        };
        let used = connection.used;
        match timeout_at(deadline, converse(connection, request)).await {
            Ok(Ok((fate, connection))) => return (fate, connection),
            Ok(Err(Unsent { request: Some(unsent), .. })) if used => request = *unsent,
            Ok(Err(Unsent { fate, .. })) => return (fate, None),
            Err(_) => return (Fate::TimedOut, None),
        }
    }
}

/// A request without an answer; with the request where none of it was written.
struct Unsent {
    fate: Fate,
    request: Option<Box<Request<Full<Bytes>>>>,
}

async fn converse(
    mut connection: Connection,
    request: Request<Full<Bytes>>,
) -> Result<(Fate, Option<Connection>), Unsent> {
    let answer = match connection.sender.try_send_request(request).await {
        Ok(answer) => answer,
        Err(mut error) => {
            let request = error.take_message().map(Box::new);
            return Err(Unsent { fate: Fate::from(error.error()), request });
        }
    };
    let status = answer.status();
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return Ok((Fate::Truncated(status), None));
        }
    }
    Ok((Fate::Answered(status), Some(connection)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::dial::Dial;

    /// What becomes of a request on a connection that ends while it holds the request unwritten.
    async fn on_a_connection_that_ends(used: bool) -> Fate {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut first, _) = listener.accept().await.unwrap();
        let (sender, ends) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let pool = Pool::new(Dial::new(address.to_string().parse().unwrap()));
        pool.keep(Connection { sender, opened: Instant::now(), used });
        let answers = tokio::spawn(async move {
            let (mut second, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(second.read_u8().await.unwrap());
            }
            second.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        });
        let request = Request::new(Full::default());
        let deadline = Instant::now() + Duration::from_secs(10);
        let (exchanged, ()) = tokio::join!(exchange(&pool, request, deadline), async { drop(ends) });
        let mut written = Vec::new();
        first.read_to_end(&mut written).await.unwrap();
        assert!(written.is_empty());
        answers.abort();
        exchanged.0
    }

    #[tokio::test]
    async fn a_request_that_a_kept_connection_did_not_take_is_sent_on_another() {
        assert_eq!(on_a_connection_that_ends(true).await, Fate::Answered(StatusCode::OK));
    }

    #[tokio::test]
    async fn a_request_that_a_new_connection_did_not_take_failed() {
        assert_eq!(on_a_connection_that_ends(false).await, Fate::Closed);
    }
}
