//! PromQL in a drill: that it can be read, and that what it selects exists.

use promql_parser::parser::{Expr, VectorSelector};

use super::super::DrillFile;
use super::vocabulary::{self, Vocabulary};
use super::{Drill, Here, each, label};
use crate::expectation::counts::Counts;
use crate::expectation::series::SeriesExist;
use crate::promql::{self, VARIABLES};
use firedrill_contract::metric::MetricType;
use firedrill_contract::nearest;

impl Drill<'_> {
    pub(super) fn counts(&self, Counts { series, status, .. }: &Counts, here: &mut Here<'_>) {
        status.iter().for_each(|status| label(status, &mut here.at("status")));
        let Some(selector) = self.selector(series.as_deref(), here) else { return };
        let mut place = here.at(if status.is_some() { "status" } else { "series" });
        let status = status.as_deref().unwrap_or(DrillFile::STATUS);
        if let Some(known) = self.known(&selector) {
            if !known.labels().any(|label| label == status) {
                let name = known.name();
                place.say(format!("{name} has no label {status:?}, by which its requests are told apart: expected \"status\" to name the one that holds theirs"));
            }
            must_count(known, &mut here.at("series"));
        }
    }

    pub(super) fn series(&self, SeriesExist { series, .. }: &SeriesExist, here: &mut Here<'_>) {
        let mut here = here.at("series");
        if series.0.is_empty() {
            here.say("found no series, expected one selector or several");
        }
        each(&series.0, &mut here);
        for (n, text) in series.0.iter().enumerate() {
            // One alone may stand without a list, and is then where the list would be.
            let mut here = here.at(n);
            if let Some(known) =
                self.read_selector(text, &mut here).and_then(|selector| self.known(&selector))
            {
                must_count(known, &mut here);
            }
        }
    }

    /// Counters that are added up.
    pub(super) fn counters(&self, text: &str, here: &mut Here<'_>) {
        let Some(selector) = self.read_selector(text, here) else { return };
        let Some(known) = self.known(&selector) else { return };
        let name = known.name();
        if known.is_family_of_histogram() {
            here.say(format!(
                "found {name}, a histogram: expected its _count, its _sum, or its _bucket with an le"
            ));
        } else if known.counts() == Err(MetricType::Gauge) {
            here.say(format!("found {name}, which is a gauge: expected a counter"));
        } else if known.is_of_buckets() && !promql::matchers(&selector).any(|matcher| matcher.name == "le") {
            here.say(format!("found {name} without le: each bucket has what those below it have, expected one of them, such as le=\"+Inf\""));
        }
    }

    /// The series of a quantile are a histogram.
    pub(super) fn histogram(&self, series: Option<&str>, here: &mut Here<'_>) {
        let Some(selector) = self.selector(series, here) else { return };
        let Some(name) = promql::metric(&selector) else {
            return here
                .at("series")
                .say("found no name of a metric, expected that of a histogram, without _bucket");
        };
        if let Some(family) = name.strip_suffix("_bucket") {
            return here
                .at("series")
                .say(format!("found {name}, expected the histogram without _bucket: {family}"));
        }
        if self.known(&selector).is_some_and(|known| !known.is_family_of_histogram()) {
            here.at("series").say(format!(
                "found {name}, which is no histogram: expected one such as {}",
                DrillFile::DURATION
            ));
        }
    }

    /// A selector of the expectation's own; without one, it is about the workload, which must then be known.
    fn selector(&self, own: Option<&str>, here: &mut Here<'_>) -> Option<VectorSelector> {
        if own.is_none() && self.file.workload.is_none() {
            here.say("found no workload of the drill and no series of its own, expected one of them: otherwise the traffic of others would be judged");
        }
        self.read_selector(own?, &mut here.at("series"))
    }

    fn read_selector(&self, text: &str, here: &mut Here<'_>) -> Option<VectorSelector> {
        let expression = self.promql(text, None, here)?;
        match promql::parse_selector(&self.variables(None).expand(text)) {
            Ok(selector) => {
                self.reads_series(&expression, here);
                Some(selector)
            }
            Err(error) => {
                here.say(format!("found another expression than a selector: {error}"));
                None
            }
        }
    }

    /// The expression, its variables replaced; tells where it is none.
    pub(super) fn promql(&self, text: &str, during: Option<&str>, here: &mut Here<'_>) -> Option<Expr> {
        let variables = self.variables(during);
        let unset: Vec<_> = variables.unset(text).collect();
        for variable in &unset {
            here.say(unset_variable(variable));
        }
        if !unset.is_empty() {
            return None;
        }
        let read = promql::parse(&variables.expand(text));
        read.map_err(|error| here.say(format!("found no PromQL: {}", one_line(&error)))).ok()
    }

    /// Whether an expression reads any series; tells which of them cannot exist.
    pub(super) fn reads_series(&self, expression: &Expr, here: &mut Here<'_>) -> bool {
        let mut vocabulary =
            Vocabulary { ours: self.ours, job: self.file.job.as_deref(), found: Vec::new(), reads: false };
        vocabulary.labels(expression);
        vocabulary.found.into_iter().for_each(|message| here.say(message));
        vocabulary.reads
    }

    fn known(&self, selector: &VectorSelector) -> Option<vocabulary::Known> {
        let vocabulary =
            Vocabulary { ours: self.ours, job: self.file.job.as_deref(), found: Vec::new(), reads: false };
        vocabulary.known(selector)
    }
}

fn must_count(known: vocabulary::Known, here: &mut Here<'_>) {
    let name = known.name();
    match known.counts() {
        Ok(()) => {}
        Err(MetricType::Histogram) => {
            here.say(format!("found {name}, which does not count requests: expected the histogram's _count"))
        }
        Err(MetricType::Gauge | MetricType::Counter) => {
            here.say(format!("found {name}, which is a gauge: expected a counter"))
        }
    }
}

fn unset_variable(written: &str) -> String {
    let name = written.trim_matches(['$', '{', '}']);
    match name {
        "workload" | "job" if !written.contains('{') => {
            format!(
                "found {written}, which the drill does not set: expected the key {name:?} beside the phases"
            )
        }
        _ => match nearest(name, VARIABLES) {
            Some(near) => format!("found {written}, which is no variable of a drill: did you mean ${near}?"),
            None => format!(
                "found {written}, which is no variable of a drill: expected $phase, $workload or $job"
            ),
        },
    }
}

/// The parser's errors as one line.
fn one_line(error: &str) -> String {
    error.split_whitespace().collect::<Vec<_>>().join(" ")
}
