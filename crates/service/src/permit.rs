//! The permits for work, which bound how much of it is in flight.

use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct WorkPermits {
    semaphore: Arc<Semaphore>,
    in_flight: Gauge,
}

/// One request's part of the limit, until it is dropped.
pub(super) struct WorkPermit {
    in_flight: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl WorkPermits {
    pub(super) fn new(limit: u16, in_flight: Gauge) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(limit.into())), in_flight }
    }

    pub(super) fn are_exhausted(&self) -> bool {
        self.semaphore.available_permits() == 0
    }

    /// `None` where the limit is reached.
    pub(super) fn try_acquire(&self) -> Option<WorkPermit> {
        let permit = Arc::clone(&self.semaphore).try_acquire_owned().ok()?;
        self.in_flight.inc();
        Some(WorkPermit { in_flight: self.in_flight.clone(), _permit: permit })
    }
}

impl Drop for WorkPermit {
    fn drop(&mut self) {
        self.in_flight.dec();
    }
}
