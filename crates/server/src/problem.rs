//! Every error answer: `application/problem+json` (RFC 9457).

use firedrill_contract::Refusal;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::answer::{Answer, full};
use super::outcome::ErrorType;

/// What went wrong with a request, safe to show to anybody.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    refused: Option<Box<Refused>>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
    #[serde(skip)]
    error_type: Option<ErrorType>,
}

/// Which parameter was refused, as members of their own for programs.
#[derive(Debug, Clone, Serialize)]
struct Refused {
    parameter: String,
    got: String,
    expected: String,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            // RFC 9457, section 4.2.1: the status says it all.
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            refused: None,
            headers: Vec::new(),
            error_type: None,
        }
    }

    /// 503, to be tried again in a second.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(header::RETRY_AFTER, "1")
    }

    /// 401, with the realm that a token is missing for.
    pub fn unauthorized(realm: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail).header(header::WWW_AUTHENTICATE, realm)
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// Where the status alone would say less.
    #[must_use]
    pub fn error_type(mut self, error_type: ErrorType) -> Self {
        self.error_type = Some(error_type);
        self
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        // It is texts and a number, which JSON can hold.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub fn into_answer(self) -> Answer {
        let content_type = const { HeaderValue::from_static("application/problem+json") };
        let mut answer = Answer::ok(content_type, full(self.to_json()));
        *answer.response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer.error_type = self.error_type;
        answer
            .response
            .headers_mut()
            .extend(self.headers.into_iter().map(|(name, value)| (Some(name), value)));
        answer
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, refusal.to_string());
        let Refusal { parameter, got, expected } = refusal;
        problem.refused = Some(Box::new(Refused { parameter, got, expected }));
        problem
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}
