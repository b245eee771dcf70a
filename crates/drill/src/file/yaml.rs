//! YAML as a tree whose values know where they stand in the text.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, Location, MessageFormatter as _, Options, Spanned, UserMessageFormatter};

use super::problem::Problem;
use firedrill_contract::quoted;

/// One step further in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    Key(&'a str),
    /// Counted from 0.
    Element(usize),
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step<'_> {
    fn from(element: usize) -> Self {
        Self::Element(element)
    }
}

/// The largest drill file, in bytes.
pub const LARGEST: usize = 1 << 20;

pub(super) type Node = Spanned<Value>;

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

/// Reads one document in which no key and no element is without a value.
pub(super) fn parse(yaml: &str) -> Result<Node, Problem> {
    if yaml.len() > LARGEST {
        return Err(Problem::new(0..0, "the file is larger than 1 MiB: a drill needs a hundredth of that"));
    }
    let root: Node = serde_saphyr::from_str_with_options(yaml, options()).map_err(|error| {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        Problem::new(bytes(yaml, location), message(&error))
    })?;
    match root.value {
        Value::Null => {
            Err(Problem::new(0..0, "the file is empty: a drill needs the keys `name`, `phases` and `expect`"))
        }
        _ => refuse_null(&root).map(|()| root),
    }
}

/// Which bytes of the text a value is, or its alias.
pub(super) fn location(node: &Node) -> Range<usize> {
    range(node.referenced).unwrap_or_default()
}

/// The text of a scalar as it stands in the file, without the quotes of a string.
pub(super) fn text<'a>(yaml: &'a str, node: &'a Node) -> &'a str {
    match &node.value {
        Value::Text(text) => text,
        _ => range(node.defined).and_then(|range| yaml.get(range)).unwrap_or_default(),
    }
}

/// A scalar without quotes, read as the type that is wanted.
pub(super) fn scalar<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_saphyr::from_str_with_options(text, serde_saphyr::options! { strict_booleans: true }).ok()
}

pub(super) fn child<'a>(node: &'a Node, step: Step<'_>) -> Option<&'a Node> {
    match (&node.value, step) {
        (Value::Map(entries), Step::Key(wanted)) => {
            entries.iter().find_map(|(key, value)| (key.value == wanted).then_some(value))
        }
        (Value::List(elements), Step::Element(n)) => elements.get(n),
        _ => None,
    }
}

pub(super) fn range(location: Location) -> Option<Range<usize>> {
    let span = location.span();
    let (start, length) = (span.byte_offset()?, span.byte_len()?);
    Some(usize::try_from(start).ok()?..usize::try_from(start + length).ok()?)
}

/// Errors of the scanner have a place in characters alone.
fn bytes(yaml: &str, location: Location) -> Range<usize> {
    range(location).unwrap_or_else(|| {
        let offset = |n: u64| {
            let n = usize::try_from(n).unwrap_or(usize::MAX);
            yaml.char_indices().nth(n).map_or(yaml.len(), |(offset, _)| offset)
        };
        let span = location.span();
        offset(span.offset())..offset(span.offset() + span.len())
    })
}

/// A key without a value reads as if it were left out, which nobody means who writes it.
fn refuse_null(within: &Node) -> Result<(), Problem> {
    match &within.value {
        Value::List(elements) => elements.iter().try_for_each(|element| match element.value {
            Value::Null => {
                Err(Problem::new(location(element), "this element is empty: give it a value, or remove it"))
            }
            _ => refuse_null(element),
        }),
        Value::Map(entries) => entries.iter().try_for_each(|(key, value)| match value.value {
            Value::Null => Err(Problem::new(
                range(key.referenced).unwrap_or_default(),
                format!("`{}` has no value: give it one, or remove the key", quoted(&key.value)),
            )),
            _ => refuse_null(value),
        }),
        _ => Ok(()),
    }
}

const TOO_MUCH: &str = "more values, nesting or aliases than any drill needs: simplify the file";

/// What a drill file may hold, far above what any needs: nothing in it can take much time or memory.
fn options() -> Options {
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
        with_snippet: false,
    }
}

/// What the parser says, on one line.
fn message(error: &Error) -> String {
    match error {
        Error::WithSnippet { error, .. } | Error::AliasError { error, .. } => message(error),
        Error::ExternalMessage { msg, .. } if msg.contains("recursion limit") => TOO_MUCH.to_owned(),
        Error::ExternalMessage { msg, .. } => format!("invalid YAML: {msg}{}", hint(msg)),
        Error::MultipleDocuments { .. } => {
            "a second document begins here: put each drill into a file of its own".to_owned()
        }
        Error::Unexpected { expected: "string scalar", .. } => "a key must be a string".to_owned(),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("duplicate key `{}`: remove one of the two", quoted(key))
        }
        Error::UnknownAnchor { .. } => {
            "unknown alias: define it before, as an anchor (&) of the same name".to_owned()
        }
        Error::UnsupportedTag { tag, .. } => format!("unsupported tag `{}`: remove it", quoted(tag)),
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
        tabs if tabs.contains("tab") => "; indent with spaces",
        mapping if mapping.contains("mapping values are not allowed") => {
            "; quote a string that contains a colon and a space, and align the keys of a mapping"
        }
        _ => "",
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(Value::Signed(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(Value::Unsigned(value))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Value::Float(value))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
                let mut all = Vec::new();
                while let Some(element) = elements.next_element()? {
                    all.push(element);
                }
                Ok(Value::List(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    all.push(entry);
                }
                Ok(Value::Map(all))
            }
        }
        deserializer.deserialize_any(AnyValue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_unfold_without_end_is_refused_soon() {
        let laughs = (1..30).map(|n| format!("- &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", ")));
        let bomb = format!("- &a0 [x]\n{}", laughs.collect::<String>());
        let deep = "[".repeat(1_000);
        for text in [bomb, deep] {
            assert_eq!(parse(&text).unwrap_err().message, TOO_MUCH, "{text}");
        }
        assert!(parse(&"#".repeat(LARGEST + 1)).unwrap_err().message.contains("1 MiB"));
    }

    #[test]
    fn an_error_of_the_scanner_is_found_behind_wide_characters() {
        let text = "ü: 日本\nb: \"x\n";
        let Problem { location, message } = parse(text).unwrap_err();
        assert_eq!((&text[location], &*message), ("\"", "invalid YAML: unclosed quote"));
    }
}
