//! From text to a drill file, with errors that say where.

use std::fmt;

use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, Location, Options};

use super::DrillFile;
use super::position::Positions;
use super::wording;

/// The largest drill file, in bytes. The longest that ships is a hundredth of it.
pub const LARGEST: usize = 1 << 20;

/// A place in a file: the keys and positions that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value of this key.
    Key(String),
    /// The element of this position, from 0.
    Element(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(element: usize) -> Self {
        Self::Element(element)
    }
}

/// Something that contradicts itself in a file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Vec<Step>,
    /// What was found and what would be right.
    pub message: String,
}

/// A file that cannot be used, or one reason why. Displays as `line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The line, from 1.
    pub line: u64,
    /// The column, in characters from 1.
    pub column: u64,
    /// What was found and what would be right.
    pub message: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Misread {}

impl Misread {
    pub(super) fn at(location: Location, message: impl Into<String>) -> Self {
        // Where the parser does not know, it is the file as a whole.
        Self { line: location.line().max(1), column: location.column().max(1), message: message.into() }
    }

    pub(super) fn of(error: &Error, yaml: &str) -> Self {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        Self::at(location, wording::of(error, yaml))
    }
}

impl DrillFile {
    /// Reads a drill file: YAML 1.2, one document of at most [`LARGEST`] bytes.
    ///
    /// # Errors
    /// When it is too large, no YAML or no drill file, at the first place where it is not. What
    /// contradicts itself is read all the same, and found by [`problems`](super::check::problems).
    pub fn read(yaml: &str) -> Result<Self, Misread> {
        // The parser counts the mark of the byte order as a column.
        let yaml = yaml.strip_prefix('\u{feff}').unwrap_or(yaml);
        if yaml.len() > LARGEST {
            return Err(Misread::at(Location::UNKNOWN, "found a file of more than 1 MiB, expected a drill"));
        }
        let positions = Positions::of(yaml)?;
        positions.refuse_nothing()?;
        serde_saphyr::from_str_with_options(yaml, options()).map_err(|error| Misread::of(&error, yaml))
    }
}

/// Where each of these problems is in the text that the file was read from. One that is about something
/// that is not there is where it would be: at the innermost place on the way to it that exists.
#[must_use]
pub fn locate(yaml: &str, problems: Vec<Problem>) -> Vec<Misread> {
    let positions = Positions::of(yaml.strip_prefix('\u{feff}').unwrap_or(yaml));
    let located = problems.into_iter().map(|Problem { place, message }| {
        let location = positions.as_ref().map_or(Location::UNKNOWN, |positions| positions.at(&place));
        Misread::at(location, message)
    });
    located.collect()
}

