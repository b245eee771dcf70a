//! The JSON Schema of drill files, for editors.

use schemars::Schema;
use schemars::transform::{RecursiveTransform, Transform as _};
use serde_json::{Value, json};

use super::DrillFile;

impl DrillFile {
    /// The JSON Schema (draft 2020-12) of drill files. It refuses what [`read`](Self::read) refuses, but for
    /// the order of an expectation's keys, and wants quotes where a text looks like a number. What
    /// [`check`](Self::check) finds is not for it to say.
    #[must_use]
    pub fn schema() -> Schema {
        let mut schema = schemars::schema_for!(Self);
        RecursiveTransform(without_null).transform(&mut schema);
        schema
    }
}

/// What may be left out may not be null: a key without a value is refused.
fn without_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(any)) = schema.get_mut("anyOf") else { return };
    any.retain(|one| *one != json!({ "type": "null" }));
    if let [Value::Object(only)] = &any[..] {
        let only = only.clone();
        schema.remove("anyOf");
        only.into_iter().for_each(|(key, value)| drop(schema.insert(key, value)));
    }
}
