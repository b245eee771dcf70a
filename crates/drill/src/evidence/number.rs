//! Numbers in run files: JSON has no form for some, which are `"NaN"`, `"+Inf"` and `"-Inf"`, as Prometheus writes them.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// How it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Number {
    Number(f64),
    Text(String),
}

pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        number if number.is_nan() => serializer.serialize_str("NaN"),
        number if number.is_infinite() => {
            serializer.serialize_str(if *number > 0.0 { "+Inf" } else { "-Inf" })
        }
        number => serializer.serialize_f64(*number),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match Number::deserialize(deserializer)? {
        Number::Number(number) => Ok(number),
        Number::Text(text) => match text.as_str() {
            "NaN" => Ok(f64::NAN),
            "+Inf" => Ok(f64::INFINITY),
            "-Inf" => Ok(f64::NEG_INFINITY),
            _ => Err(D::Error::custom(format!("found {text:?}, expected a number, NaN, +Inf or -Inf"))),
        },
    }
}
