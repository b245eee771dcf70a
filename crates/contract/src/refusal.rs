//! Why a request is not taken, in words that are safe to show and to log.

use std::fmt;

use super::parameter::{PARAMETERS, Parameter};

/// A request that `/work` does not take, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: got {got}, expected {expected}")]
pub struct Refusal {
    /// The name that was refused, as it was given.
    pub parameter: String,
    /// What it was given.
    pub got: String,
    /// What would have been right.
    pub expected: String,
}

impl Refusal {
    /// Of a value that a parameter was given.
    pub(super) fn new(parameter: &str, got: &str, expected: impl fmt::Display) -> Self {
        Self { parameter: quoted(parameter), got: quoted(got), expected: expected.to_string() }
    }

    /// Of a name that does not exist; the nearest one that does is named.
    pub(super) fn unknown(name: &str, got: &str) -> Self {
        let expected = match Parameter::nearest(name) {
            Some(nearest) => format!("a parameter that exists: did you mean {nearest}?"),
            None => {
                let names = PARAMETERS.map(|parameter| parameter.name);
                format!("one of the parameters {}", names.join(", "))
            }
        };
        Self::new(name, got, expected)
    }
}

/// What somebody sent or wrote, short and without control characters, fit to be shown and logged.
#[must_use]
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 64;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
