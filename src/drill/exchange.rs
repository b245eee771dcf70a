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
