//! The labels of the metrics that every server has. Each type has a fixed number of values: no client
//! can add one.

use std::fmt::{self, Write};

use prometheus_client::encoding::{
    EncodeLabel, EncodeLabelSet, EncodeLabelValue, LabelSetEncoder, LabelValueEncoder,
};

use crate::route::Route;

/// The labels of `http_server_request_duration_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestLabels {
    pub http_request_method: Method,
    pub http_route: Route,
    /// Empty where no answer was begun.
    pub http_response_status_code: Option<u16>,
    pub error_type: ErrorType,
    /// Left out where requests have no workload.
    pub workload: Option<Workload>,
}

impl EncodeLabelSet for RequestLabels {
    fn encode(&self, set: &mut LabelSetEncoder<'_>) -> fmt::Result {
        ("http_request_method", self.http_request_method).encode(set.encode_label())?;
        ("http_route", self.http_route).encode(set.encode_label())?;
        ("http_response_status_code", self.http_response_status_code).encode(set.encode_label())?;
        ("error_type", self.error_type).encode(set.encode_label())?;
        match self.workload {
            Some(workload) => ("workload", workload).encode(set.encode_label()),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct MethodLabels {
    pub http_request_method: Method,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabels {
    pub reason: Unreadable,
}

/// Writes a label value that is one of a few words.
macro_rules! encode_as_word {
    ($($label:ty),+) => {$(
        impl EncodeLabelValue for $label {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                encoder.write_str(self.name())
            }
        }
    )+};
}
encode_as_word!(Method, Workload, Unreadable);

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.path())
    }
}

/// A method that OpenTelemetry's semantic conventions know, or `_OTHER`, as they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Connect,
    Options,
    Trace,
    Patch,
    Other,
}

impl Method {
    pub fn of(method: &http::Method) -> Self {
        match method.as_str() {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "CONNECT" => Self::Connect,
            "OPTIONS" => Self::Options,
            "TRACE" => Self::Trace,
            "PATCH" => Self::Patch,
            _ => Self::Other,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Other => "_OTHER",
        }
    }
}

/// Why a request failed, as `error.type` of the semantic conventions: the status for a server error
/// that was answered, a word of ours for everything that a status does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorType {
    /// It did not.
    None,
    /// It was answered with this server error.
    Status(u16),
    /// The handler panicked.
    Panic,
    /// A bound was reached; answered 503 at once.
    Shed,
    /// The client hung up before the answer was complete.
    Disconnected,
    /// The connection was reset, as the request asked.
    Reset,
    /// The connection was closed in the middle of the body, as the request asked.
    Truncated,
    /// The client did not take the answer in time.
    Timeout,
    /// The server ended before the answer was complete.
    Shutdown,
}

impl EncodeLabelValue for ErrorType {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        write!(encoder, "{self}")
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::None => "",
            Self::Status(status) => return status.fmt(f),
            Self::Panic => "panic",
            Self::Shed => "shed",
            Self::Disconnected => "disconnected",
            Self::Reset => "reset",
            Self::Truncated => "truncated",
            Self::Timeout => "timeout",
            Self::Shutdown => "shutdown",
        };
        f.write_str(word)
    }
}

/// Whose traffic a request is: a name of the list that is fixed at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Workload(&'static str);

impl Workload {
    /// Requests that are not for work belong to no workload.
    pub const NONE: Self = Self("");

    /// Keeps a name of the list for as long as the process lives: once each, at start.
    pub fn intern(name: &str) -> Self {
        Self(Box::leak(name.to_owned().into_boxed_str()))
    }

    pub fn name(self) -> &'static str {
        self.0
    }
}

/// Why what came on a connection was not a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreadable {
    /// It is not HTTP.
    Malformed,
    /// Its head is larger than the cap.
    TooLarge,
    /// Its head did not come in time.
    Timeout,
    /// The client hung up in the middle of its head.
    Incomplete,
}

impl Unreadable {
    pub(super) const ALL: [Self; 4] = [Self::Malformed, Self::TooLarge, Self::Timeout, Self::Incomplete];

    fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::Incomplete => "incomplete",
        }
    }
}
