//! Reads what a service exposes, strictly: the Prometheus text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Prometheus itself is lenient and takes the first of two samples that contradict each other. Here
//! whatever the format leaves undefined is an error that names its line, since a number that depends
//! on who reads it is not the truth.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// One sample of one series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exposed<'a> {
    /// Its metric.
    pub(super) name: &'a str,
    /// Its labels, in the order in which they are written.
    pub(super) labels: Vec<(&'a str, Cow<'a, str>)>,
    /// Its value.
    pub(super) value: f64,
    /// When it was taken, in milliseconds since 1970, where the service says.
    pub(super) at: Option<i64>,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub(super) struct Wrong {
    line: usize,
    what: String,
}

/// The types of metrics.
const TYPES: [&str; 5] = ["counter", "gauge", "histogram", "summary", "untyped"];

/// Reads a whole exposition.
///
/// # Errors
/// The first line that is not as the format says, or that says again what another one said.
pub(super) fn parse(text: &str) -> Result<Vec<Exposed<'_>>, Wrong> {
    let mut document = Document::default();
    let mut rest = text;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let line = rest.split_once('\n').ok_or_else(|| "it does not end with a line feed".to_owned());
        let taken = line.and_then(|(line, after)| document.take(line).map(|()| after));
        rest = taken.map_err(|what| Wrong { line: number, what })?;
    }
    Ok(document.samples)
}

/// What was read so far.
#[derive(Default)]
struct Document<'a> {
    samples: Vec<Exposed<'a>>,
    /// Of each metric family, what has been said.
    families: HashMap<&'a str, Family<'a>>,
    /// The family whose lines are being read.
    current: Option<&'a str>,
    /// A hash of each series.
    series: HashSet<u64>,
}

#[derive(Default)]
struct Family<'a> {
    help: bool,
    kind: Option<&'a str>,
    sampled: bool,
}

impl<'a> Document<'a> {
    fn take(&mut self, line: &'a str) -> Result<(), String> {
        match line.strip_prefix('#') {
            Some(comment) => self.comment(comment),
            None if line.trim_matches([' ', '\t']).is_empty() => Ok(()),
            None => self.sample(line),
        }
    }

    fn comment(&mut self, comment: &'a str) -> Result<(), String> {
        let (keyword, rest) = word(comment);
        if !matches!(keyword, "HELP" | "TYPE") {
            return Ok(());
        }
        let (name, rest) = word(rest);
        if !is_metric(name) {
            return Err(format!("{keyword} of {name:?}, which is no metric name"));
        }
        self.enter(name)?;
        let family = self.families.entry(name).or_default();
        if keyword == "HELP" {
            escapes(rest, &['\\', 'n'])?;
            return if std::mem::replace(&mut family.help, true) {
                Err(format!("a second HELP of {name}"))
            } else {
                Ok(())
            };
        }
        let (kind, after) = word(rest);
        if !TYPES.contains(&kind) || !after.is_empty() {
            return Err(format!("{:?} is no type: expected one of {}", rest.trim(), TYPES.join(", ")));
        }
        if family.sampled {
            return Err(format!("TYPE of {name} after its first sample"));
        }
        match family.kind.replace(kind) {
            Some(_) => Err(format!("a second TYPE of {name}")),
            None => Ok(()),
        }
    }

    fn sample(&mut self, line: &'a str) -> Result<(), String> {
        let (sample, rest) = head(line)?;
        let (value, rest) = word(rest);
        let value = number(value).ok_or_else(|| format!("{value:?} is no value"))?;
        let (at, rest) = word(rest);
        let at = match at {
            "" => None,
            at => Some(at.parse().map_err(|_| format!("{at:?} is no time in milliseconds"))?),
        };
        if !rest.is_empty() {
            return Err(format!("{rest:?} follows the sample"));
        }
        let family = self.family(sample.name);
        self.enter(family)?;
        self.families.entry(family).or_default().sampled = true;
        if !self.series.insert(identity(&sample)) {
            return Err(format!("a second sample of {}", written(&sample)));
        }
        self.samples.push(Exposed { value, at, ..sample });
        Ok(())
    }

    /// The family that a sample belongs to.
    fn family(&self, name: &'a str) -> &'a str {
        let of = |suffixes: &[&str], kinds: &[&str]| {
            let family = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix))?;
            let kind = self.families.get(family)?.kind?;
            kinds.contains(&kind).then_some(family)
        };
        of(&["_bucket"], &["histogram"])
            .or_else(|| of(&["_count", "_sum"], &["histogram", "summary"]))
            .unwrap_or(name)
    }

    /// Takes note that lines of this family follow, which must stand together.
    fn enter(&mut self, family: &'a str) -> Result<(), String> {
        if self.current == Some(family) {
            return Ok(());
        }
        if self.families.contains_key(family) {
            return Err(format!("more of {family}, whose lines should stand together"));
        }
        self.families.insert(family, Family::default());
        self.current = Some(family);
        Ok(())
    }
}

