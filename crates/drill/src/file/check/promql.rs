//! PromQL in a drill: that it can be read, and that what it selects exists.

use promql_parser::parser::{Expr, VectorSelector};

use super::context::FileContext;
use super::vocabulary::{self, Vocabulary};
use crate::file::place::Place;
use crate::promql::{self, VARIABLES};
use firedrill_contract::metric::MetricType;
use firedrill_contract::suggest;

impl FileContext<'_> {
    /// A selector of the expectation's own; without one, it is about the workload, which must then be known.
    pub(crate) fn selector(&self, own: Option<&str>, place: &mut Place<'_>) -> Option<VectorSelector> {
        if own.is_none() && self.workload.is_none() {
            place.refuse("the drill has no `workload` and this no `series`: add one, or the traffic of others is judged too");
        }
        self.read_selector(own?, &mut place.at("series"))
    }

    pub(crate) fn read_selector(&self, text: &str, place: &mut Place<'_>) -> Option<VectorSelector> {
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
    pub(crate) fn promql(&self, text: &str, during: Option<&str>, place: &mut Place<'_>) -> Option<Expr> {
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
    pub(crate) fn reads_series(&self, expression: &Expr, place: &mut Place<'_>) -> bool {
        let mut vocabulary =
            Vocabulary { ours: self.ours, job: self.job, problems: Vec::new(), reads: false };
        vocabulary.labels(expression);
        vocabulary.problems.iter().for_each(|(name, message)| place.refuse_name(name, message));
        vocabulary.reads
    }

    pub(crate) fn known(&self, selector: &VectorSelector) -> Option<vocabulary::Known> {
        let vocabulary = Vocabulary { ours: self.ours, job: self.job, problems: Vec::new(), reads: false };
        vocabulary.known(selector)
    }
}

pub(crate) fn must_count(known: vocabulary::Known, place: &mut Place<'_>) {
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
