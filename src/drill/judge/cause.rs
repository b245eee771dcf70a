//! Names the thing that made an expression give what it gave.

use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::Expr;

use crate::contract::quantity::format_duration;
use crate::drill::evidence::{Comparison, Explained, Selector};
use crate::drill::promql;

use super::case::Case;
use super::truth::rounded;
use super::verdict::Finding;

/// One reason, the likeliest kind first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// There is no such metric.
    Metric(String),
    /// There is, but no series of it has this label.
    Label(String),
    /// It has, but with other values.
    Value(String),
    /// Each matcher matches something, and nothing matches all of them.
    Combination(String),
    /// A range is too short for the scrapes.
    Window(String),
    /// A comparison was never true.
    Comparison(String),
}

impl Cause {
    pub(super) fn says(&self) -> &str {
        match self {
            Self::Metric(says)
            | Self::Label(says)
            | Self::Value(says)
            | Self::Combination(says)
            | Self::Window(says)
            | Self::Comparison(says) => says,
        }
    }
}

/// Every reason that the evidence has for what the expression gave, the likeliest first.
pub(super) fn of(case: &Case<'_>, expression: &str) -> Vec<Cause> {
    let interval = case.scrape_interval();
    let mut causes: Vec<_> =
        case.explained(expression).into_iter().flat_map(|explained| in_one(explained, interval)).collect();
    causes.sort();
    causes.dedup();
    causes
}

/// The finding that monitoring lied, with the likeliest cause in its line and the others below.
pub(super) fn blame(what: &str, causes: Vec<Cause>) -> Finding {
    let mut causes = causes.into_iter();
    let says = causes.next().map_or_else(|| what.to_owned(), |first| format!("{what}: {}", first.says()));
    Finding::lied(says).with(causes.map(|cause| format!("also: {}", cause.says())))
}

fn in_one(explained: &Explained, interval: Duration) -> Vec<Cause> {
    let of_rule = explained
        .records
        .as_ref()
        .map(|name| format!(" (in the rule that records {name})"))
        .unwrap_or_default();
    let mut causes: Vec<Cause> = Vec::new();
    for selector in &explained.selectors {
        if selector.selected == 0 {
            causes.extend(of_selector(selector, &of_rule));
        } else if let Some(range) = selector.range_ms.map(Duration::from_millis)
            && range < interval * 2
        {
            let (range, interval) = (format_duration(range), format_duration(interval));
            causes.push(Cause::Window(format!(
                "{} looks back {range}, which holds fewer than two scrapes: they are {interval} apart{of_rule}",
                selector.selector
            )));
        }
    }
    causes.extend(explained.comparisons.iter().filter_map(|comparison| of_comparison(comparison, &of_rule)));
    causes
}

/// Why a selector selects nothing.
fn of_selector(selector: &Selector, of_rule: &str) -> Option<Cause> {
    let metric = selector.metric.as_deref().unwrap_or_default();
    if selector.values.is_empty() {
        let nearest =
            selector.nearest.first().map(|name| format!("; the nearest is {name}")).unwrap_or_default();
        return Some(Cause::Metric(format!("Prometheus has no metric {metric}{nearest}{of_rule}")));
    }
    let matchers = matchers(&selector.selector)?;
    let causes = matchers.iter().filter_map(|matcher| of_matcher(matcher, selector, metric, of_rule));
    Some(causes.min().unwrap_or_else(|| {
        Cause::Combination(format!("nothing matches all of {}{of_rule}", selector.selector))
    }))
}

/// Why one matcher alone matches nothing, where it does.
fn of_matcher(matcher: &Matcher, selector: &Selector, metric: &str, of_rule: &str) -> Option<Cause> {
    let Matcher { op, name, value } = matcher;
    if name == "__name__" {
        return None;
    }
    let Some(values) = selector.values.get(name) else {
        // A label that is missing is an empty one, which such a matcher may well ask for.
        if matches(op, value, "") {
            return None;
        }
        let nearest = nearest(name, selector.values.keys());
        let nearest = nearest.map(|label| format!("; the nearest is {label:?}")).unwrap_or_default();
        return Some(Cause::Label(format!(
            "{name}{op}{value:?} matches nothing: no series of {metric} has the label {name:?}{nearest}{of_rule}"
        )));
    };
    if values.iter().any(|found| matches(op, value, found)) || matches(op, value, "") {
        return None;
    }
    let nearest = nearest(value, values.iter());
    let nearest = nearest.map(|found| format!(", the nearest value is {found:?}")).unwrap_or_default();
    Some(Cause::Value(format!("{name}{op}{value:?} matches nothing{nearest}{of_rule}")))
}

fn matches(op: &MatchOp, value: &str, found: &str) -> bool {
    match op {
        MatchOp::Equal => value == found,
        MatchOp::NotEqual => value != found,
        MatchOp::Re(regex) => regex.is_match(found),
        MatchOp::NotRe(regex) => !regex.is_match(found),
    }
}

/// The matchers of a selector, with or without a range.
fn matchers(selector: &str) -> Option<Vec<Matcher>> {
    match promql::parse(selector).ok()? {
        Expr::VectorSelector(vector) => Some(vector.matchers.matchers),
        Expr::MatrixSelector(matrix) => Some(matrix.vs.matchers.matchers),
        _ => None,
    }
}

/// The name that is most like this one, if any is like it at all.
pub(super) fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    among
        .map(|other| (strsim::jaro_winkler(name, other), other.as_str()))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// Why a comparison was never true, where it never was.
fn of_comparison(comparison: &Comparison, of_rule: &str) -> Option<Cause> {
    let Comparison { left, operator, right, left_was, right_was } = comparison;
    let right_was = right_was.as_ref()?;
    let Some(left_was) = left_was else {
        return Some(Cause::Comparison(format!("{left} had no value to compare with {right}{of_rule}")));
    };
    let ever = match operator.as_str() {
        ">" => left_was.most > right_was.least,
        ">=" => left_was.most >= right_was.least,
        "<" => left_was.least < right_was.most,
        "<=" => left_was.least <= right_was.most,
        _ => true,
    };
    (!ever).then(|| {
        let (least, most) = (rounded(left_was.least), rounded(left_was.most));
        let was = if least == most { least } else { format!("between {least} and {most}") };
        Cause::Comparison(format!("{left} was {was}, never {operator} {right}{of_rule}"))
    })
}
