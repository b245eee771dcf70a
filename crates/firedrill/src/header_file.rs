//! Header fields from a file, which may be secrets: never from a flag, never in a run file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Reads header fields: `Name: value`, one a line. Empty lines, and those that begin with `#`, are left out.
pub(super) fn read(path: &Path) -> anyhow::Result<HeaderMap> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the header file {shown}"))?;
    parse(&text).map_err(|(line, expected)| anyhow!("{shown}:{line}: expected {expected}"))
}

/// The header fields of a text; otherwise the line that is none, and what would be right. What stands there
/// may be a secret, and is not shown.
fn parse(text: &str) -> Result<HeaderMap, (usize, &'static str)> {
    let mut headers = HeaderMap::new();
    for (line, field) in text.lines().enumerate() {
        if field.trim().is_empty() || field.starts_with('#') {
            continue;
        }
        let refused = |expected| (line + 1, expected);
        let (name, value) = field.split_once(':').ok_or(refused("a header field such as `Name: value`"))?;
        let name = HeaderName::from_bytes(name.as_bytes());
        let name = name.map_err(|_| refused("the name of a header field before the colon"))?;
        let value = HeaderValue::from_str(value.trim());
        let mut value = value.map_err(|_| refused("a value of visible ASCII characters"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_a_line_each() {
        let headers = parse("# who\nAuthorization: Bearer s3cret\n\nX-Tenant:a:b\n").unwrap();
        assert_eq!(headers.len(), 2);
        assert_eq!(headers["authorization"], "Bearer s3cret");
        assert_eq!(headers["x-tenant"], "a:b");
        assert!(!format!("{headers:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_no_field_is_refused_by_its_line_without_what_stands_there() {
        for (text, line) in [("s3cret", 1), ("A: b\na b: s3cret", 2), ("A: s3\u{7}cret", 1)] {
            let (found, expected) = parse(text).unwrap_err();
            assert_eq!(found, line, "{text:?}");
            assert!(!expected.contains("s3cret"));
        }
    }
}
