//! What a background task has seen so far.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// What a task writes and others read.
pub(super) struct Watched<T> {
    state: Mutex<T>,
    /// Whether it was written at least once.
    written: watch::Sender<bool>,
}

impl<T> Watched<T> {
    pub(super) fn new(state: T) -> Self {
        Self { state: Mutex::new(state), written: watch::Sender::new(false) }
    }

    /// AlertmanagerAlert to copy or to add a few values.
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_written(&self) {
        self.written.send_replace(true);
    }

    /// The state once it was written, which ends in time since the requests of its task do.
    pub(super) async fn written(&self) -> MutexGuard<'_, T> {
        // The sender is here, so that it cannot have gone.
        let _ = self.written.subscribe().wait_for(|written| *written).await;
        self.lock()
    }
}

/// Ticks at this interval.
pub(super) fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    // One that took longer than it should is no reason to hurry later.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
