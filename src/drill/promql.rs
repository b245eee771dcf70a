//! PromQL as a drill writes it: with the drill's own variables.

use std::time::Duration;

use promql_parser::parser::{self, Expr};

use crate::contract::quantity::format_duration;

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

impl Variables<'_> {
    /// The query with its variables replaced. One that the drill does not set stays, and is then no PromQL.
    #[must_use]
    pub fn expand(&self, query: &str) -> String {
        // PromQL takes whole units alone, and several of them: 1m30s is 90s, 1.5s is 1500ms.
        let phase = match self.phase.subsec_millis() {
            0 => format_duration(Duration::from_secs(self.phase.as_secs())),
            _ => format!("{}ms", self.phase.as_millis()),
        };
        let known = [("$phase", Some(phase.as_str())), ("$workload", self.workload), ("$job", self.job)];
        known.iter().fold(query.to_owned(), |query, (name, value)| match value {
            Some(value) => query.replace(name, value),
            None => query,
        })
    }
}

/// Reads an expression.
///
/// # Errors
/// What the parser says.
pub fn parse(query: &str) -> Result<Expr, String> {
    parser::parse(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stand_for_what_the_drill_says() {
        let variables =
            Variables { phase: Duration::from_millis(90_000), workload: Some("drill"), job: None };
        let query = r#"rate(x{workload="$workload"}[$phase])"#;
        assert_eq!(variables.expand(query), r#"rate(x{workload="drill"}[90s])"#);
        let short = Variables { phase: Duration::from_millis(1_500), ..variables };
        assert_eq!(short.expand("rate(x[$phase])"), "rate(x[1500ms])");
        assert!(parse(&variables.expand("x{job=$job}")).is_err());
    }
}
