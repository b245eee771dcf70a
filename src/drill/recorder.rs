//! Where requests that end at the same time leave their record without waiting for one another.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::fate::Fate;
use super::ledger::{Ledger, Times};

/// Several ledgers that add up to one.
#[derive(Debug)]
pub(super) struct Recorder(Vec<Mutex<Part>>);

#[derive(Debug, Default)]
struct Part {
    ledger: Ledger,
    last: Option<Duration>,
}

/// A sum of ledgers.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub(super) ledger: Ledger,
    /// When the last of its requests ended.
    pub(super) last: Option<Duration>,
}

impl Recorder {
    /// One ledger for each thread that records.
    pub(super) fn new(threads: usize) -> Self {
        Self((0..threads.max(1)).map(|_| Mutex::default()).collect())
    }

    /// Enters request `n`.
    pub(super) fn enter(&self, n: u64, fate: Fate, times: Times) {
        let mut part = lock(&self.0[usize::try_from(n % self.0.len() as u64).unwrap_or(0)]);
        part.ledger.enter(fate, times);
        part.last = part.last.max(Some(times.ended));
    }

    /// The sum so far, with those of `due` requests that have not ended as abandoned.
    pub(super) fn close(&self, due: u64) -> Sum {
        let mut sum = Sum::default();
        for part in self.0.iter().map(lock) {
            sum.ledger.add(&part.ledger);
            sum.last = sum.last.max(part.last);
        }
        sum.ledger.abandon_the_rest(due);
        sum
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
