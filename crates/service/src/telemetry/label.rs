//! The labels of the service's own metrics. Each type has a fixed number of values: no client can add one.

use std::fmt::{self, Write};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

use firedrill_server::outcome::{ErrorType, Workload};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct WorkloadLabels {
    pub(crate) workload: Workload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ErrorLabels {
    pub(crate) workload: Workload,
    pub(crate) error_type: ErrorType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct BoundLabels {
    pub(crate) workload: Workload,
    pub(crate) bound: Bound,
}

impl EncodeLabelValue for Bound {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.name())
    }
}

/// A bound on everything that is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Bound {
    Concurrency,
    Memory,
}

impl Bound {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Memory => "memory",
        }
    }
}
