//! Names the thing that made an expression give what it gave.

use std::time::Duration;

use promql_parser::label::Matcher;
use promql_parser::parser::Expr;

use crate::evidence::{Comparison, Explained, Selector};
use crate::promql;
use firedrill_contract::{display, nearest};

use super::case::Case;
use super::verdict::Finding;

/// One reason, the likeliest kind first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// There is no such metric.
    Metric(String),
    /// There is, but no series of it has this label.
    Label(String),
    /// It has, but with other values.
    Value(String),
    /// A range is too short for the scrapes.
    Window(String),
    /// A comparison was never true.
    Comparison(String),
    /// A comparison was true, and most of the time it was not.
    Seldom(String),
    /// Each matcher matches something, and nothing matches all of them, as may well be.
    Combination(String),
    /// A comparison had nothing to compare: mostly what follows from another reason.
    Valueless(String),
    /// A rule recorded nothing: what follows from a reason in that rule.
    Unrecorded(String),
}

impl Cause {
    /// Whether this is mostly what another cause leads to.
    const fn follows(&self) -> bool {
        matches!(self, Self::Valueless(_) | Self::Unrecorded(_))
    }

    pub(crate) fn says(&self) -> &str {
        match self {
            Self::Metric(says)
            | Self::Label(says)
            | Self::Value(says)
            | Self::Window(says)
            | Self::Comparison(says)
            | Self::Seldom(says)
            | Self::Valueless(says)
            | Self::Combination(says)
            | Self::Unrecorded(says) => says,
        }
    }
}

/// Every reason that the evidence has for what the expression gave, the likeliest first.
pub(crate) fn of(case: &Case<'_>, expression: &str) -> Vec<Cause> {
    let explained = case.explained(expression).into_iter();
    let mut causes: Vec<_> = explained.flat_map(|explained| in_one(case, explained)).collect();
    causes.sort();
    causes.dedup();
    // What merely follows is said where there is nothing that it follows from.
    if causes.iter().any(|cause| !cause.follows()) {
        causes.retain(|cause| !cause.follows());
    }
    causes
}

/// How many causes are told: one mistake that is made in many rules is seen in the first of them.
const TOLD: usize = 4;

/// The finding that monitoring lied, with the likeliest cause in its line and the others below.
pub(crate) fn blame(what: &str, causes: Vec<Cause>) -> Finding {
    let mut causes = causes.into_iter();
    let says = causes.next().map_or_else(|| what.to_owned(), |first| format!("{what}: {}", first.says()));
    let more = causes.len().saturating_sub(TOLD - 1);
    let told = causes.take(TOLD - 1).map(|cause| format!("also: {}", cause.says()));
    let more = (more > 0).then(|| format!("and {more} more like these"));
    Finding::fail(says).with(told.chain(more))
}

/// Which ranges of an expression look back longer than this, and so remember what is long over.
pub(crate) fn long_memory(case: &Case<'_>, expression: &str, longest: Duration) -> Vec<String> {
    let of_one = |explained: &Explained| {
        let range = |selector: &Selector| {
            let range = selector.range_ms.map(Duration::from_millis).filter(|range| *range > longest)?;
            let of_rule = of_rule(explained);
            Some(format!("{} looks back {}{of_rule}", selector.selector, display::duration(range)))
        };
        explained.selectors.iter().filter_map(range).collect::<Vec<_>>()
    };
    case.explained(expression).into_iter().flat_map(of_one).collect()
}

/// Where an expression is written, if not in the one that was asked about.
fn of_rule(explained: &Explained) -> String {
    let name = explained.records.as_ref();
    name.map(|name| format!(" (in the rule that records {name})")).unwrap_or_default()
}

