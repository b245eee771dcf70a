//! PromQL in a drill: that it can be read, and that what it selects exists.

use promql_parser::parser::{Expr, VectorSelector};

use super::super::DrillFile;
use super::vocabulary::{self, Vocabulary};
use super::{Drill, Place, each, label};
use crate::expectation::counts::Counts;
use crate::expectation::series::SeriesExist;
use crate::promql::{self, VARIABLES};
use firedrill_contract::metric::MetricType;
use firedrill_contract::suggest;

impl Drill<'_> {
    pub(super) fn counts(&self, Counts { series, status, .. }: &Counts, place: &mut Place<'_>) {
        status.iter().for_each(|status| label(status, &mut place.at("status")));
        let Some(selector) = self.selector(series.as_deref(), place) else { return };
        let label_key = if status.is_some() { "status" } else { "series" };
        let status = status.as_deref().unwrap_or(DrillFile::STATUS);
        if let Some(known) = self.known(&selector) {
            if !known.labels().any(|label| label == status) {
                let name = known.name();
                place.at(label_key).refuse(format!(
                    "`{name}` has no label `{status}`: set `status` to the label that holds the HTTP status"
                ));
            }
            must_count(known, &mut place.at("series"));
        }
    }

    pub(super) fn series(&self, SeriesExist { series, .. }: &SeriesExist, place: &mut Place<'_>) {
        let mut place = place.at("series");
        if series.0.is_empty() {
            place.refuse("`series` is empty: add at least one selector");
        }
        each(&series.0, &mut place);
        for (n, text) in series.0.iter().enumerate() {
            // One alone may stand without a list, and is then where the list would be.
            let mut place = place.at(n);
            if let Some(known) =
                self.read_selector(text, &mut place).and_then(|selector| self.known(&selector))
            {
                must_count(known, &mut place);
            }
        }
    }

    /// Counters that are added up.
    pub(super) fn counters(&self, text: &str, place: &mut Place<'_>) {
        let Some(selector) = self.read_selector(text, place) else { return };
        let Some(known) = self.known(&selector) else { return };
        let name = known.name();
        if known.is_family_of_histogram() {
            place.refuse(format!(
                "`{name}` is a histogram: use its _count, its _sum, or its _bucket with an le"
            ));
        } else if known.counts() == Err(MetricType::Gauge) {
            place.refuse(format!("`{name}` is a gauge: use a counter"));
        } else if known.is_of_buckets() && !promql::matchers(&selector).any(|matcher| matcher.name == "le") {
            place.refuse(format!(
                "`{name}` without le adds up cumulative buckets: select one, such as le=\"+Inf\""
            ));
        }
    }

    /// The series of a quantile are a histogram.
    pub(super) fn histogram(&self, series: Option<&str>, place: &mut Place<'_>) {
        let Some(selector) = self.selector(series, place) else { return };
        let Some(name) = promql::metric(&selector) else {
            return place
                .at("series")
                .refuse("the selector names no metric: name a histogram, without _bucket");
        };
        if let Some(family) = name.strip_suffix("_bucket") {
            return place.at("series").refuse(format!("drop _bucket: name the histogram, {family}"));
        }
        if self.known(&selector).is_some_and(|known| !known.is_family_of_histogram()) {
            place
                .at("series")
                .refuse(format!("`{name}` is not a histogram: use one such as {}", DrillFile::DURATION));
        }
    }

    /// A selector of the expectation's own; without one, it is about the workload, which must then be known.
    fn selector(&self, own: Option<&str>, place: &mut Place<'_>) -> Option<VectorSelector> {
        if own.is_none() && self.file.workload.is_none() {
            place.refuse("the drill has no `workload` and this no `series`: add one, or the traffic of others is judged too");
        }
        self.read_selector(own?, &mut place.at("series"))
    }

    fn read_selector(&self, text: &str, place: &mut Place<'_>) -> Option<VectorSelector> {
        let expression = self.promql(text, None, place)?;
        match promql::parse_selector(&self.variables(None).expand(text)) {
            Ok(selector) => {
                self.reads_series(&expression, place);
                Some(selector)
            }
            Err(error) => {
                place.refuse(format!("not a selector: {error}"));
                None
            }
        }
    }

    /// The expression with its variables replaced.
    pub(super) fn promql(&self, text: &str, during: Option<&str>, place: &mut Place<'_>) -> Option<Expr> {
        let variables = self.variables(during);
        let unset: Vec<_> = variables.unset(text).collect();
        for variable in &unset {
            place.refuse_name(variable, unset_variable(variable));
        }
        if !unset.is_empty() {
            return None;
        }
        let read = promql::parse(&variables.expand(text));
        read.map_err(|error| place.refuse(format!("invalid PromQL: {}", one_line(&error)))).ok()
    }

    /// Whether an expression reads any series. Those that cannot exist are refused.
    pub(super) fn reads_series(&self, expression: &Expr, place: &mut Place<'_>) -> bool {
        let mut vocabulary =
            Vocabulary { ours: self.ours, job: self.file.job.as_deref(), problems: Vec::new(), reads: false };
        vocabulary.labels(expression);
        vocabulary.problems.iter().for_each(|(name, message)| place.refuse_name(name, message));
        vocabulary.reads
    }

    fn known(&self, selector: &VectorSelector) -> Option<vocabulary::Known> {
        let vocabulary =
            Vocabulary { ours: self.ours, job: self.file.job.as_deref(), problems: Vec::new(), reads: false };
        vocabulary.known(selector)
    }
}

fn must_count(known: vocabulary::Known, place: &mut Place<'_>) {
    let name = known.name();
    match known.counts() {
        Ok(()) => {}
        Err(MetricType::Histogram) => {
            place.refuse(format!("`{name}` does not count requests: use the histogram's _count"))
        }
        Err(MetricType::Gauge | MetricType::Counter) => {
            place.refuse(format!("`{name}` is a gauge: use a counter"))
        }
    }
}

fn unset_variable(written: &str) -> String {
    let name = written.trim_matches(['$', '{', '}']);
    match name {
        "workload" | "job" if !written.contains('{') => {
            format!("`{written}` is not set: add the key `{name}` beside `phases`")
        }
        _ => {
            let suggestion = suggest(&format!("${name}"), VARIABLES);
            format!("unknown variable `{written}`: {suggestion}")
        }
    }
}

/// The parser's errors as one line.
fn one_line(error: &str) -> String {
    error.split_whitespace().collect::<Vec<_>>().join(" ")
}
