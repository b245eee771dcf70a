//! Takes in a request's JSON body, within caps of size and time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::problem::Problem;
use firedrill_contract::Size;

/// A refused body is still read for this many times its cap, so that a client that is busy sending it
/// gets to see the answer and not a reset.
const PATIENCE: usize = 16;

/// How much body a request may have.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    pub size: Size,
    /// How long the client may take to send it.
    pub time: Duration,
}

/// Why a body was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Untaken {
    #[error("the request's body is larger than {0}")]
    TooLarge(Size),
    #[error("the request's body did not arrive within {0:?}")]
    TooSlow(Duration),
    #[error("the request's body could not be read: {0}")]
    Broken(hyper::Error),
    #[error(
        "the body's Content-Type is not application/json; with curl add -H 'Content-Type: application/json', or use --json"
    )]
    NotJson,
}

impl From<Untaken> for Problem {
    fn from(why: Untaken) -> Self {
        let (status, last) = match why {
            Untaken::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, true),
            Untaken::TooSlow(_) => (StatusCode::REQUEST_TIMEOUT, true),
            Untaken::Broken(_) => (StatusCode::BAD_REQUEST, false),
            Untaken::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, false),
        };
        let problem = Self::new(status, why.to_string());
        // What is left of the body is in the way of another request.
        if last { problem.header(header::CONNECTION, "close") } else { problem }
    }
}

/// The JSON body of a request, unparsed; empty where there is none.
///
/// # Errors
/// 413 where it is too large, 408 where it takes too long, 400 where it breaks off, 415 where it is
/// not JSON.
pub async fn json(parts: &Parts, body: Incoming, caps: Caps) -> Result<Bytes, Untaken> {
    let cap = usize::try_from(caps.size.bytes()).unwrap_or(usize::MAX);
    let read = timeout(caps.time, collect(body, cap)).await.map_err(|_| Untaken::TooSlow(caps.time))?;
    let bytes = read?.ok_or(Untaken::TooLarge(caps.size))?;
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json");
    if bytes.is_empty() || is_json { Ok(bytes) } else { Err(Untaken::NotJson) }
}

/// The whole body, or nothing where it is larger than `cap`.
async fn collect(mut body: Incoming, cap: usize) -> Result<Option<Bytes>, Untaken> {
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Untaken::Broken)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= cap {
            bytes.extend_from_slice(&data);
        } else if length > cap.saturating_mul(PATIENCE) {
            break;
        }
    }
    Ok((length <= cap).then(|| bytes.freeze()))
}
