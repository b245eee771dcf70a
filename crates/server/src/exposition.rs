//! `/metrics` in the format that the client asked for.
//!
//! Prometheus' protobuf carries the native histograms; OpenMetrics 1.0 and the older text format carry
//! the classic buckets alone.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prometheus_client::encoding::{prometheus_protobuf, text};
use prometheus_client::registry::Registry;

use super::answer::{Answer, full};
use super::problem::Problem;

/// Everything in a registry, as one client asked for it.
#[derive(Debug)]
pub struct Exposition {
    format: Format,
    gzipped: bool,
    /// What is sent.
    pub bytes: Vec<u8>,
}

impl Exposition {
    /// Writes everything in the registry, in the format and encoding that these headers ask for.
    ///
    /// # Errors
    /// Where a metric cannot be encoded.
    pub fn write(registry: &Registry, headers: &HeaderMap) -> Result<Self, EncodeError> {
        let format = Format::negotiate(headers);
        let plain = format.encode(registry)?;
        let gzipped = accepts_gzip(headers);
        let bytes = if gzipped { gzip(&plain, Compression::fast()) } else { plain };
        Ok(Self { format, gzipped, bytes })
    }
}

/// Answers a scrape.
///
/// # Errors
/// 500 where a metric cannot be encoded.
pub fn answer(registry: &Registry, headers: &HeaderMap) -> Result<Answer, Problem> {
    let exposition = Exposition::write(registry, headers)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let answer = Answer::ok(exposition.format.content_type(), full(exposition.bytes))
        .header(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    Ok(if exposition.gzipped {
        answer.header(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))
    } else {
        answer
    })
}

/// A format in which metrics can be exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Prometheus' text format 0.0.4: what a person with curl gets.
    Text,
    /// OpenMetrics 1.0.0 text.
    OpenMetrics,
    /// Length-delimited `io.prometheus.client.MetricFamily` messages.
    Protobuf,
}

/// The exposition could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the metrics could not be encoded: {0}")]
pub struct EncodeError(String);

impl Format {
    /// The format that the client prefers (RFC 9110, section 12.5.1), the text format where it names
    /// none that exists: a scrape that is answered in the wrong format can be seen, one that is refused
    /// is a gap.
    fn negotiate(headers: &HeaderMap) -> Self {
        let mut best = (0.0, Self::Text);
        for (range, quality) in weighted(headers, &header::ACCEPT) {
            if let Some(format) = Self::matching(range)
                && quality > best.0
            {
                best = (quality, format);
            }
        }
        best.1
    }

    fn matching(range: &str) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next()?;
        let parameters: Vec<_> = parts.filter_map(|p| p.split_once('=')).collect();
        let parameter = |name: &str| {
            parameters
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim_matches('"'))
        };
        match kind.to_ascii_lowercase().as_str() {
            "application/vnd.google.protobuf" => (parameter("proto")
                == Some("io.prometheus.client.MetricFamily")
                && parameter("encoding") == Some("delimited"))
            .then_some(Self::Protobuf),
            "application/openmetrics-text" => {
                matches!(parameter("version"), None | Some("1.0.0")).then_some(Self::OpenMetrics)
            }
            "text/plain" => matches!(parameter("version"), None | Some("0.0.4")).then_some(Self::Text),
            "text/*" | "*/*" => Some(Self::Text),
            _ => None,
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        })
    }

    /// Everything in the registry, in this format.
    fn encode(self, registry: &Registry) -> Result<Vec<u8>, EncodeError> {
        if self == Self::Protobuf {
            return prometheus_protobuf::encode_to_vec(registry)
                .map_err(|error| EncodeError(error.to_string()));
        }
        let mut open_metrics = String::with_capacity(64 << 10);
        text::encode(&mut open_metrics, registry).map_err(|error| EncodeError(error.to_string()))?;
        Ok(match self {
            Self::Text => as_text(&open_metrics).into_bytes(),
            Self::OpenMetrics | Self::Protobuf => open_metrics.into_bytes(),
        })
    }
}

/// Whether the client takes gzip.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    weighted(headers, &header::ACCEPT_ENCODING)
        .any(|(coding, quality)| quality > 0.0 && coding.trim().eq_ignore_ascii_case("gzip"))
}

/// Compresses. For a scrape quickly rather than well: it is short-lived and near.
pub fn gzip(plain: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 8), level);
    // Writing to a vector does not fail.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default()
}

/// The elements of a list header, each without its weight, and the weight.
fn weighted<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = (&'a str, f32)> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|element| match element.split_once(";q=") {
        Some((range, weight)) => {
            let weight = weight.split(';').next().unwrap_or_default().trim();
            (range, weight.parse().unwrap_or(0.0))
        }
        None => (element, 1.0),
    })
}

/// OpenMetrics text as Prometheus' text format 0.0.4.
///
/// They differ in what the comments call a counter (with `_total` here) and an info metric (a gauge
/// with `_info`), in units, and in the last line.
fn as_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            // Writing to a string does not fail.
            let _ = write!(text, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n");
        } else if !line.starts_with("# ") {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn each_client_gets_the_format_that_it_likes_best() {
        let prometheus_with_native = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, format) in [
            (prometheus_with_native, Format::Protobuf),
            (prometheus, Format::OpenMetrics),
            ("*/*", Format::Text),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/vnd.google.protobuf", Format::Text),
            ("text/plain;q=0.1, application/openmetrics-text;q=0.2", Format::OpenMetrics),
            ("application/json", Format::Text),
            ("application/openmetrics-text;q=0", Format::Text),
            ("", Format::Text),
        ] {
            assert_eq!(Format::negotiate(&headers(header::ACCEPT, accept)), format, "{accept}");
        }
        assert_eq!(Format::negotiate(&HeaderMap::new()), Format::Text);
    }

    #[test]
    fn gzip_is_sent_to_whom_it_pleases() {
        for (accept, taken) in
            [("gzip", true), ("br, gzip;q=0.5", true), ("gzip;q=0", false), ("identity", false)]
        {
            assert_eq!(accepts_gzip(&headers(header::ACCEPT_ENCODING, accept)), taken, "{accept}");
        }
    }

    #[test]
    fn the_text_format_names_counters_and_infos_as_it_should() {
        let open_metrics = "# HELP a_seconds A.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1\n\
             # HELP b B.\n# TYPE b info\nb_info{c=\"d\"} 1\n# HELP e E.\n# TYPE e gauge\ne 2\n# EOF\n";
        let text = "# HELP a_seconds_total A.\n# TYPE a_seconds_total counter\na_seconds_total 1\n\
             # HELP b_info B.\n# TYPE b_info gauge\nb_info{c=\"d\"} 1\n# HELP e E.\n# TYPE e gauge\ne 2\n";
        assert_eq!(as_text(open_metrics), text);
    }
}
