//! Where requests that end at the same time leave their record without waiting for one another.

use std::sync::{Mutex, PoisonError};

use super::fate::Fate;
use super::ledger::{Ledger, Times};

/// Several ledgers that add up to one.
#[derive(Debug)]
pub(super) struct Recorder(Vec<Mutex<Ledger>>);

impl Recorder {
    /// One ledger for each thread that records.
    pub(super) fn new(threads: usize) -> Self {
        Self((0..threads.max(1)).map(|_| Mutex::default()).collect())
    }

    /// Enters request `n`.
    pub(super) fn enter(&self, n: u64, fate: Fate, times: Times) {
        let part = usize::try_from(n % self.0.len() as u64).unwrap_or(0);
        self.0[part].lock().unwrap_or_else(PoisonError::into_inner).enter(fate, times);
    }

    /// The sum so far, with those of `due` requests that have not ended as abandoned.
    pub(super) fn close(&self, due: u64) -> Ledger {
        let mut sum = Ledger::default();
        for part in &self.0 {
            sum.add(&part.lock().unwrap_or_else(PoisonError::into_inner));
        }
        sum.abandon_the_rest(due);
        sum
    }
}
