//! References to the environment in a drill file: `${NAME}` and `${NAME:-default}`.

/// A text whose references cannot be read or resolved. No value of the environment is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// It is no reference.
    #[error("a dollar sign begins a reference: write it as ${{NAME}} or ${{NAME:-default}}")]
    Malformed,
    /// The environment does not have it, or has nothing in it.
    #[error("the environment variable {0} is not set or empty: set it, or write ${{{0}:-default}}")]
    Unset(String),
    /// Its name says that it holds a secret.
    #[error(
        "the environment variable {0} is named like a secret, and a target is sent, shown and kept: use --token-file or --header-file for secrets"
    )]
    Secret(String),
}

/// Last words of a variable's name that say that it holds a secret: `AWS_SECRET_ACCESS_KEY`, and not `AUTH_URL`.
const SECRET: [&str; 11] = [
    "APIKEY",
    "AUTH",
    "CREDENTIAL",
    "CREDENTIALS",
    "KEY",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "SECRET",
    "TOKEN",
];

fn is_secret(name: &str) -> bool {
    name.rsplit('_').next().is_some_and(|word| SECRET.contains(&word.to_ascii_uppercase().as_str()))
}

/// The text with each reference replaced by what `lookup` has under its name, or by its default where
/// that is nothing or empty. A default is text, without references of its own.
///
/// # Errors
/// When a dollar sign begins no reference, one without a default is not set, or one is named like a secret:
/// whoever wrote the file would have it sent to where they like.
pub fn resolve(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, Unresolved> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        let (inside, next) =
            after.strip_prefix('{').and_then(|after| after.split_once('}')).ok_or(Unresolved::Malformed)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !crate::promql::is_name(name) || default.is_some_and(|default| default.contains('$')) {
            return Err(Unresolved::Malformed);
        }
        if is_secret(name) {
            return Err(Unresolved::Secret(name.to_owned()));
        }
        let value = lookup(name).filter(|value| !value.is_empty()).or_else(|| default.map(str::to_owned));
        resolved.push_str(before);
        resolved.push_str(&value.ok_or_else(|| Unresolved::Unset(name.to_owned()))?);
        rest = next;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// The text with each reference replaced by its default; nothing where one has none.
///
/// # Errors
/// When a dollar sign begins no reference, or one is named like a secret.
pub fn defaults(text: &str) -> Result<Option<String>, Unresolved> {
    // With any value first: a reference may be malformed behind one that is not set.
    resolve(text, |_| Some("1".to_owned()))?;
    Ok(resolve(text, |_| None).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<String, String> {
        let lookup = |name: &str| match name {
            "HOST" => Some("app".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        resolve(text, lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn references_are_replaced_by_what_the_environment_has_or_by_their_default() {
        for (text, whole) in [
            ("http://app", "http://app"),
            ("http://${HOST}:${PORT:-8080}", "http://app:8080"),
            ("${EMPTY:-http://app}", "http://app"),
            ("${HOST:-x}${PORT:-}", "app"),
        ] {
            assert_eq!(resolved(text).as_deref(), Ok(whole), "{text}");
        }
    }

    #[test]
    fn no_secret_of_the_environment_gets_into_a_target() {
        for name in
            ["FIREDRILL_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "db_password", "NPM_AUTH", "PASS"]
        {
            for text in [format!("http://example.com/${{{name}}}"), format!("http://${{{name}:-app}}")] {
                let read = |_: &str| Some("hunter2".to_owned());
                assert_eq!(resolve(&text, read), Err(Unresolved::Secret(name.to_owned())), "{text}");
                assert_eq!(defaults(&text), Err(Unresolved::Secret(name.to_owned())), "{text}");
            }
        }
        for name in ["MONKEY", "AUTH_HOST", "TOKENS"] {
            let text = format!("http://${{{name}}}");
            assert_eq!(resolve(&text, |_| Some("app".to_owned())).as_deref(), Ok("http://app"), "{name}");
        }
    }

    #[test]
    fn one_that_is_not_set_is_told_by_its_name_and_one_that_is_none_is_not_taken_for_text() {
        for (text, name) in [("${PORT}", "PORT"), ("${EMPTY}", "EMPTY")] {
            assert_eq!(
                resolved(text),
                Err(format!(
                    "the environment variable {name} is not set or empty: set it, or write ${{{name}:-default}}"
                ))
            );
        }
        for text in ["$HOST", "${HOST", "${}", "${1}", "${HO ST}", "$", "${A:-${B}}", "${HOST-x}"] {
            assert!(resolved(text).unwrap_err().contains("${NAME}"), "{text}");
            assert_eq!(defaults(&format!("${{PORT}}{text}")), Err(Unresolved::Malformed), "{text}");
        }
        assert_eq!(defaults("http://${HOST:-app}:80"), Ok(Some("http://app:80".to_owned())));
        assert_eq!(defaults("${PORT}"), Ok(None));
    }
}
