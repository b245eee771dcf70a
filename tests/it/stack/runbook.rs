//! The commands that a runbook in docs/runbooks shows.

use crate::support::repository;

/// What causes an alert, and what ends it where that takes a command.
#[derive(Debug, PartialEq)]
pub(super) struct Runbook {
    pub(super) cause: String,
    pub(super) end: Option<String>,
}

impl Runbook {
    /// The runbook of this alert.
    pub(super) fn of(alert: &str) -> Self {
        let path = format!("docs/runbooks/{alert}.md");
        Self::parse(&repository::read(&path)).unwrap_or_else(|| panic!("{path}: no ```sh cause"))
    }

    fn parse(text: &str) -> Option<Self> {
        let block = |kind: &str| {
            let (_, after) = text.split_once(&format!("\n```sh {kind}\n"))?;
            after.split_once("\n```").map(|(lines, _)| lines.to_owned())
        };
        Some(Self { cause: block("cause")?, end: block("end") })
    }
}

#[test]
fn what_causes_and_ends_an_alert_is_found() {
    let text = "# A\n\n```sh cause\nfirst\nsecond\n```\n\n```sh end\nthird\n```\n";
    let runbook = Runbook { cause: "first\nsecond".to_owned(), end: Some("third".to_owned()) };
    assert_eq!(Runbook::parse(text), Some(runbook));
    assert_eq!(Runbook::parse("# A\n\n```sh\nfirst\n```\n"), None);
}
