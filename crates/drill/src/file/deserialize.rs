//! From a tree of YAML to the types of a drill file, with errors that say where and what to do.

use std::marker::PhantomData;
use std::ops::Range;
use std::{fmt, slice};

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Expected, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_saphyr::Spanned;

use super::problem::Problem;
use super::yaml::{self, Node, Value};
use crate::expectation::Expectation;
use firedrill_contract::{quoted, suggest};

/// What a tree holds.
pub(super) fn from_tree<'a, T: Deserialize<'a>>(yaml: &'a str, root: &'a Node) -> Result<T, Problem> {
    Reader { yaml, node: root, key: None }
        .read(PhantomData)
        .map_err(|Error { location, message }| Problem::new(location.unwrap_or_default(), message))
}

/// A value, to be read as whatever type is wanted.
#[derive(Clone, Copy)]
struct Reader<'a> {
    yaml: &'a str,
    node: &'a Node,
    /// Whose value it is.
    key: Option<&'a str>,
}

#[derive(Debug)]
struct Error {
    /// The innermost value that it is about.
    location: Option<Range<usize>>,
    message: String,
}

impl Error {
    fn or_at(self, location: Option<Range<usize>>) -> Self {
        Self { location: self.location.or(location), ..self }
    }
}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { location: None, message: message.to_string() }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {}, found {}", plain_type(expected), kind(unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("expected {}, found {length}", plain_type(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let suggestion = suggest(variant, expected.iter().copied());
        Self::custom(format_args!("unknown value `{}`: {suggestion}", quoted(variant)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let what = if expected == Expectation::KEYS { "expectation" } else { "key" };
        let suggestion = suggest(field, expected.iter().copied());
        Self::custom(format_args!("unknown {what} `{}`: {suggestion}", quoted(field)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format_args!("missing key `{field}`"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl<'a> Reader<'a> {
    /// Reads it, so that an error without a place is about this value.
    fn read<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self).map_err(|error| error.or_at(Some(yaml::location(self.node))))
    }

    fn refuse<T>(self, expected: &dyn Expected) -> Result<T, Error> {
        Err(de::Error::invalid_type(self.unexpected(), expected))
    }

    fn unexpected(self) -> Unexpected<'a> {
        match &self.node.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Unsigned(value) => Unexpected::Unsigned(*value),
            Value::Signed(value) => Unexpected::Signed(*value),
            Value::Float(value) => Unexpected::Float(*value),
            Value::Text(text) => Unexpected::Str(text),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
        }
    }

    /// A quoted scalar, or one that YAML does not take for a number (`1_000`), where a number is wanted: read as if it stood
    /// there plain.
    fn parse<T: DeserializeOwned>(self) -> Option<T> {
        let Value::Text(text) = &self.node.value else { return None };
        let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._ ".contains(c));
        if is_plain { yaml::scalar(text) } else { None }
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(elements) => visitor.visit_seq(Elements { list: self, rest: elements.iter() }),
            Value::Map(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Value::Map(entries) = &self.node.value else {
            return self.refuse(&self.key.and_then(example).unwrap_or("a mapping"));
        };
        let mut entries = Entries { yaml: self.yaml, rest: entries.iter(), open: None };
        let map = visitor.visit_map(&mut entries)?;
        match entries.rest.next() {
            None => Ok(map),
            Some(_) => Err(de::Error::custom("only one of these keys can be used: remove the others")),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::List(elements) if elements.len() != length => {
                Err(de::Error::invalid_length(elements.len(), &visitor))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Map(_) => self.deserialize_map(visitor),
            _ => self.refuse(&visitor),
        }
    }

    /// Any scalar is its text where a string is wanted: `name: 1.50`.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null | Value::List(_) | Value::Map(_) => self.deserialize_any(visitor),
            _ => visitor.visit_borrowed_str(yaml::text(self.yaml, self.node)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.parse() {
            Some(value) => visitor.visit_bool(value),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.parse() {
            Some(value) => visitor.visit_u64(value),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.parse() {
            Some(value) => visitor.visit_f64(value),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::List(_) | Value::Map(_) => self.refuse(&"a string"),
            _ => visitor.visit_enum(BorrowedStrDeserializer::new(yaml::text(self.yaml, self.node))),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 char bytes byte_buf unit unit_struct seq tuple_struct
        identifier ignored_any
    }
}

/// The elements of a list that are still to be read.
struct Elements<'a> {
    list: Reader<'a>,
    rest: slice::Iter<'a, Node>,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.rest.next().map(|node| Reader { node, ..self.list }.read(seed)).transpose()
    }
}

/// The entries of a mapping that are still to be read.
struct Entries<'a> {
    yaml: &'a str,
    rest: slice::Iter<'a, (Spanned<String>, Node)>,
    /// The entry whose key has been read, and not its value.
    open: Option<&'a (Spanned<String>, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.open = self.rest.next();
        let key = |(key, _): &'de (Spanned<String>, Node)| {
            let read = seed.deserialize(BorrowedStrDeserializer::new(&key.value));
            read.map_err(|error: Error| error.or_at(yaml::range(key.referenced)))
        };
        self.open.map(key).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, node) =
            self.open.take().ok_or_else(|| de::Error::custom("a value is read before its key"))?;
        Reader { yaml: self.yaml, node, key: Some(&key.value) }.read(seed)
    }
}

/// What the value of a key looks like whose own keys are free.
fn example(key: &str) -> Option<&'static str> {
    Some(match key {
        "phases" => "phases, each under its name, such as calm: { for: 30s, rate: 20/s, work: {} }",
        "expect" => "an expectation such as counts: all phases",
        "work" => "parameters of /work such as { latency: 40ms, error_rate: 0.5 }",
        "headers" => "header fields such as { Accept: text/html }",
        "labels" | "variables" => "names and values such as { workload: drill }",
        _ => return None,
    })
}

