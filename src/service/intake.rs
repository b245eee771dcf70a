//! Takes in a request's body, within its caps of size and time.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{StatusCode, header};
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::Config;
use super::problem::Problem;

/// A refused body is still read for this many times its cap, so that a client that is busy sending it
/// gets to see the answer and not a reset.
const PATIENCE: usize = 16;

/// The JSON body of a request, unparsed; `{}` where there is none.
///
/// # Errors
/// 400 with a query beside it, 415 where it is not JSON, 413 where it is too large, 408 where it
/// takes too long.
pub(super) async fn json(parts: &Parts, body: Body, config: &Config) -> Result<Bytes, Problem> {
    if parts.uri.query().is_some_and(|query| !query.is_empty()) {
        let detail = "POST takes its parameters in the JSON body, and got a query; use one or the other: GET with a query, or POST with a body";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let cap = usize::try_from(config.max_request_body.bytes()).unwrap_or(usize::MAX);
    let read = timeout(config.body_timeout, collect(body, cap)).await.map_err(|_| {
        let detail = format!("the request's body did not arrive within {:?}", config.body_timeout);
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail).header(header::CONNECTION, "close")
    })?;
    let bytes = read?.ok_or_else(|| {
        let detail = format!("the request's body is larger than {}", config.max_request_body);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).header(header::CONNECTION, "close")
    })?;
    if bytes.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let detail = "the body's Content-Type is not application/json; with curl add -H 'Content-Type: application/json', or use --json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    Ok(bytes)
}

/// The whole body, or nothing where it is larger than `cap`.
async fn collect(mut body: Body, cap: usize) -> Result<Option<Bytes>, Problem> {
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, format!("the request's body could not be read: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= cap {
            bytes.extend_from_slice(&data);
        } else if length > cap.saturating_mul(PATIENCE) {
            break;
        }
    }
    Ok((length <= cap).then(|| bytes.freeze()))
}
