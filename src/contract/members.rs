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
                        serde_json::Value::Number(number) => number.to_string(),
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
