//! OpenMetrics 1.0, read as strictly as its specification allows: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A metric family: what is said of it, and its samples.
#[derive(Debug, Default)]
pub(crate) struct Family<'a> {
    name: &'a str,
    kind: Option<&'a str>,
    unit: Option<&'a str>,
    help: Option<&'a str>,
    pub(crate) samples: Vec<Sample<'a>>,
}

#[derive(Debug)]
pub(crate) struct Sample<'a> {
    /// What follows the family's name.
    suffix: &'a str,
    labels: BTreeMap<&'a str, String>,
    value: f64,
}

#[test]
fn what_is_not_openmetrics_is_refused() {
    let good = "# HELP a_seconds A \\\"quoted\\\" text\\n.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n\
                a_seconds_total{b=\"\\\"c,d}\\\\\"} 1.5\n\
                # TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n# EOF\n";
    assert_eq!(read(good).map(|families| families.len()), Ok(2));
    for (right, wrong) in [
        ("# EOF\n", ""),
        ("# EOF\n", "# EOF"),
        ("# EOF\n", "# EOF\n# EOF\n"),
        ("# EOF\n", "\n# EOF\n"),
        ("# EOF\n", "# a comment\n# EOF\n"),
        ("# EOF\n", "# TYPE a_seconds counter\n# EOF\n"),
        ("# EOF\n", "a_seconds_total 2\n# EOF\n"),
        ("# EOF\n", "h_count 2\n# EOF\n"),
        ("# EOF\n", "# TYPE i info\ni_info 2\n# EOF\n"),
        ("# EOF\n", "# TYPE g gauge\ng_total 2\n# EOF\n"),
        ("# EOF\n", "# TYPE h_count gauge\nh_count 2\n# EOF\n"),
        ("a_seconds_total", "a_seconds"),
        ("counter", "tally"),
        ("# TYPE a_seconds counter\n", "# TYPE a_seconds counter\n# TYPE a_seconds counter\n"),
        ("# UNIT a_seconds seconds", "# UNIT a_seconds bytes"),
        ("} 1.5", "} -1.5"),
        ("} 1.5", "} NaN"),
        ("} 1.5", "} one"),
        ("} 1.5", "}1.5"),
        ("{b=", "{b=\"1\",b="),
        ("{b=", "{1b="),
        ("{b=", "{b"),
        ("\\\\\"}", "\\q\"}"),
        ("\\n.", "\\q."),
        ("h_bucket{le=\"+Inf\"} 2\n", ""),
        ("h_bucket{le=\"+Inf\"} 2", "h_bucket{le=\"+Inf\"} 3"),
        ("h_bucket{le=\"0.1\"} 1", "h_bucket{le=\"0.1\"} 3"),
        ("h_bucket{le=\"0.1\"} 1", "h_bucket{le=\"0.1\"} 1\nh_bucket{le=\"0.05\"} 1"),
        ("h_bucket{le=\"0.1\"} 1", "h_bucket 1"),
        ("h_sum 3\n", ""),
    ] {
        let text = good.replacen(right, wrong, 1);
        assert_ne!(text, good, "{right}");
        assert!(read(&text).is_err(), "accepted:\n{text}");
    }
}

/// All families of an exposition, or the first rule that it breaks.
pub(crate) fn read(text: &str) -> Result<Vec<Family<'_>>, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("the last line is not # EOF")?;
    let mut families: Vec<Family> = Vec::new();
    for line in body.lines() {
        let broken = |rule: &str| format!("{rule}: {line}");
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (Some(keyword), Some(name), Some(rest)) = (words.next(), words.next(), words.next()) else {
                return Err(broken("a comment that is not HELP, TYPE or UNIT"));
            };
            if families.last().is_none_or(|family| family.name != name) {
                families.push(Family { name, ..Family::default() });
            }
            let family = families.last_mut().ok_or("no family")?;
            let said = match keyword {
                "HELP" => &mut family.help,
                "TYPE" => &mut family.kind,
                "UNIT" => &mut family.unit,
                _ => return Err(broken("a comment that is not HELP, TYPE or UNIT")),
            };
            if said.replace(rest).is_some() || !family.samples.is_empty() {
                return Err(broken("said twice, or after its samples"));
            }
        } else {
            let (name, labels, value) = sample(line).ok_or_else(|| broken("not a sample"))?;
            let family = families.last_mut().ok_or_else(|| broken("a sample of no family"))?;
            let suffix =
                name.strip_prefix(family.name).ok_or_else(|| broken("a sample of another family"))?;
            family.samples.push(Sample { suffix, labels, value });
        }
    }
    let mut names = BTreeSet::new();
    for family in &families {
        obeys(family).map_err(|rule| format!("{}: {rule}", family.name))?;
        let suffixes: BTreeSet<_> = family.samples.iter().map(|sample| sample.suffix).chain([""]).collect();
        for suffix in suffixes {
            if !names.insert(format!("{}{suffix}", family.name)) {
                return Err(format!("{}{suffix}: the name of two families", family.name));
            }
        }
    }
    Ok(families)
}

