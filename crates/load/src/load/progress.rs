//! How far a load has come.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How far a load has come. Costs next to nothing to keep and to read, at any time and from any thread.
#[derive(Debug, Default)]
pub struct Progress {
    began: OnceLock<Instant>,
    phase: AtomicUsize,
    due: AtomicU64,
    ended: AtomicU64,
}

impl Progress {
    /// How long ago the load began; zero before.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Which phase of the plan it is in, or was last, from 0.
    #[must_use]
    pub fn phase(&self) -> usize {
        self.phase.load(Ordering::Relaxed)
    }

    /// How many requests fell due so far.
    #[must_use]
    pub fn due(&self) -> u64 {
        self.due.load(Ordering::Relaxed)
    }

    /// How many of them have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self, at: Instant) {
        // A load runs once.
        let _ = self.began.set(at);
    }

    pub(super) fn enter(&self, phase: usize) {
        self.phase.store(phase, Ordering::Relaxed);
    }

    pub(super) fn fell_due(&self) {
        self.due.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn has_ended(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}