fn in_one(case: &Case<'_>, explained: &Explained) -> Vec<Cause> {
    let (of_rule, interval) = (of_rule(explained), case.scrape_interval());
    let mut causes: Vec<Cause> = Vec::new();
    for selector in &explained.selectors {
        if selector.selected == 0 {
            causes.extend(of_selector(case, selector, &of_rule));
        } else if let Some(range) = selector.range_ms.map(Duration::from_millis)
            && range < interval * 2
        {
            let (range, interval) = (display::duration(range), display::duration(interval));
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
fn of_selector(case: &Case<'_>, selector: &Selector, of_rule: &str) -> Option<Cause> {
    let metric = selector.metric.as_deref().unwrap_or_default();
    if selector.values.is_empty() && case.records(metric) {
        return Some(Cause::Unrecorded(format!("the rule that records {metric} gave nothing{of_rule}")));
    }
    if selector.values.is_empty() {
        let nearest =
            selector.nearest.first().map(|name| format!("; the nearest is {name}")).unwrap_or_default();
        return Some(Cause::Metric(format!("Prometheus has no metric {metric}{nearest}{of_rule}")));
    }
    let matchers = matchers(&selector.selector)?;
    let causes = matchers.iter().filter_map(|matcher| of_matcher(matcher, selector, metric, of_rule));
    Some(causes.min().unwrap_or_else(|| {
        let alone = matchers.iter().find_map(|matcher| ruled_out_by(matcher, selector)).unwrap_or_default();
        Cause::Combination(format!("nothing matches all of {}{alone}{of_rule}", selector.selector))
    }))
}

/// That one matcher rules out what all others select, where it does.
fn ruled_out_by(matcher: &Matcher, selector: &Selector) -> Option<String> {
    let values = selector.ruled_out.get(&matcher.name)?;
    let Matcher { op, name, value } = matcher;
    let found = nearest(value, values.iter().map(String::as_str)).or(values.first().map(String::as_str))?;
    Some(format!(", what all else matches does not match {name}{op}{value:?}: the nearest is {found:?}"))
}

/// Why one matcher alone matches nothing, where it does.
fn of_matcher(matcher: &Matcher, selector: &Selector, metric: &str, of_rule: &str) -> Option<Cause> {
    let Matcher { op, name, value } = matcher;
    if name == "__name__" {
        return None;
    }
    let Some(values) = selector.values.get(name) else {
        // A label that is missing is an empty one, which such a matcher may well ask for.
        if matcher.is_match("") {
            return None;
        }
        let nearest = nearest(name, selector.values.keys().map(String::as_str));
        let nearest = nearest.map(|label| format!("; the nearest is {label:?}")).unwrap_or_default();
        return Some(Cause::Label(format!(
            "{name}{op}{value:?} matches nothing: no series of {metric} has the label {name:?}{nearest}{of_rule}"
        )));
    };
    if values.iter().any(|found| matcher.is_match(found)) || matcher.is_match("") {
        return None;
    }
    let nearest = nearest(value, values.iter().map(String::as_str));
    let nearest = nearest.map(|found| format!(", the nearest value is {found:?}")).unwrap_or_default();
    Some(Cause::Value(format!("{name}{op}{value:?} matches nothing{nearest}{of_rule}")))
}

/// The matchers of a selector, with or without a range.
fn matchers(selector: &str) -> Option<Vec<Matcher>> {
    match promql::parse(selector).ok()? {
        Expr::VectorSelector(vector) => Some(vector.matchers.matchers),
        Expr::MatrixSelector(matrix) => Some(matrix.vs.matchers.matchers),
        _ => None,
    }
}

/// Why a comparison was never true or seldom, where that is so.
fn of_comparison(comparison: &Comparison, of_rule: &str) -> Option<Cause> {
    let Comparison { left, operator, right, left_was, right_was, held } = comparison;
    let right_was = right_was.as_ref()?;
    let Some(left_was) = left_was else {
        return Some(Cause::Valueless(format!("{left} had no value to compare with {right}{of_rule}")));
    };
    let ever = match operator.as_str() {
        ">" => left_was.most > right_was.least,
        ">=" => left_was.most >= right_was.least,
        "<" => left_was.least < right_was.most,
        "<=" => left_was.least <= right_was.most,
        _ => true,
    };
    let (least, most) = (display::number(left_was.least), display::number(left_was.most));
    let was = if least == most { least } else { format!("between {least} and {most}") };
    if !ever {
        return Some(Cause::Comparison(format!("{left} was {was}, never {operator} {right}{of_rule}")));
    }
    let share = held.filter(|share| *share < SELDOM)?;
    let percent = display::number((share * 100.0).round());
    Some(Cause::Seldom(format!(
        "{left} was {was}, and {operator} {right} for only {percent} % of the time: is the comparison operator inverted?{of_rule}"
    )))
}

/// A comparison that is true for less than this share of the time in which it should be true is suspicious.
const SELDOM: f64 = 0.5;