/// The rules that bind a family as a whole.
fn obeys(family: &Family) -> Result<(), String> {
    let kind = family.kind.unwrap_or("unknown");
    let suffixes: &[&str] = match kind {
        "counter" => &["_total", "_created"],
        "gauge" | "unknown" => &[""],
        "histogram" => &["_bucket", "_count", "_sum", "_created"],
        "info" => &["_info"],
        _ => return Err(format!("the type {kind} is not one that this service has")),
    };
    if let Some(unit) = family.unit
        && !family.name.ends_with(&format!("_{unit}"))
    {
        return Err(format!("the name does not end in its unit, {unit}"));
    }
    unescape(family.help.unwrap_or_default()).ok_or("its help text is not escaped")?;
    let mut seen = BTreeSet::new();
    for sample in &family.samples {
        if !suffixes.contains(&sample.suffix) {
            return Err(format!("a {kind} has no sample {:?}", sample.suffix));
        }
        if !seen.insert((sample.suffix, &sample.labels)) {
            return Err(format!("twice: {sample:?}"));
        }
        let counts = matches!(sample.suffix, "_total" | "_bucket" | "_count");
        if counts && (sample.value.is_nan() || sample.value < 0.0) {
            return Err(format!("counts something that cannot be counted: {sample:?}"));
        }
        if sample.suffix == "_info" && sample.value != 1.0 {
            return Err(format!("an info is 1: {sample:?}"));
        }
    }
    if kind == "histogram" { histogram(family) } else { Ok(()) }
}

/// The samples of one histogram of a family.
#[derive(Debug, Default)]
struct Histogram {
    /// Upper edges, and how many observations are below.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: Option<f64>,
}

/// Each histogram has buckets that only grow, up to +Inf, which is its count; and a sum.
fn histogram(family: &Family) -> Result<(), String> {
    let mut histograms: BTreeMap<String, Histogram> = BTreeMap::new();
    for sample in &family.samples {
        let mut of = String::new();
        for (name, value) in sample.labels.iter().filter(|(name, _)| **name != "le") {
            write!(of, "{name}={value:?},").map_err(|error| error.to_string())?;
        }
        let Histogram { buckets, count, sum } = histograms.entry(of).or_default();
        match sample.suffix {
            "_bucket" => {
                let edge = sample.labels.get("le").and_then(|edge| edge.parse().ok());
                buckets.push((
                    edge.ok_or_else(|| format!("a bucket without an edge: {sample:?}"))?,
                    sample.value,
                ));
            }
            "_count" => *count = Some(sample.value),
            _ => *sum = Some(sample.value),
        }
    }
    for (of, histogram) in histograms {
        let Histogram { buckets, count, sum } = &histogram;
        let grow = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let all = buckets.last().filter(|last| last.0 == f64::INFINITY).map(|last| last.1);
        if !grow || all.is_none() || all != *count || sum.is_none() {
            return Err(format!("{of}: {histogram:?}"));
        }
    }
    Ok(())
}

/// A sample's name, labels and value.
fn sample(line: &str) -> Option<(&str, BTreeMap<&str, String>, f64)> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.split_once("=\"")?;
            let end = closing_quote(quoted)?;
            let value = unescape(&quoted[..end])?;
            if !is_name(label) || label.contains(':') || labels.insert(label, value).is_some() {
                return None;
            }
            rest = &quoted[end + 1..];
            rest = rest.strip_prefix(',').filter(|rest| !rest.starts_with('}')).unwrap_or(rest);
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ')?.parse().ok()?;
    is_name(name).then_some((name, labels, value))
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

/// The text with `\\`, `\"` and `\n` as they are meant; nothing else may be escaped.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                same @ ('\\' | '"') => same,
                _ => return None,
            },
            c => c,
        });
    }
    Some(plain)
}
