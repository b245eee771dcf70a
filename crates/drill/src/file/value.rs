//! Single values of a drill file, as people write them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use firedrill_contract::quantity::{format_duration, parse_duration};
use firedrill_contract::quoted;

/// A length of time, such as `30s`; exact to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// How much two numbers may differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// A share of what is true: `5%` is 0.05.
    Share(f64),
    /// As much as this, in the unit of what is compared; `10ms` is 0.01.
    Absolute(f64),
}

/// A number, or what the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// A plain number.
    Number(f64),
    /// `requests`: how many requests the service saw.
    Requests,
    /// `errors`: how many of them failed: a status of 5xx, or no proper answer.
    Errors,
    /// `error_ratio`: the share of them that failed, from 0 to 1.
    ErrorRatio,
    /// `rate`: requests a second.
    Rate,
    /// `p99`: what this share of latencies, from 0 to 1, was not above, in seconds.
    Quantile(f64),
    /// `mean`: the mean latency, in seconds.
    Mean,
    /// `latency_sum`: how long all answers took together, in seconds.
    LatencySum,
    /// `slow_ratio(250ms)`: the share of answers that took longer, from 0 to 1.
    SlowRatio(Span),
}

/// Text that is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid value `{found}`: expected {expected}")]
pub struct Unreadable {
    found: String,
    expected: &'static str,
}

const SPAN: &str = "a duration such as 30s or 1.5s (units: ms, s, m, h), exact to the millisecond";
const TOLERANCE: &str = "a share such as 5%, a number such as 0.01 or a duration such as 10ms";
const QUANTITY: &str = "a number, or one of requests, errors, error_ratio, rate, p50 (or another percentile), mean, latency_sum, slow_ratio(250ms)";

impl FromStr for Span {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let refused = || Unreadable { found: quoted(text), expected: SPAN };
        let span = parse_duration(text).map_err(|_| refused())?;
        if span.subsec_nanos() % 1_000_000 == 0 { Ok(Self(span)) } else { Err(refused()) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_duration(self.0))
    }
}

impl FromStr for Tolerance {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let amount = |text: &str| number(text).filter(|amount| !amount.is_sign_negative());
        let read = match text.strip_suffix('%') {
            Some(percent) => amount(percent).map(|percent| Self::Share(percent / 100.0)),
            None => amount(text)
                .or_else(|| text.parse().ok().map(|Span(span)| span.as_secs_f64()))
                .map(Self::Absolute),
        };
        read.ok_or_else(|| Unreadable { found: quoted(text), expected: TOLERANCE })
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The shortest text that is read as the same share: 5%, 0.1%, 12.5%.
            Self::Share(share) => {
                let exact = |percent: &f64| percent / 100.0 == *share;
                let rounded = (share * 1e8).round() / 1e6;
                write!(f, "{}%", Some(rounded).filter(exact).unwrap_or(share * 100.0))
            }
            Self::Absolute(most) => most.fmt(f),
        }
    }
}

impl Tolerance {
    /// How far from `truth` a number may be.
    #[must_use]
    pub fn of(self, truth: f64) -> f64 {
        match self {
            Self::Share(share) => share * truth.abs(),
            Self::Absolute(most) => most,
        }
    }
}

impl FromStr for Quantity {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let slow = |text: &str| text.strip_prefix("slow_ratio(")?.strip_suffix(')')?.parse().ok();
        let percentile = |text: &str| number(text.strip_prefix('p')?).filter(|p| *p > 0.0 && *p < 100.0);
        match text {
            "requests" => Ok(Self::Requests),
            "errors" => Ok(Self::Errors),
            "error_ratio" => Ok(Self::ErrorRatio),
            "rate" => Ok(Self::Rate),
            "mean" => Ok(Self::Mean),
            "latency_sum" => Ok(Self::LatencySum),
            _ => number(text)
                .map(Self::Number)
                .or_else(|| percentile(text).map(|percentile| Self::Quantile(percentile / 100.0)))
                .or_else(|| slow(text).map(Self::SlowRatio))
                .ok_or_else(|| Unreadable { found: quoted(text), expected: QUANTITY }),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Requests => f.write_str("requests"),
            Self::Errors => f.write_str("errors"),
            Self::ErrorRatio => f.write_str("error_ratio"),
            Self::Rate => f.write_str("rate"),
            Self::Mean => f.write_str("mean"),
            Self::LatencySum => f.write_str("latency_sum"),
            Self::SlowRatio(span) => write!(f, "slow_ratio({span})"),
            Self::Quantile(share) => {
                // The shortest percentile that is read as the same share: p99.9, not p99.90000000000001.
                let exact = |percent: &f64| percent / 100.0 == *share;
                let rounded = (share * 1e8).round() / 1e6;
                write!(f, "p{}", Some(rounded).filter(exact).unwrap_or(share * 100.0))
            }
        }
    }
}

