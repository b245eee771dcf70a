//! What a program answers.

use std::error::Error;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Either, Full};
use serde::Serialize;

use super::outcome::ErrorType;

/// A response, and what its request counts as where all of it reaches the client.
pub struct Answer {
    pub response: Response<Body>,
    /// Where the status alone would say less. A reset closes the connection instead of the response.
    pub error_type: Option<ErrorType>,
    /// It goes on until the client has enough, so that hanging up is how it should end.
    pub open_ended: bool,
}

/// All of a body at once, or made as it is sent. Only the latter costs an allocation.
pub type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, BoxError>>;

/// Why a body broke off.
pub type BoxError = Box<dyn Error + Send + Sync>;

// Constants, so that they are checked when this is compiled and not at each answer.
pub const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
pub const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
pub const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
pub const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Only what the server itself serves is loaded, and no script or style in the HTML is run.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
     form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

pub fn full(body: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(body.into()))
}

pub fn streamed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Either::Right(body.map_err(Into::into).boxed_unsync())
}

impl Answer {
    /// 200 with a body of this type.
    pub fn ok(content_type: HeaderValue, body: Body) -> Self {
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        Self { response, error_type: None, open_ended: false }
    }

    pub fn text(text: &'static str) -> Self {
        Self::ok(TEXT, full(text))
    }

    /// # Errors
    /// Where the value has no form in JSON.
    pub fn json(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self::ok(JSON, full(serde_json::to_vec(value)?)))
    }

    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        let mut response = Response::new(full(""));
        *response.status_mut() = status;
        Self { response, error_type: None, open_ended: false }
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().insert(name, value);
        self
    }

    /// Keeps a page for people from loading and leaking anything.
    #[must_use]
    pub fn with_page_policy(self) -> Self {
        self.header(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)
            .header(header::REFERRER_POLICY, const { HeaderValue::from_static("no-referrer") })
    }
}
