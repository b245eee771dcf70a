//! What a program is asked, and what it answers.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use serde::Serialize;

use super::problem::Problem;

/// A request as hyper reads it.
pub type Request = http::Request<Incoming>;

/// An answer.
pub type Response = http::Response<Body>;

/// An answer's body: all of it at once, or made as it is sent. Only the latter costs an allocation.
pub type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, BoxError>>;

/// Why a body broke off.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Types of content. Constants, so that what they hold is checked when this is compiled and not at each answer.
pub const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A body that is there as a whole.
pub fn whole(body: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(body.into()))
}

/// A body that is made as it is sent.
pub fn streamed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Either::Right(body.map_err(Into::into).boxed_unsync())
}

/// 200 with a body of this type.
pub fn ok(content_type: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// 200 with this text.
pub fn text(text: &'static str) -> Response {
    ok(TEXT, whole(text))
}

/// 200 with this value, or 500 where it cannot be said in JSON.
pub fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(json) => ok(JSON, whole(json)),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