/// The next word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches([' ', '\t']);
    let end = text.find([' ', '\t']).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start_matches([' ', '\t']))
}

/// Name and labels of a sample, and what follows them.
fn head(line: &str) -> Result<(Exposed<'_>, &str), String> {
    let line = line.trim_start_matches([' ', '\t']);
    let end = line.find(['{', ' ', '\t']).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if !is_metric(name) {
        return Err(format!("{name:?} is no metric name"));
    }
    let mut sample = Exposed { name, labels: Vec::new(), value: 0.0, at: None };
    let rest = rest.trim_start_matches([' ', '\t']);
    let Some(mut rest) = rest.strip_prefix('{') else { return Ok((sample, rest)) };
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((sample, after));
        }
        let (label, after) = label(rest)?;
        if sample.labels.iter().any(|(name, _)| *name == label.0) {
            return Err(format!("label {} is given twice", label.0));
        }
        sample.labels.push(label);
        rest = after.trim_start_matches([' ', '\t']);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => {
                return Err(format!(
                    "expected , or }} after label {}",
                    sample.labels[sample.labels.len() - 1].0
                ));
            }
        }
    }
}

/// The next label, and what follows it.
fn label(text: &str) -> Result<((&str, Cow<'_, str>), &str), String> {
    let (name, rest) = text.split_once('=').ok_or_else(|| format!("expected a label at {text:?}"))?;
    let name = name.trim_matches([' ', '\t']);
    if !is_label(name) {
        return Err(format!("{name:?} is no label name"));
    }
    let quoted = rest.trim_start_matches([' ', '\t']).strip_prefix('"');
    let quoted = quoted.ok_or_else(|| format!("expected the value of label {name} in quotation marks"))?;
    let mut escaped = false;
    let end = quoted.find(|c| match c {
        _ if escaped => {
            escaped = false;
            false
        }
        '\\' => {
            escaped = true;
            false
        }
        c => c == '"',
    });
    let end = end.ok_or_else(|| format!("the value of label {name} does not end"))?;
    let value = escapes(&quoted[..end], &['\\', '"', 'n']).map_err(|what| format!("label {name}: {what}"))?;
    Ok(((name, value), &quoted[end + 1..]))
}

/// A text without its escapes, of which these exist.
fn escapes<'a>(text: &'a str, known: &[char]) -> Result<Cow<'a, str>, String> {
    if !text.contains('\\') {
        return Ok(text.into());
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        match characters.next() {
            Some(escaped) if known.contains(&escaped) => {
                plain.push(if escaped == 'n' { '\n' } else { escaped })
            }
            Some(escaped) => return Err(format!("\\{escaped} is no escape sequence")),
            None => return Err("a backslash at the end".to_owned()),
        }
    }
    Ok(plain.into())
}

/// A value as Go's `ParseFloat` takes it, without its hexadecimal forms and underscores.
fn number(text: &str) -> Option<f64> {
    let digits = text.trim_start_matches(['+', '-']);
    // Rust knows these words in any case, too, and no others.
    let known = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || ["nan", "inf", "infinity"].contains(&digits.to_ascii_lowercase().as_str());
    text.parse().ok().filter(|_| known)
}