/// A finite decimal number, without `inf` and `nan`, which `f64` would read.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A value that stands in a file as text, or as a number where it reads as one.
macro_rules! written_as_text {
    ($($type:ident, $about:expr, $schema:tt;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let Scalar(text) = Scalar::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($schema);
                schema.insert("description".to_owned(), $about.into());
                schema
            }
        }
    )*};
}

written_as_text! {
    Span, SPAN, {
        "anyOf": [{ "type": "string", "pattern": r"^(0|[0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))$" }, { "const": 0 }],
        "examples": ["30s", "1.5m"]
    };
    Tolerance, TOLERANCE, {
        "anyOf": [
            { "type": "string", "pattern": r"^\+?[0-9.]+([eE][+-]?[0-9]+)?%?$|^[0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h)$" },
            { "type": "number", "minimum": 0 }
        ],
        "examples": ["5%", "0.01", "10ms"]
    };
    Quantity, QUANTITY, {
        "anyOf": [
            { "enum": ["requests", "errors", "error_ratio", "rate", "mean", "latency_sum"] },
            { "type": "string", "pattern": r"^[+-]?[0-9.]+([eE][+-]?[0-9]+)?$|^p[0-9.]+$|^slow_ratio\([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h)\)$" },
            { "type": "number" }
        ],
        "examples": ["error_ratio", 0.5, "p99"]
    };
}

/// A scalar of a file, as its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(extend("type" = ["string", "number", "boolean"]))]
pub struct Scalar(pub String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsText;
        impl Visitor<'_> for AsText {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }

            fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Scalar, E> {
                Ok(Scalar(truth.to_string()))
            }
        }
        deserializer.deserialize_any(AsText)
    }
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct OneOrMore(#[schemars(with = "OneOrMoreForm")] pub Vec<String>);

/// The two ways to write it.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it is read for the schema alone")]
enum OneOrMoreForm {
    One(String),
    More(Vec<String>),
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![text.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut texts: A) -> Result<OneOrMore, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = texts.next_element()? {
                    all.push(text);
                }
                Ok(OneOrMore(all))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_they_are_read() {
        for text in ["5%", "0.1%", "12.5%", "0.01", "3", "33.3%", "7%"] {
            assert_eq!(text.parse::<Tolerance>().unwrap().to_string(), text);
        }
        for text in [
            "requests",
            "error_ratio",
            "p50",
            "p99.9",
            "p95",
            "mean",
            "latency_sum",
            "slow_ratio(250ms)",
            "0.5",
            "rate",
        ] {
            assert_eq!(text.parse::<Quantity>().unwrap().to_string(), text);
        }
        assert_eq!("10ms".parse(), Ok(Tolerance::Absolute(0.01)));
    }

    #[test]
    fn what_is_no_value_is_refused_with_what_would_be_one() {
        for text in ["", "%", "x%", "nan", "inf%", "-1", "-5%", "-0"] {
            assert!(text.parse::<Tolerance>().is_err(), "{text:?} was read as a tolerance");
        }
        for text in ["", "p0", "p100", "pxx", "slow_ratio()", "slow_ratio(1s", "error ratio", "inf"] {
            assert!(text.parse::<Quantity>().is_err(), "{text:?} was read as a quantity");
        }
        assert!("1.0005s".parse::<Span>().is_err());
        let error = "soon".parse::<Span>().unwrap_err().to_string();
        assert!(error.starts_with("invalid value `soon`: expected a duration"), "{error}");
    }
}
