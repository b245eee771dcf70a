//! A JSON object as named values, as a query has them.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::refusal::quoted;

/// The members of a JSON object in their order, those that come twice included, which a map would drop.
pub(super) struct Members(pub(super) Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsMembers;
        impl<'de> Visitor<'de> for AsMembers {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object such as {\"latency\": \"40ms\", \"error_rate\": 0.05}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value = match map.next_value::<serde_json::Value>()? {
                        serde_json::Value::String(text) => text,
                        serde_json::Value::Number(number) => decimal(&number),
                        other => {
                            let message = format!("{name} is {other}: a string or a number would be right");
                            return Err(de::Error::custom(quoted(&message)));
                        }
                    };
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(AsMembers)
    }
}

/// A number as a query has it: JSON's `1e3` and `200.0` are 1000 and 200 there.
fn decimal(number: &serde_json::Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        // What is added makes zero of the zero that has a sign.
        Some(float) => (float + 0.0).to_string(),
        None => number.to_string(),
    }
}
