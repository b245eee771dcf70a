//! What monitoring should make of a drill.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::value::{OneOrMore, Quantity, Span, Tolerance};

/// One thing that monitoring should have said, named by its first key.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Expectation {
    /// Each request is counted once.
    Counts(Counts),
    /// Counters rose by what happened.
    Increase(Increase),
    /// A query gives what the ledger knows.
    Query(Query),
    /// A quantile of the latency is what clients saw.
    Quantile(Quantile),
    /// An alert fires, resolves, is told; or never fires.
    Alert(Alert),
    /// No alert fires but those that are expected.
    NothingElse(NothingElse),
    /// What is counted had its series before the first request.
    Series(Series),
    /// The target was scraped all the time.
    Scrapes(Scrapes),
    /// Every panel of these dashboards has data.
    Panels(Panels),
}

/// Each request is counted once: no more, no fewer, each under its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Of which phases: all of them, since only before and after them is it quiet.
    pub counts: AllPhases,
    /// The counters that count, as a selector; those of the semantic conventions where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// The label that holds the status; `http_response_status_code` where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// The one thing that can be counted exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AllPhases {
    /// Every request of the drill.
    #[serde(rename = "all phases")]
    AllPhases,
}

/// Counters rose by what happened while the drill ran, read from their raw samples before the first request and after the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Increase {
    /// The counters, as a selector; how much they rose is added up.
    pub increase: String,
    /// By how much they should have risen.
    pub equals: Quantity,
    /// By how much it may be off; nothing at all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Tolerance>,
}

/// A query gives what the ledger knows, or a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// PromQL with one number for an answer, asked at the end of the phase. `$phase` stands for its length, `$workload` and `$job` for those of the drill.
    pub query: String,
    /// The phase that it is about; the whole drill where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<String>,
    /// What it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Quantity>,
    /// What it should not be under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Quantity>,
    /// What it should not be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Quantity>,
    /// What it should not be under, and over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<(Quantity, Quantity)>,
    /// By how much it may be off; `equals` needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Tolerance>,
}

/// A quantile of the latency is what clients saw, as far as the buckets can tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// Which one, such as 0.99.
    pub quantile: f64,
    /// The phase that it is about; the whole drill where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<String>,
    /// By how much it may be off.
    pub within: Tolerance,
    /// The histogram, as a selector without `_bucket`; that of the semantic conventions where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
}

/// An alert fires, resolves, is told; or never fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// Its name.
    pub alert: String,
    /// The labels that it must have, among others.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Its label `severity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The annotations that it must have, whatever they say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    /// It fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fires: Option<Fires>,
    /// It resolves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolves: Option<Resolves>,
    /// Somebody is told: the receiver, or `{ receiver: pager, within: 30s }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifies: Option<Notifies>,
    /// It does not fire, from the first phase to the end of the drill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never: Option<Firing>,
}

/// When an alert fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fires {
    /// The phase that causes it.
    pub during: String,
    /// How long after the phase's begin it may take.
    pub within: Span,
}

/// When an alert resolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolves {
    /// How long after the end of the phase that caused it.
    pub within: Span,
}

/// Who is told of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notifies {
    /// Alertmanager's name for who is told.
    pub receiver: String,
    /// How long after the alert began to fire; 60 s where it is left out.
    pub within: Span,
}

impl Notifies {
    /// How long a page may take where the file does not say.
    pub const WITHIN: Span = Span(std::time::Duration::from_secs(60));
}

/// The word for an alert that fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Firing {
    /// It fires.
    Fires,
}

/// No alert begins to fire but those that the drill expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NothingElse {
    /// What nothing else does.
    pub nothing_else: Firing,
    /// The labels of the alerts that it is about; all alerts where it is left out.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub labels: IndexMap<String, String>,
    /// Alerts that may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

/// What is counted had its series, at zero, before the first request: a counter that is born at 1 hides its first event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The counters, as one selector or several.
    pub series: OneOrMore,
    /// How.
    pub exist: AtZero,
}

/// How series exist before the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AtZero {
    /// At zero, or at what they had from before.
    #[serde(rename = "at zero")]
    AtZero,
}

/// The target was scraped all the time, and each scrape succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scrapes {
    /// What they have.
    pub scrapes: NoGaps,
    /// The job; that of the drill where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

/// What scrapes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoGaps {
    /// None is missing and none failed.
    #[serde(rename = "no gaps")]
    NoGaps,
}

/// Every query of every panel of these dashboards has data over the drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panels {
    /// Dashboards: files by pattern such as `deploy/grafana/dashboards/*.json`, from where the drill runs; or `grafana`: all that `--grafana` has.
    pub panels: OneOrMore,
    /// Titles of panels that may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// Values of the dashboards' variables; those of the drill's job and workload are known.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variables: IndexMap<String, String>,
}

impl Expectation {
    /// The first keys that there are.
    pub const KINDS: [&str; 9] =
        ["counts", "increase", "query", "quantile", "alert", "nothing_else", "series", "scrapes", "panels"];
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByFirstKey;
        impl<'de> Visitor<'de> for ByFirstKey {
            type Value = Expectation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an expectation that begins with one of {}", Expectation::KINDS.join(", "))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expectation, A::Error> {
                let kind: String = map.next_key()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                let whole = MapAccessDeserializer::new(Whole { first: Some(kind.clone()), rest: map });
                Ok(match kind.as_str() {
                    "counts" => Expectation::Counts(Counts::deserialize(whole)?),
                    "increase" => Expectation::Increase(Increase::deserialize(whole)?),
                    "query" => Expectation::Query(Query::deserialize(whole)?),
                    "quantile" => Expectation::Quantile(Quantile::deserialize(whole)?),
                    "alert" => Expectation::Alert(Alert::deserialize(whole)?),
                    "nothing_else" => Expectation::NothingElse(NothingElse::deserialize(whole)?),
                    "series" => Expectation::Series(Series::deserialize(whole)?),
                    "scrapes" => Expectation::Scrapes(Scrapes::deserialize(whole)?),
                    "panels" => Expectation::Panels(Panels::deserialize(whole)?),
                    _ => return Err(de::Error::unknown_field(&kind, &Expectation::KINDS)),
                })
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

impl JsonSchema for Notifies {
    fn schema_name() -> Cow<'static, str> {
        "Notifies".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Who is told of an alert.", "anyOf": [
            { "type": "string", "description": "Alertmanager's name for who is told, within 60 s." },
            { "type": "object", "additionalProperties": false, "required": ["receiver"], "properties": {
                "receiver": { "type": "string", "description": "Alertmanager's name for who is told." },
                "within": generator.subschema_for::<Span>(),
            } },
        ] })
    }
}

impl<'de> Deserialize<'de> for Notifies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            receiver: String,
            #[serde(default = "within")]
            within: Span,
        }
        const fn within() -> Span {
            Notifies::WITHIN
        }
        struct NameOrWhole;
        impl<'de> Visitor<'de> for NameOrWhole {
            type Value = Notifies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a receiver such as pager, or { receiver: pager, within: 30s }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Notifies, E> {
                Ok(Notifies { receiver: name.to_owned(), within: within() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Notifies, A::Error> {
                let Whole { receiver, within } = Whole::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Notifies { receiver, within })
            }
        }
        deserializer.deserialize_any(NameOrWhole)
    }
}
