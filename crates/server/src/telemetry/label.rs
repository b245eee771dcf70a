//! The labels of the metrics that every server has. Each type has a fixed number of values: no client
//! can add one.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{
    EncodeLabel, EncodeLabelSet, EncodeLabelValue, LabelSetEncoder, LabelValueEncoder,
};

use crate::outcome::{ErrorType, Method, Workload};
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
pub(crate) struct MethodLabels {
    pub(crate) http_request_method: Method,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReasonLabels {
    pub(crate) reason: Unreadable,
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.path())
    }
}

/// Why what came on a connection was not a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unreadable {
    /// It is not HTTP.
    Malformed,
    /// Its head is over --max-header.
    TooLarge,
    /// Its head did not come in time.
    Timeout,
    /// The client hung up in the middle of its head.
    Incomplete,
}

impl EncodeLabelValue for Unreadable {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.name())
    }
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
