//! The places for work, which bound how much of it is in flight.

use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;

/// One of the places for work, taken until this is dropped.
pub(super) struct Place {
    in_flight: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Takes one, if there is one left.
    pub(super) fn take(shared: &Shared) -> Option<Self> {
        let permit = Arc::clone(&shared.places).try_acquire_owned().ok()?;
        let in_flight = shared.telemetry.work_in_flight.clone();
        in_flight.inc();
        Some(Self { in_flight, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}
