//! The drill around an expectation, as its checks need it.

use std::time::Duration;

use indexmap::IndexMap;

use crate::file::phase::Phase;
use crate::file::place::Place;
use crate::promql::Variables;
use firedrill_contract::{quoted, suggest};

/// What an expectation is checked against: the rest of its drill.
pub(crate) struct FileContext<'a> {
    pub(super) phases: &'a IndexMap<String, Phase>,
    pub(super) workload: Option<&'a str>,
    pub(super) job: Option<&'a str>,
    /// Whether it drills this project's own service, whose metrics are known.
    pub(super) ours: bool,
}

impl<'a> FileContext<'a> {
    /// The phase of this name, which must exist.
    pub(crate) fn phase(&self, name: &str, place: &mut Place<'_>) -> Option<&'a Phase> {
        let phase = self.phases.get(name);
        if phase.is_none() {
            let suggestion = suggest(name, self.phases.keys().map(String::as_str));
            place.refuse(format!("unknown phase `{}`: {suggestion}", quoted(name)));
        }
        phase
    }

    /// The phases that something is about.
    pub(crate) fn phases(&self, during: Option<&str>) -> Vec<&'a Phase> {
        match during {
            Some(name) => self.phases.get(name).into_iter().collect(),
            None => self.phases.values().collect(),
        }
    }

    /// Whether nothing is sent in all of that time.
    pub(crate) fn is_pause(&self, during: Option<&str>) -> bool {
        let phases = self.phases(during);
        !phases.is_empty() && phases.iter().all(|phase| phase.rate.is_none())
    }

    pub(crate) fn variables(&self, during: Option<&str>) -> Variables<'a> {
        let spans = self.phases(during).into_iter().map(|phase| phase.span.0);
        let phase = spans.fold(Duration::ZERO, Duration::saturating_add);
        // Nothing lasts 0s in PromQL; a phase that does is refused for itself.
        let phase = phase.max(Duration::from_secs(1));
        Variables { phase, workload: self.workload, job: self.job }
    }
}
