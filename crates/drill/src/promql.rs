//! PromQL as a drill writes it: with the drill's own variables.

use std::time::Duration;

use promql_parser::label::{METRIC_NAME, MatchOp, Matcher};
use promql_parser::parser::{self, Expr, VectorSelector};

use firedrill_contract::quantity::format_duration;

/// What the variables of a drill's queries stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variables<'a> {
    /// `$phase`: a length of time, as PromQL writes it.
    pub phase: Duration,
    /// `$workload`.
    pub workload: Option<&'a str>,
    /// `$job`.
    pub job: Option<&'a str>,
}

/// The variables that there are.
pub const VARIABLES: [&str; 3] = ["$phase", "$workload", "$job"];

impl Variables<'_> {
    /// The query with its variables replaced. One that the drill does not set stays, and is then no PromQL.
    #[must_use]
    pub fn expand(&self, query: &str) -> String {
        let mut expanded = String::with_capacity(query.len());
        for part in parts(query) {
            match part {
                Part::Variable { name, written } => {
                    expanded.push_str(&self.value(name).unwrap_or_else(|| written.to_owned()))
                }
                Part::Text(text) => expanded.push_str(text),
            }
        }
        expanded
    }

    /// The variables of a query that the drill does not set, or that do not exist, as they are written there.
    pub fn unset<'q>(&self, query: &'q str) -> impl Iterator<Item = &'q str> {
        parts(query).filter_map(|part| match part {
            Part::Variable { name, written } if self.value(name).is_none() => Some(written),
            Part::Variable { .. } | Part::Text(_) => None,
        })
    }

    fn value(&self, name: &str) -> Option<String> {
        match name {
            // PromQL takes whole units alone, and several of them: 1m30s is 90s, 1.5s is 1500ms.
            "phase" => Some(match self.phase.subsec_millis() {
                0 => format_duration(Duration::from_secs(self.phase.as_secs())),
                _ => format!("{}ms", self.phase.as_millis()),
            }),
            "workload" => self.workload.map(str::to_owned),
            "job" => self.job.map(str::to_owned),
            _ => None,
        }
    }
}

/// A piece of a query.
enum Part<'a> {
    Text(&'a str),
    /// `$name`, or `${name}`, which other programs take and a drill does not.
    Variable {
        name: &'a str,
        written: &'a str,
    },
}

/// A query, cut where its variables begin and end. A dollar sign alone, as in `=~"5..$"` or the `$1` of
/// `label_replace`, is text.
fn parts(query: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = query;
    std::iter::from_fn(move || {
        let (part, next) = match variable(rest) {
            Some((name, length)) => (Part::Variable { name, written: &rest[..length] }, &rest[length..]),
            None => {
                let first = rest.chars().next()?;
                let begin = first.len_utf8();
                let end = rest[begin..].find('$').map_or(rest.len(), |at| begin + at);
                (Part::Text(&rest[..end]), &rest[end..])
            }
        };
        rest = next;
        Some(part)
    })
}

/// The variable that a text begins with: its name, and how long it is written.
fn variable(text: &str) -> Option<(&str, usize)> {
    let after = text.strip_prefix('$')?;
    if let Some((name, _)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) {
        // Replacements of regular expressions are written so too: ${1}.
        return is_name(name).then_some(("", name.len() + 3));
    }
    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
    let name = &after[..end];
    is_name(name).then_some((name, end + 1))
}

/// Whether this can be the name of a label, or of a variable.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

/// How many parts of an expression may stand in one another: far more than anybody reads, and few enough for
/// those that follow them one call deeper each.
const DEEPEST: usize = 500;

/// Reads an expression.
///
/// # Errors
/// What the parser says, or that the expression is nested too deeply.
pub fn parse(query: &str) -> Result<Expr, String> {
    let most = nesting(query);
    if most > DEEPEST {
        return Err(format!("{most} operators and brackets, at most {DEEPEST} are allowed: simplify it"));
    }
    parser::parse(query)
}

