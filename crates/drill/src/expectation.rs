//! What monitoring should make of a drill: one file a kind.
//!
//! A kind is a struct with the keys that a drill file has for it, and its `Kind`: what can be wrong with it, what is asked
//! of monitoring, how the answers are judged, and what explains a finding that is no pass. To add one, add its file and its line to the
//! registry below.

pub mod alert;
pub mod counts;
pub mod increase;
mod kind;
pub mod nothing_else;
pub mod panels;
pub mod quantile;
pub mod query;
pub mod scrapes;
pub mod series;

use std::any::Any;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use kind::Kind;

/// Declares every kind: the first key that names it in a drill file, and its struct.
macro_rules! registry {
    ($($key:literal => $name:ident($kind:path),)+) => {
        /// One thing that monitoring should have said, named by its first key.
        #[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
        #[serde(untagged)]
        pub enum Expectation {
            $($name($kind),)+
        }

        impl Expectation {
            /// The first keys that there are.
            pub const KEYS: &[&str] = &[$($key),+];

            /// What is common to all kinds.
            pub(crate) fn kind(&self) -> &dyn Kind {
                match self { $(Self::$name(kind) => kind,)+ }
            }

            /// The expectation as the kind that it is.
            pub(crate) fn as_any(&self) -> &dyn Any {
                match self { $(Self::$name(kind) => kind,)+ }
            }

            fn deserialize_keyed<'de, D: Deserializer<'de>>(key: &str, whole: D) -> Result<Self, D::Error> {
                match key {
                    $($key => <$kind>::deserialize(whole).map(Self::$name),)+
                    _ => Err(de::Error::unknown_field(key, Self::KEYS)),
                }
            }
        }
    };
}

registry! {
    "counts" => Counts(counts::Counts),
    "increase" => Increase(increase::Increase),
    "query" => Query(query::Query),
    "quantile" => Quantile(quantile::Quantile),
    "alert" => Alert(alert::Alert),
    "nothing_else" => NothingElse(nothing_else::NothingElse),
    "series" => Series(series::SeriesExist),
    "scrapes" => Scrapes(scrapes::Scrapes),
    "panels" => Panels(panels::Panels),
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByFirstKey;
        impl<'de> Visitor<'de> for ByFirstKey {
            type Value = Expectation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an expectation that begins with one of {}", Expectation::KEYS.join(", "))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expectation, A::Error> {
                let key: String = map.next_key()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let whole = Whole { first: Some(key.clone()), rest: map };
                Expectation::deserialize_keyed(&key, MapAccessDeserializer::new(whole))
            }
        }
        deserializer.deserialize_map(ByFirstKey)
    }
}

/// A map whose first key has been looked at.
struct Whole<A> {
    first: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Whole<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => {
                let first: StringDeserializer<A::Error> = first.into_deserializer();
                seed.deserialize(first).map(Some)
            }
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}
