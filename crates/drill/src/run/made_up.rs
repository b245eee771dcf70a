//! Runs that were made up, for tests and benches.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

use std::time::Duration;

use super::{Run, VERSION};
use crate::evidence::Evidence;
use crate::file::DrillFile;
use crate::phase_ledger::PhaseLedger;
use firedrill_contract::Time;
use firedrill_load::ledger::{Ledger, Times};
use firedrill_load::outcome::Outcome;

impl Run {
    /// A run of this drill file that has just begun: no phase, no evidence.
    ///
    /// # Panics
    /// Where the file is none.
    #[must_use]
    pub fn made_up(drill: &str, began: Time) -> Self {
        Self {
            version: VERSION,
            firedrill: "0.1.0".to_owned(),
            drill: DrillFile::read(drill).unwrap(),
            target: "http://app:8080".to_owned(),
            seed: 7,
            began,
            phases: Vec::new(),
            ended: began,
            interrupted: false,
            clock_moved_ms: 0,
            evidence: Evidence::none(began),
        }
    }

    /// The same with one more phase, in which so many requests fall due at a steady rate. What becomes of each, and how
    /// long it takes, follows from its number in the phase.
    #[must_use]
    pub fn then(
        mut self,
        name: &str,
        lasts: Duration,
        requests: u32,
        request: impl Fn(u32) -> (Outcome, Duration),
    ) -> Self {
        let (began, since) = (self.ended, self.ended.since(self.began).unwrap());
        let mut ledger = Ledger::default();
        for n in 0..requests {
            let (outcome, took) = request(n);
            let due = since + lasts * n / requests;
            ledger.enter(outcome, Times { due, left: due, sent: None, ended: due + took });
        }
        self.ended = began + lasts;
        self.phases.push(PhaseLedger { name: name.to_owned(), began, ended: self.ended, ledger });
        self
    }
}