/// At most so many parts stand in one another: each needs an operator or an opening bracket, and what is in quotation
/// marks has none.
fn nesting(query: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    let symbols = query.bytes().filter(|byte| match quote {
        Some(mark) => {
            if *byte == mark && !escaped {
                quote = None;
            }
            escaped = *byte == b'\\' && !escaped && mark != b'`';
            false
        }
        None => {
            quote = Some(*byte).filter(|byte| b"\"'`".contains(byte));
            b"(+-*/%^<>=!".contains(byte)
        }
    });
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let operators = ["and", "or", "unless", "atan2"];
    symbols.count() + words.filter(|word| operators.contains(&word.to_ascii_lowercase().as_str())).count()
}

/// Reads a selector of series: `up{job="shop"}`, without a range, an offset or anything around it.
///
/// # Errors
/// What the parser says, or that it is another expression.
pub fn parse_selector(text: &str) -> Result<VectorSelector, String> {
    match parse(text)? {
        Expr::VectorSelector(selector) if selector.offset.is_none() && selector.at.is_none() => Ok(selector),
        _ => Err("expected series alone, such as up{job=\"shop\"}".to_owned()),
    }
}

/// The name of the metric that a selector selects, where it says one.
#[must_use]
pub fn metric(selector: &VectorSelector) -> Option<&str> {
    let by_matcher =
        || matchers(selector).find(|matcher| matcher.name == METRIC_NAME && matcher.op == MatchOp::Equal);
    selector.name.as_deref().or_else(|| by_matcher().map(|matcher| matcher.value.as_str()))
}

/// The matchers of a selector, of all its alternatives.
pub fn matchers(selector: &VectorSelector) -> impl Iterator<Item = &Matcher> {
    let VectorSelector { matchers, .. } = selector;
    matchers.matchers.iter().chain(matchers.or_matchers.iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRILL: Variables<'_> =
        Variables { phase: Duration::from_secs(90), workload: Some("drill"), job: None };

    #[test]
    fn variables_stand_for_what_the_drill_says() {
        let query = r#"rate(x{workload="$workload"}[$phase])"#;
        assert_eq!(DRILL.expand(query), r#"rate(x{workload="drill"}[90s])"#);
        let short = Variables { phase: Duration::from_millis(1_500), ..DRILL };
        assert_eq!(short.expand("rate(x[$phase])"), "rate(x[1500ms])");
        assert!(parse(&DRILL.expand("x{job=$job}")).is_err());
    }

    #[test]
    fn a_variable_that_is_not_set_is_told_and_a_dollar_sign_is_not() {
        let query = r#"label_replace(x{a=~"5..$",b="$job",c="$workloads",d="${job}"}[$phase], "ü", "$1${1}", "$", "")"#;
        assert_eq!(DRILL.unset(query).collect::<Vec<_>>(), ["$job", "$workloads", "${job}"]);
        assert_eq!(DRILL.expand(query), query.replace("$phase", "90s"));
    }

    #[test]
    fn an_expression_that_nests_without_end_is_refused() {
        let deep = 100_000;
        for query in [
            format!("{}1{}", "(".repeat(deep), ")".repeat(deep)),
            format!("{}1", "-".repeat(deep)),
            format!("1{}", " + 1".repeat(deep)),
            format!("a{}", " or a".repeat(deep)),
            format!("{}a{}", "abs(".repeat(deep), ")".repeat(deep)),
        ] {
            assert!(parse(&query).unwrap_err().contains("at most 500 are allowed"));
        }
        // So much is no reason, and what is quoted is not counted.
        assert!(parse(&format!("1{}", " + 1".repeat(499))).is_ok());
        assert!(parse(&format!("a{{b=~\"{}\\\"-or-\"}}", "-".repeat(1_000))).is_ok());
    }

    #[test]
    fn a_selector_is_series_and_nothing_around_them() {
        assert_eq!(metric(&parse_selector(r#"up{job="a"}"#).unwrap()), Some("up"));
        assert_eq!(metric(&parse_selector(r#"{__name__="up"}"#).unwrap()), Some("up"));
        assert_eq!(metric(&parse_selector(r#"{job="a"}"#).unwrap()), None);
        for other in ["up[1m]", "rate(up[1m])", "up offset 1m", "up @ 7", "1", "up{"] {
            assert!(parse_selector(other).is_err(), "{other}");
        }
    }
}