/// What serde calls a type, in the words of YAML.
fn plain_type(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    match &*expected {
        "a sequence" => "a list".to_owned(),
        "u64" => "a whole number from 0".to_owned(),
        "a nonzero u32" => "a whole number from 1".to_owned(),
        "f64" => "a number".to_owned(),
        "a tuple of size 2" => "a list of two".to_owned(),
        _ => expected,
    }
}

/// What was found: numbers as they are, longer text without what it says, which stands below the message.
fn kind(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        Unexpected::Float(value) => format!("`{value:?}`"),
        Unexpected::Str(_) => "a string".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::DrillFile;
    use super::super::testing::{refused, theirs};

    #[test]
    fn an_error_is_where_the_wrong_value_is() {
        let expectations = [
            "query: up\n    equals: many",
            "alert: A\n    fires: { during: calm, within: soon }",
            "alert: A\n    fires: calm",
            "alert: A\n    annotations: [[a]]",
            "alert: A\n    notifies: [pager]",
            "query: up\n    between: [1]",
            "query: up\n    between: [1, 2, 3]",
            "counts: all",
            "countz: all phases",
            "during: calm\n    query: up",
            "quantile: half\n    within: 5%",
            "quantile: .nan\n    within: 5%\n    series: x_seconds",
            "{}",
            "[counts]",
            "~",
        ];
        let phases = [
            "1s",
            "[1s]",
            "{ rate: 1/s, work: {} }",
            "{ for: 1s, rate: fast, work: {} }",
            "{ for: 1s, rate: 20, work: {} }",
            "{ for: 1s, rate: { ramp: [1/s] }, work: {} }",
            "{ for: 1s, rate: { rmp: [1/s, 2/s] }, work: {} }",
            "{ for: 1s, rate: { poisson: 1/s, steps: [1/s] }, work: {} }",
            "{ for: 1s, rate: { steps: [] }, work: {} }",
            "{ for: 1s, rate: 1/s, work: 40ms }",
            "{ for: 1s, rate: 1/s, work: { latency: [1] } }",
            "{ for: 1s, rate: 1/s, request: / }",
            "{ for: 1s, rate: 1/s, mix: [{ weight: 0, work: {} }] }",
            "{ for: 1s, rate: 1/s, work: {}, hang_up: now }",
        ];
        let heads = [
            "expcet: []",
            "seed: -1",
            "seed: 1.5",
            "alone: maybe",
            "about:",
            "about: { ü: 1 }",
            "given: [1]",
        ];
        let right = theirs("  - scrapes: no gaps");
        let expecting = expectations.map(|expectation| theirs(&format!("  - {expectation}")));
        let sending =
            phases.map(|phase| right.replace("{ for: 30s, rate: 20/s, request: { path: / } }", phase));
        let beginning = heads.map(|head| format!("{head}\n{right}"));
        assert_snapshot!(refused(beginning.into_iter().chain(sending).chain(expecting)));
    }

    #[test]
    fn text_in_the_wrong_place_is_not_in_the_message_and_a_long_value_is_cut() {
        let message = |expectation: &str| DrillFile::read(&theirs(expectation)).unwrap_err().message;
        assert!(!message("  - { alert: A, annotations: hunter2 }").contains("hunter2"));
        assert!(message(&format!("  - {{ query: up, equals: {} }}", "x".repeat(10_000))).len() < 400);
    }

    #[test]
    fn a_scalar_is_read_as_what_is_wanted() {
        let text = r#"
name: 1.50
about: 0x1F
workload: "007"
job: !!str 5
seed: "1_000"
alone: "true"
phases:
  1: &one { for: 0, rate: 2/s, mix: [{ weight: "3", work: { body: 010, latency: 5e-1 } }] }
  two: { <<: *one }
expect:
  - { quantile: "0.5", within: 0.10 }
  - { query: 1_0, equals: 5, within: 1 }
"#;
        let file = DrillFile::read(text).unwrap();
        assert_eq!(file.name, "1.50");
        assert_eq!(file.about.as_deref(), Some("0x1F"));
        assert_eq!((file.workload.as_deref(), file.job.as_deref()), (Some("007"), Some("5")));
        assert_eq!((file.seed, file.alone), (Some(1_000), true));
        assert_eq!(file.phases["1"], file.phases["two"]);
        let part = &file.phases["two"].mix[0];
        let work = part.work.as_ref().unwrap();
        assert_eq!((part.weight.get(), &*work["body"].0, &*work["latency"].0), (3, "010", "0.5"));
        let json = serde_json::to_value(&file.expect).unwrap();
        let expected = serde_json::json!([
            { "quantile": 0.5, "within": "0.1" },
            { "query": "1_0", "equals": "5", "within": "1" },
        ]);
        assert_eq!(json, expected);
    }

    #[test]
    fn a_quoted_number_is_what_it_would_be_without_quotes() {
        let seed = |text: &str| {
            let file = theirs("  - scrapes: no gaps").replace("name: x", &format!("name: x\nseed: {text}"));
            DrillFile::read(&file).ok().and_then(|file| file.seed)
        };
        for (text, number) in [
            ("7", Some(7)),
            (" 7", Some(7)),
            ("+7", Some(7)),
            ("1_000", Some(1_000)),
            ("0x10", Some(16)),
            // Eight or ten, depending on the version of YAML.
            ("010", None),
            ("7 # of nine", None),
            ("seven", None),
            ("", None),
        ] {
            assert_eq!(seed(&format!("{text:?}")), number, "{text:?}");
        }
        assert_eq!(seed("010"), None);
    }
}