/// What a drill file may hold, far above what any needs: nothing in it can take much time or memory.
pub(super) fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_events: 50_000,
        max_nodes: 50_000,
        max_aliases: 1_000,
        max_anchors: 1_000,
        max_recorded_anchor_events: 50_000,
        max_depth: 32,
        flow_nesting_limit: 32,
        max_documents: 2,
        max_merge_keys: 1_000,
    };
    serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 50_000, max_replay_stack_depth: 16 },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        // Lines of the file could hold what should not be shown.
        with_snippet: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name: x\nphases: { calm: { for: 1s, rate: 1/s, work: {} } }\n";

    fn misread(yaml: &str) -> String {
        DrillFile::read(yaml).unwrap_err().to_string()
    }

    #[test]
    fn an_error_is_where_the_wrong_value_is() {
        for (rest, message) in [
            (
                "expect:\n  - query: up\n    equals: many\n",
                "5:13: found \"many\", expected a number, or one of",
            ),
            (
                "expect:\n  - alert: A\n    fires: { during: calm, within: soon }\n",
                "5:36: found \"soon\", expected",
            ),
            (
                "expect:\n  - alert: A\n    fires: calm\n",
                "5:12: found no keys with values, expected { during: PHASE",
            ),
            ("expect:\n  - query: up\n    between: [1]\n", "5:5: found 1, expected two"),
            (
                "expect:\n  - countz: all phases\n",
                "4:5: no expectation begins with \"countz\": did you mean \"counts\"?",
            ),
            (
                "expect:\n  - during: calm\n    query: up\n",
                "4:5: no expectation begins with \"during\": expected one of counts, ",
            ),
            ("expcet: []\n", "3:1: there is no key \"expcet\" here: did you mean \"expect\"?"),
            ("seed: -1\nexpect: []\n", "3:7: expected a whole number from 0 on"),
            ("about:\nexpect: []\n", "3:1: found \"about\" without a value"),
            ("expect: [~]\n", "3:10: found an element without a value"),
        ] {
            let found = misread(&format!("{HEAD}{rest}"));
            assert!(found.starts_with(message), "{rest}\n{found}\n{message}");
        }
    }

    #[test]
    fn a_text_that_stands_in_the_wrong_place_is_not_shown() {
        let yaml = format!("{HEAD}expect:\n  - alert: A\n    annotations: hunter2\n");
        assert!(!misread(&yaml).contains("hunter2"));
        let phase = "request: { path: /, headers: Bearer hunter2 }";
        assert_eq!(
            misread(&format!("name: x\nphases:\n  calm: {{ for: 1s, {phase} }}\nexpect: []\n")),
            "3:49: found no keys with values, expected header fields such as { Accept: text/html }"
        );
    }

    #[test]
    fn a_text_that_is_too_long_to_be_a_value_is_cut() {
        let yaml = format!("{HEAD}expect:\n  - query: up\n    equals: {}\n", "x".repeat(10_000));
        assert!(misread(&yaml).len() < 400, "{}", misread(&yaml));
    }

    #[test]
    fn the_mark_of_the_byte_order_and_letters_of_several_bytes_move_nothing() {
        assert_eq!(misread("\u{feff}nmae: x\n"), misread("nmae: x\n"));
        assert!(
            misread("name: x\nabout: { ü: 1 }\n").starts_with("2:8: "),
            "{}",
            misread("name: x\nabout: { ü: 1 }\n")
        );
        assert!(misread("{ about: ü, nmae: x }").starts_with("1:13: "));
    }

    #[test]
    fn what_would_unfold_without_end_is_refused_soon() {
        let laughs = (1..30).map(|n| format!("  - &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", ")));
        let bomb = format!("{HEAD}expect:\n  - &a0 [x]\n{}", laughs.collect::<String>());
        assert!(
            misread(&bomb).contains("more values, nesting or aliases than any drill has"),
            "{}",
            misread(&bomb)
        );
        let deep = format!("{HEAD}expect: {}\n", "[".repeat(1_000));
        assert!(
            misread(&deep).contains("more values, nesting or aliases than any drill has"),
            "{}",
            misread(&deep)
        );
        let large = format!("{HEAD}expect: []\n{}", "#".repeat(LARGEST));
        assert!(
            misread(&large) == "1:1: found a file of more than 1 MiB, expected a drill",
            "{}",
            misread(&large)
        );
    }

    #[test]
    fn a_place_is_found_again_or_what_is_nearest_to_it() {
        let yaml = "name: x\nphases:\n  calm: &calm { for: 1s }\n  hot:\n    <<: *calm\n    rate: 2/s\nexpect:\n  - query: |\n      up\n    equals: 1\n";
        let place = |steps: &[Step]| {
            let problem = Problem { place: steps.to_vec(), message: String::new() };
            let Misread { line, column, .. } = locate(yaml, vec![problem]).remove(0);
            (line, column)
        };
        assert_eq!(place(&[]), (1, 1));
        assert_eq!(place(&["phases".into(), "hot".into(), "rate".into()]), (6, 11));
        assert_eq!(place(&["phases".into(), "hot".into(), "for".into()]), (5, 9));
        assert_eq!(place(&["expect".into(), 0.into(), "equals".into()]), (10, 13));
        assert_eq!(place(&["expect".into(), 0.into(), "within".into()]), (8, 5));
        assert_eq!(place(&["expect".into(), 7.into()]), (8, 3));
    }
}