fn is_metric(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

fn is_label(name: &str) -> bool {
    is_metric(name) && !name.contains(':')
}

/// What tells a series from all others: an empty label is none, and the order of labels does not count.
fn identity(sample: &Exposed<'_>) -> u64 {
    let mut labels: Vec<_> = sample.labels.iter().filter(|(_, value)| !value.is_empty()).collect();
    labels.sort_unstable();
    let mut hasher = DefaultHasher::new();
    (sample.name, labels).hash(&mut hasher);
    hasher.finish()
}

fn written(sample: &Exposed<'_>) -> String {
    let labels: Vec<_> = sample.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    if labels.is_empty() {
        sample.name.to_owned()
    } else {
        format!("{}{{{}}}", sample.name, labels.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        match parse(text) {
            Ok(samples) => panic!("{text:?} was read as {samples:?}"),
            Err(wrong) => wrong.to_string(),
        }
    }

    #[test]
    fn what_the_format_allows_is_read() {
        let text = "# HELP a_total Of \\\\ and \\n.\n# TYPE a_total counter\n\
                    a_total{method=\"GET\",path=\"C:\\\\\\\"x\\\"\\n\",} 3 1395066363000\n\
                    a_total { method = \"POST\" , path = \"}{,\" }\t1.5e3\n\n\
                    # just a comment, TYPE of nothing\n#\n\
                    b NaN\nc{} +Inf\nd -Inf -1\n\
                    # TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 2.5\nh_count 2\n\
                    # TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 1\ns_count 1\n";
        let samples = parse(text).unwrap();
        let first = &samples[0];
        assert_eq!((first.name, first.value, first.at), ("a_total", 3.0, Some(1_395_066_363_000)));
        assert_eq!(first.labels, [("method", "GET".into()), ("path", "C:\\\"x\"\n".into())]);
        assert_eq!(samples[1].labels, [("method", "POST".into()), ("path", "}{,".into())]);
        assert_eq!(samples[1].value, 1_500.0);
        assert!(samples[2].value.is_nan());
        assert_eq!(
            (samples[3].value, samples[4].value, samples[4].at),
            (f64::INFINITY, f64::NEG_INFINITY, Some(-1))
        );
        assert_eq!(samples.len(), 12);
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn what_it_does_not_is_an_error_that_names_the_line() {
        for (text, expected) in [
            ("a 1\nb 2", "line 2: it does not end with a line feed"),
            ("a 1\nb 2\nb 3\n", "line 3: a second sample of b"),
            ("a{b=\"1\",c=\"2\"} 1\na{c=\"2\",b=\"1\"} 1\n", "line 2: a second sample of a{c=\"2\",b=\"1\"}"),
            ("a{b=\"\"} 1\na 1\n", "line 2: a second sample of a"),
            ("a{b=\"1\",b=\"2\"} 1\n", "line 1: label b is given twice"),
            ("a{b=\"\\t\"} 1\n", "line 1: label b: \\t is no escape sequence"),
            ("# HELP a \\t\n", "line 1: \\t is no escape sequence"),
            ("a{b=\"1} 1\n", "line 1: the value of label b does not end"),
            ("a{b=\"1\\\"} 1\n", "line 1: the value of label b does not end"),
            ("a{b=1} 1\n", "line 1: expected the value of label b in quotation marks"),
            ("a{b=\"1\" c=\"2\"} 1\n", "line 1: expected , or } after label b"),
            ("a{b=\"1\"\n", "line 1: expected , or } after label b"),
            ("a{,} 1\n", "line 1: expected a label at \",} 1\""),
            ("a{1b=\"1\"} 1\n", "line 1: \"1b\" is no label name"),
            ("a{b:c=\"1\"} 1\n", "line 1: \"b:c\" is no label name"),
            ("1a 1\n", "line 1: \"1a\" is no metric name"),
            ("{b=\"1\"} 1\n", "line 1: \"\" is no metric name"),
            ("a-b 1\n", "line 1: \"a-b\" is no metric name"),
            ("a\n", "line 1: \"\" is no value"),
            ("a one\n", "line 1: \"one\" is no value"),
            ("a 1,5\n", "line 1: \"1,5\" is no value"),
            ("a 0x1p3\n", "line 1: \"0x1p3\" is no value"),
            ("a 1 now\n", "line 1: \"now\" is no time in milliseconds"),
            ("a 1 1.5\n", "line 1: \"1.5\" is no time in milliseconds"),
            ("a 1 1 1\n", "line 1: \"1\" follows the sample"),
            ("a 1\r\n", "line 1: \"1\\r\" is no value"),
            (
                "# TYPE a count\n",
                "line 1: \"count\" is no type: expected one of counter, gauge, histogram, summary, untyped",
            ),
            (
                "# TYPE a\n",
                "line 1: \"\" is no type: expected one of counter, gauge, histogram, summary, untyped",
            ),
            ("# TYPE a counter\n# TYPE a counter\n", "line 2: a second TYPE of a"),
            ("# HELP a b\n# HELP a b\n", "line 2: a second HELP of a"),
            ("a 1\n# TYPE a gauge\n", "line 2: TYPE of a after its first sample"),
            ("# TYPE a-b gauge\n", "line 1: TYPE of \"a-b\", which is no metric name"),
            ("a{c=\"1\"} 1\nb 1\na{c=\"2\"} 1\n", "line 3: more of a, whose lines should stand together"),
            ("# TYPE a gauge\nb 1\na 1\n", "line 3: more of a, whose lines should stand together"),
            (
                "# TYPE h histogram\nh_count 1\nb 1\nh_sum 1\n",
                "line 4: more of h, whose lines should stand together",
            ),
        ] {
            assert_eq!(wrong(text), expected, "{text:?}");
        }
    }
}
