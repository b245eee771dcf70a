//! A dashboard's variables, and their place in its queries.

use std::collections::BTreeMap;

use serde_json::Value;

/// What each variable stands for.
#[derive(Debug)]
pub(super) struct Variables(BTreeMap<String, String>);

/// What stands for every value, in a matcher by regular expression.
const ALL: &str = ".*";

impl Variables {
    /// Those of a dashboard, as it was saved; those that Grafana sets; and those that are given, which win.
    pub(super) fn of(
        dashboard: &Value,
        built_in: BTreeMap<String, String>,
        given: BTreeMap<String, String>,
    ) -> Self {
        let mut values = BTreeMap::new();
        for variable in dashboard["templating"]["list"].as_array().into_iter().flatten() {
            if let (Some(name), Some(value)) = (variable["name"].as_str(), saved(variable, &built_in)) {
                values.insert(name.to_owned(), value);
            }
        }
        values.extend(built_in);
        values.extend(given);
        Self(values)
    }

    /// An expression with `$name`, `${name}` and `[[name]]` replaced.
    ///
    /// # Errors
    /// Names the variable that has no value.
    pub(super) fn replace(&self, expression: &str) -> Result<String, String> {
        let mut replaced = String::new();
        let mut rest = expression;
        while let Some(at) = rest.find(['$', '[']) {
            replaced.push_str(&rest[..at]);
            rest = &rest[at..];
            match reference(rest) {
                Some((name, written)) => {
                    replaced.push_str(&self.value(name, written)?);
                    rest = &rest[written.len()..];
                }
                None => {
                    replaced.push_str(&rest[..1]);
                    rest = &rest[1..];
                }
            }
        }
        replaced.push_str(rest);
        Ok(replaced)
    }

    fn value(&self, name: &str, written: &str) -> Result<String, String> {
        let value = self.0.get(name).cloned();
        value.ok_or_else(|| format!("the variable {written} has no value: give it one under variables"))
    }
}

/// The variable that a text begins with, and how it is written.
fn reference(text: &str) -> Option<(&str, &str)> {
    let enclosed = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?;
        let end = inner.find(close)?;
        Some((&inner[..end], &text[..open.len() + end + close.len()]))
    };
    let bare = || {
        let inner = text.strip_prefix('$')?;
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        Some((&inner[..end], &text[..=end]))
    };
    let (name, written) = enclosed("${", "}").or_else(|| enclosed("[[", "]]")).or_else(bare)?;
    // How its values are joined makes no difference to one value.
    let name = name.split(':').next().unwrap_or(name);
    // `$1` is a group of label_replace, and a lone `$` the end of a regular expression.
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    is_name.then_some((name, written))
}

/// The value that a variable was saved with.
fn saved(variable: &Value, built_in: &BTreeMap<String, String>) -> Option<String> {
    let all = || {
        let own = variable["allValue"].as_str().filter(|value| !value.is_empty());
        own.unwrap_or(ALL).to_owned()
    };
    let one = |value: &str| match value {
        "$__all" => Some(all()),
        auto if auto.starts_with("$__auto") => built_in.get("__interval").cloned(),
        "" => None,
        value => Some(value.to_owned()),
    };
    let current = match &variable["current"]["value"] {
        Value::String(value) => one(value),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().filter_map(|value| one(value.as_str()?)).collect();
            match values.len() {
                0 => None,
                1 => values.into_iter().next(),
                _ => Some(format!("({})", values.join("|"))),
            }
        }
        _ => None,
    };
    let constant = || match variable["type"].as_str() {
        Some("constant" | "textbox") => variable["query"].as_str().map(str::to_owned),
        _ => None,
    };
    let includes_all = || (variable["includeAll"] == true).then(all);
    current.or_else(constant).or_else(includes_all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn each_way_to_write_a_variable_is_replaced_and_nothing_else() {
        let variables = Variables(pairs(&[("job", "app"), ("__range", "90s")]));
        for (expression, replaced) in [
            ("a{job=\"$job\"}[$__range]", "a{job=\"app\"}[90s]"),
            ("a{job=\"${job}\",b=\"[[job]]\"}", "a{job=\"app\",b=\"app\"}"),
            ("a{job=~\"${job:regex}\"}", "a{job=~\"app\"}"),
            ("a{b=~\".*x$\"}[5m]", "a{b=~\".*x$\"}[5m]"),
            (
                "label_replace(a, \"b\", \"$1-${2}\", \"c\", \"(.*)$\")",
                "label_replace(a, \"b\", \"$1-${2}\", \"c\", \"(.*)$\")",
            ),
            ("a{b=~\"[[:alpha:]]$job\"}", "a{b=~\"[[:alpha:]]app\"}"),
        ] {
            assert_eq!(variables.replace(expression).as_deref(), Ok(replaced));
        }
        for (expression, unknown) in [("a{b=\"$jobs\"}", "$jobs"), ("a{b=\"${jobs:csv}\"}", "${jobs:csv}")] {
            let error = variables.replace(expression).unwrap_err();
            assert_eq!(error, format!("the variable {unknown} has no value: give it one under variables"));
        }
    }

    #[test]
    fn a_variable_has_the_value_that_was_saved_unless_one_is_given() {
        let dashboard = json!({ "templating": { "list": [
            { "name": "job", "type": "query", "current": { "value": "saved" } },
            { "name": "given", "type": "query", "current": { "value": "saved" } },
            { "name": "all", "type": "query", "current": { "value": ["$__all"] } },
            { "name": "own", "type": "custom", "allValue": "a|b", "current": { "value": "$__all" } },
            { "name": "several", "type": "custom", "current": { "value": ["a", "b"] } },
            { "name": "one", "type": "custom", "current": { "value": ["a"] } },
            { "name": "constant", "type": "constant", "query": "c" },
            { "name": "auto", "type": "interval", "current": { "value": "$__auto_interval_auto" } },
            { "name": "unsaved", "type": "query", "includeAll": true, "current": {} },
            { "name": "unknown", "type": "query", "current": {} },
        ] } });
        let variables =
            Variables::of(&dashboard, pairs(&[("__interval", "1s")]), pairs(&[("given", "here")]));
        for (name, value) in [
            ("job", "saved"),
            ("given", "here"),
            ("all", ".*"),
            ("own", "a|b"),
            ("several", "(a|b)"),
            ("one", "a"),
            ("constant", "c"),
            ("auto", "1s"),
            ("unsaved", ".*"),
        ] {
            assert_eq!(variables.replace(&format!("${name}")).as_deref(), Ok(value), "{name}");
        }
        assert!(variables.replace("$unknown").unwrap_err().contains("$unknown has no value"));
    }
}
