//! Reads a request's JSON body, within limits of size and time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::problem::Problem;
use firedrill_contract::Size;

/// A body over its limit is still read up to this many times the limit, so that a client that is busy sending it
/// gets to see the answer and not a reset.
const DRAINED: usize = 16;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub size: Size,
    /// How long the client may take to send it.
    pub time: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum BodyError {
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

impl From<BodyError> for Problem {
    fn from(why: BodyError) -> Self {
        let (status, last) = match why {
            BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, true),
            BodyError::TooSlow(_) => (StatusCode::REQUEST_TIMEOUT, true),
            BodyError::Broken(_) => (StatusCode::BAD_REQUEST, false),
            BodyError::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, false),
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
pub async fn read_json(parts: &Parts, body: Incoming, limits: Limits) -> Result<Bytes, BodyError> {
    let cap = usize::try_from(limits.size.bytes()).unwrap_or(usize::MAX);
    let read = timeout(limits.time, collect(body, cap)).await.map_err(|_| BodyError::TooSlow(limits.time))?;
    let bytes = read?.ok_or(BodyError::TooLarge(limits.size))?;
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json");
    if bytes.is_empty() || is_json { Ok(bytes) } else { Err(BodyError::NotJson) }
}

/// The whole body, or nothing where it is larger than `cap`.
async fn collect(mut body: Incoming, cap: usize) -> Result<Option<Bytes>, BodyError> {
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= cap {
            bytes.extend_from_slice(&data);
        } else if length > cap.saturating_mul(DRAINED) {
            break;
        }
    }
    Ok((length <= cap).then(|| bytes.freeze()))
}
