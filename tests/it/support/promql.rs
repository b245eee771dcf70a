//! Which metrics a PromQL expression reads: just enough of the grammar for the expressions of this repository.
//!
//! Whether an expression is right is for Prometheus to say, which evaluates each of them in the test of the stack.

use std::collections::BTreeSet;

/// Words that stand where a metric's name can stand.
const OPERATORS: [&str; 7] = ["and", "or", "unless", "bool", "offset", "inf", "nan"];
/// Words whose parentheses hold the names of labels.
const GROUPINGS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// The names of all metrics that are selected.
pub(crate) fn metrics(expression: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        if is_of_a_name(first) && !first.is_ascii_digit() {
            let end = rest.find(|c| !is_of_a_name(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            rest = rest[end..].trim_start();
            if GROUPINGS.contains(&word) {
                rest = rest.strip_prefix('(').map_or(rest, |labels| after(labels, ')'));
            } else if !is_function(rest) && !OPERATORS.contains(&word.to_lowercase().as_str()) {
                names.insert(word.to_owned());
            }
        } else {
            let next = &rest[first.len_utf8()..];
            rest = match first {
                '"' | '\'' => after(next, first),
                '{' => after_matchers(next),
                '[' => after(next, ']'),
                // A number's unit or exponent is no name.
                digit if digit.is_ascii_digit() => {
                    next.trim_start_matches(|c: char| c.is_alphanumeric() || c == '.')
                }
                _ => next,
            };
        }
    }
    names
}

/// Whether what precedes this is a function or an aggregation, not a metric.
fn is_function(rest: &str) -> bool {
    ["(", "by ", "by(", "without ", "without("].iter().any(|next| rest.starts_with(next))
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

fn after(text: &str, end: char) -> &str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

/// What follows the matchers, whose values may hold braces.
fn after_matchers(mut text: &str) -> &str {
    while let Some(at) = text.find(['}', '"']) {
        let rest = &text[at + 1..];
        if text[at..].starts_with('}') {
            return rest;
        }
        text = after(rest, '"');
    }
    ""
}

#[test]
fn the_metrics_of_an_expression_are_found() {
    for (expression, names) in [
        ("up", vec!["up"]),
        (
            "sum by (job, le) (rate(a_total{job=\"$job\",b=~\"x{2}|}\"}[$__rate_interval])) / on (job) c{} > 0.5e3",
            vec!["a_total", "c"],
        ),
        (
            "histogram_quantile(0.99, sum(rate(h[5m] offset 1h))) or vector(0) and a:b:c unless on () d",
            vec!["a:b:c", "d", "h"],
        ),
        ("label_replace(0 * sum(e), \"error_type\", \"500\", \"\", \"\")", vec!["e"]),
        ("count(f) without (g) * ignoring(h) group_left(i) j", vec!["f", "j"]),
        ("time() - k == bool 1", vec!["k"]),
    ] {
        assert_eq!(metrics(expression).iter().map(String::as_str).collect::<Vec<_>>(), names, "{expression}");
    }
}
