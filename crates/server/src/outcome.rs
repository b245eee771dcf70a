//! How a request is counted: by its method, by whose traffic it is, and by how it ended.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// A method that OpenTelemetry's semantic conventions know, or `_OTHER`, as they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Method(&'static str);

impl Method {
    pub const GET: Self = Self("GET");
    pub const HEAD: Self = Self("HEAD");
    pub const POST: Self = Self("POST");

    pub(crate) fn new(method: &http::Method) -> Self {
        const KNOWN: [&str; 9] =
            ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
        Self(KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER"))
    }

    pub(crate) fn name(self) -> &'static str {
        self.0
    }
}

impl EncodeLabelValue for Method {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.0)
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

impl EncodeLabelValue for Workload {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.0)
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
    /// A limit was reached; answered 503 at once.
    Shed,
    /// The client hung up before the answer was complete.
    Disconnected,
    /// The connection was reset, as the request asked.
    Reset,
    /// The connection was closed in the middle of the body, as the request asked.
    Truncated,
    /// The client did not read the answer in time.
    Timeout,
    /// The server ended before the answer was complete.
    Shutdown,
}

impl ErrorType {
    /// What an answer with this status counts as.
    pub fn from_status(status: u16) -> Self {
        if status >= 500 { Self::Status(status) } else { Self::None }
    }
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
