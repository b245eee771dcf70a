//! What a drill sends, and when.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZero;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use firedrill_load::request::HangUp;

use super::value::{Scalar, Span};
use firedrill_contract::parameter::{PARAMETERS, Parameter};
use firedrill_contract::{Rate, quoted};

/// A stretch of traffic of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a phase such as { for: 30s, rate: 20/s, work: {} }")]
pub struct Phase {
    /// How long requests fall due.
    #[serde(rename = "for")]
    pub span: Span,
    /// How many fall due in which time: `20/s`, or a shape such as `{ ramp: [5/s, 50/s] }`. None where it is left out: a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Shape>,
    /// What each request asks this project's own service to do: the parameters of `/work`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "parameters")]
    pub work: Option<Parameters>,
    /// A request for any HTTP service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest>,
    /// Where each client hangs up instead of taking the whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up: Option<HangUp>,
    /// Several kinds of requests in this phase, each by its weight, instead of `work` or `request`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mix: Vec<Part>,
}

/// One kind of request of a mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a part of a mix such as { weight: 3, work: {} }")]
pub struct Part {
    /// How many of these are sent for each one of weight 1.
    pub weight: NonZero<u32>,
    /// What each asks this project's own service to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "parameters")]
    pub work: Option<Parameters>,
    /// A request for any HTTP service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest>,
    /// Where each client hangs up instead of taking the whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up: Option<HangUp>,
}

/// The parameters of `/work`, by name.
pub type Parameters = IndexMap<String, Scalar>;

/// Those that a drill does not set itself.
fn parameters(generator: &mut SchemaGenerator) -> Schema {
    let one = |parameter: &Parameter| {
        let mut schema = generator.subschema_for::<Scalar>();
        schema.insert("description".to_owned(), parameter.about.into());
        schema.insert("examples".to_owned(), [parameter.example].as_slice().into());
        (parameter.name.to_owned(), schema.into())
    };
    let free = PARAMETERS.iter().filter(|parameter| !["workload", "seed", "n"].contains(&parameter.name));
    let properties: serde_json::Map<_, _> = free.map(one).collect();
    json_schema!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// A request for any HTTP service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a request such as { path: /cart }")]
pub struct HttpRequest {
    /// Its method; GET where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Its path and query, such as `/cart?item=7`.
    pub path: String,
    /// Its header fields. Secrets do not belong here: give them by `--header-file`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// Its body, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// How many requests fall due over a phase.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// The same all the time, evenly.
    Constant(Rate),
    /// From the first rate to the second, evenly more or less.
    Ramp(Rate, Rate),
    /// One rate after the other, each for an equal share of the phase.
    Steps(Vec<Rate>),
    /// As independent clients send: the gaps between requests are exponential, drawn from the seed.
    Poisson(Rate),
}

/// The shapes that have a name.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Named {
    Ramp((Scalar, Scalar)),
    Steps(Vec<Scalar>),
    Poisson(Scalar),
}

impl TryFrom<Named> for Shape {
    type Error = String;

    fn try_from(named: Named) -> Result<Self, String> {
        Ok(match named {
            Named::Ramp((from, to)) => Self::Ramp(rate(&from)?, rate(&to)?),
            Named::Steps(steps) if steps.is_empty() => {
                return Err("`steps` is empty: add at least one rate".to_owned());
            }
            Named::Steps(steps) => Self::Steps(steps.iter().map(rate).collect::<Result<_, _>>()?),
            Named::Poisson(mean) => Self::Poisson(rate(&mean)?),
        })
    }
}

fn rate(Scalar(text): &Scalar) -> Result<Rate, String> {
    text.parse().map_err(|error| format!("invalid value `{}`: {error}", quoted(text)))
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |rate: &Rate| Scalar(rate.to_string());
        match self {
            Self::Constant(rate) => serializer.collect_str(rate),
            Self::Ramp(from, to) => Named::Ramp((text(from), text(to))).serialize(serializer),
            Self::Steps(steps) => Named::Steps(steps.iter().map(text).collect()).serialize(serializer),
            Self::Poisson(mean) => Named::Poisson(text(mean)).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RateOrShape;
        impl<'de> Visitor<'de> for RateOrShape {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a rate such as 20/s, or a shape: ramp, steps or poisson")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Shape, E> {
                rate(&Scalar(text.to_owned())).map(Shape::Constant).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Shape, A::Error> {
                let named = Named::deserialize(MapAccessDeserializer::new(map))?;
                Shape::try_from(named).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(RateOrShape)
    }
}

impl JsonSchema for Shape {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let rate =
            json_schema!({ "type": "string", "pattern": r"^[0-9.]+/[smh]$", "examples": ["20/s", "90/m"] });
        json_schema!({ "oneOf": [
            rate,
            { "type": "object", "additionalProperties": false, "required": ["ramp"], "properties": {
                "ramp": { "type": "array", "items": rate, "minItems": 2, "maxItems": 2, "description": "From the first rate to the second." } } },
            { "type": "object", "additionalProperties": false, "required": ["steps"], "properties": {
                "steps": { "type": "array", "items": rate, "minItems": 1, "description": "One rate after the other, each for an equal share of the phase." } } },
            { "type": "object", "additionalProperties": false, "required": ["poisson"], "properties": {
                "poisson": rate } }
        ] })
    }
}
