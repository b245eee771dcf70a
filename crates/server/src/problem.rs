//! Every error answer: `application/problem+json` (RFC 9457).

use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::answer::{Response, ok, whole};
use super::telemetry::ErrorType;
use firedrill_contract::Refusal;

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
    headers: Vec<(header::HeaderName, HeaderValue)>,
    #[serde(skip)]
    counts_as: Option<ErrorType>,
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
            counts_as: None,
        }
    }

    /// What went wrong, as the answer says it.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn header(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// Counted as this error type, where the status alone would say less.
    pub fn counts_as(mut self, error: ErrorType) -> Self {
        self.counts_as = Some(error);
        self
    }

    pub fn into_response(self) -> Response {
        let body = whole(serde_json::to_vec(&self).unwrap_or_default());
        let mut response = ok(HeaderValue::from_static("application/problem+json"), body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().extend(self.headers.into_iter().map(|(name, value)| (Some(name), value)));
        if let Some(error) = self.counts_as {
            response.extensions_mut().insert(error);
        }
        response
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
