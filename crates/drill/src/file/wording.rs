//! What the parser found, in words for who wrote the file: one line, without anything of the file that
//! could be a secret.

use serde_saphyr::{Error, Location, MessageFormatter as _, UserMessageFormatter};

use super::position::Positions;
use super::read::Step;
use crate::expectation::Expectation;
use firedrill_contract::{nearest, quoted};

/// One line about an error in this text.
pub(super) fn of(error: &Error, yaml: &str) -> String {
    match error {
        Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => of(error, yaml),
        Error::Message { msg, .. } | Error::SerdeVariantId { msg, .. } => msg.clone(),
        Error::ExternalMessage { msg, .. } if msg.contains("recursion limit") => TOO_MUCH.to_owned(),
        Error::ExternalMessage { msg, .. } => format!("found no YAML: {msg}{}", hint(msg)),
        Error::Eof { .. } => format!("found nothing, expected {DRILL}"),
        Error::MultipleDocuments { .. } => "found a second document, expected one drill a file".to_owned(),
        Error::Unexpected { expected: "mapping start", location } => {
            format!("found no keys with values, expected {}", mapping(yaml, *location))
        }
        Error::Unexpected { expected, .. } => format!("expected {}", sort(expected)),
        Error::NullIntoString { .. } => "found nothing, expected a text".to_owned(),
        Error::InvalidScalar { ty, .. } => format!("expected {}", sort(ty)),
        Error::SerdeInvalidType { unexpected, expected, .. } => {
            format!("found {}, expected {expected}", kind(unexpected))
        }
        Error::SerdeInvalidValue { unexpected, expected, .. } => {
            format!("found {unexpected}, expected {}", sort(expected))
        }
        Error::SerdeInvalidLength { len, expected, .. } => {
            format!(
                "found {}, expected {}",
                if *len == 0 { "none".to_owned() } else { len.to_string() },
                sort(expected)
            )
        }
        Error::SerdeUnknownField { field, expected, .. } if expected[..] == *Expectation::KEYS => {
            format!("no expectation begins with \"{}\": {}", quoted(field), instead(field, expected))
        }
        Error::SerdeUnknownField { field, expected, .. } => {
            format!("there is no key \"{}\" here: {}", quoted(field), instead(field, expected))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            format!("found \"{}\": {}", quoted(variant), instead(variant, expected))
        }
        Error::SerdeMissingField { field, .. } => format!("the key {field:?} is missing"),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key \"{}\" is here twice", quoted(key))
        }
        Error::UnknownAnchor { .. } => {
            "found an alias (*) of nothing: no anchor (&) before it has its name".to_owned()
        }
        Error::UnsupportedTag { tag, .. } => format!("found the tag {tag}, expected none"),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => TOO_MUCH.to_owned(),
        other => UserMessageFormatter.format_message(other).into_owned(),
    }
}

/// What helps against the errors that people make most.
fn hint(message: &str) -> &'static str {
    match message {
        tabs if tabs.contains("tab") => "; expected spaces",
        mapping if mapping.contains("mapping values are not allowed") => {
            "; a text that has a colon and a space in it needs quotes, and the keys that belong together begin in one column"
        }
        _ => "",
    }
}

const TOO_MUCH: &str = "found more values, nesting or aliases than any drill has";
const DRILL: &str = "a drill: the keys name, phases and expect";

/// The right name for a wrong one, or all that there are.
fn instead(found: &str, expected: &[&'static str]) -> String {
    match nearest(found, expected.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest:?}?"),
        None => {
            format!("expected {}{}", if expected.len() > 1 { "one of " } else { "" }, expected.join(", "))
        }
    }
}

/// What keys with values would be right here.
fn mapping(yaml: &str, at: Location) -> &'static str {
    let path = Positions::of(yaml).ok().and_then(|positions| positions.path_to(at)).unwrap_or_default();
    match &path[..] {
        [] => DRILL,
        [Step::Key(phases)] if phases == "phases" => {
            "phases, each under its name, such as calm: { for: 30s, rate: 20/s, work: {} }"
        }
        [Step::Key(phases), _] if phases == "phases" => "a phase such as { for: 30s, rate: 20/s, work: {} }",
        [Step::Key(expect), _] if expect == "expect" => "an expectation such as counts: all phases",
        [.., Step::Key(key)] => match key.as_str() {
            "work" => "parameters of /work such as { latency: 40ms, error_rate: 0.5 }",
            "request" => "a request such as { path: /cart }",
            "headers" => "header fields such as { Accept: text/html }",
            "fires" => "{ during: PHASE, within: 60s }",
            "resolves" => "{ within: 90s }",
            "labels" | "variables" => "names and values such as { workload: drill }",
            _ => "some",
        },
        _ => "some",
    }
}

/// A type's name in plain words.
fn sort(expected: &str) -> &str {
    match expected {
        "string scalar" => "a text",
        "sequence start" => "a list",
        "u64" => "a whole number from 0 on",
        "a nonzero u32" | "u32" => "a whole number from 1 on",
        "floating point" => "a number",
        "a tuple of size 2" => "two",
        other => other,
    }
}

/// What was found, without its text: it could be a secret that stands in the wrong place.
fn kind(unexpected: &str) -> &'static str {
    match unexpected.split([' ', '`']).next().unwrap_or_default() {
        "string" | "character" => "a text",
        "integer" | "floating" => "a number",
        "boolean" => "true or false",
        "sequence" => "a list",
        "map" => "keys with values",
        _ => "something else",
    }
}
