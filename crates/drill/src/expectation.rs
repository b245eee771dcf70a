//! What monitoring should make of a drill: one file a kind.
//!
//! A kind is a struct with the keys that a drill file has for it, and its `Kind`: what can be wrong with it, what is asked
//! of monitoring, how the answers are judged, and what explains a finding that is no pass. To add one, add its file and its line to the
//! registry below.

pub mod alert;
pub mod counts;
pub mod increase;
pub mod nothing_else;
pub mod panels;
pub mod quantile;
pub mod query;
pub mod scrapes;
pub mod series;

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::evidence::Labels;
use crate::file::Place;
use crate::file::check::FileContext;
use crate::judge::case::Case;
use crate::judge::verdict::Finding;
use crate::question::{Explain, Questions};

/// Everything that makes a kind of expectation what it is.
///
/// A [`Case`] is the run that it is judged in; questions may be asked of a case that has no evidence yet.
pub(crate) trait Kind {
    /// Reports what contradicts itself, or could never hold or never fail.
    fn check(&self, context: &FileContext<'_>, place: &mut Place<'_>);

    /// Why this cannot be expected beside another expectation of the file.
    fn conflict(&self, _other: &Expectation) -> Option<&'static str> {
        None
    }

    /// Adds what has to be asked of monitoring. Alerts, rules and `up` are asked for in any case.
    fn ask(&self, _case: &Case<'_>, _questions: &mut Questions) {}

    /// What the evidence comes to. One expectation may have several findings: that an alert fires, that it resolves.
    fn judge(&self, case: &Case<'_>) -> Vec<Finding>;

    /// Whether findings rest on when requests left: on rates, or on the boundaries of phases.
    fn depends_on_schedule(&self) -> bool {
        true
    }

    /// The expressions to take apart where a finding is no pass.
    fn explain(&self, _case: &Case<'_>) -> Vec<Explain> {
        Vec::new()
    }

    /// What should still become quiet before the first request, such as an alert that is to be caused.
    fn unquiet(&self, _case: &Case<'_>) -> Option<String> {
        None
    }

    /// Whether an alert of this name with these labels is expected to fire.
    fn expects_alert(&self, _name: &str, _labels: &Labels) -> bool {
        false
    }

    /// Whether it says anything of an alert with these labels.
    fn is_about_alert(&self, _labels: &Labels) -> bool {
        false
    }

    /// The selector of the counters of requests and their label for the status, for charts.
    fn request_counters(&self, _case: &Case<'_>) -> Option<(String, String)> {
        None
    }
}

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
