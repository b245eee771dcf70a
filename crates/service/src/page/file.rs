//! A file of the page: its bytes, plain and compressed, and what a browser that has it already is told.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use bytes::Bytes;
use flate2::Compression;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use firedrill_server::answer::{Answer, full};
use firedrill_server::exposition::{accepts_gzip, gzip};

/// One file, as it is served.
pub(super) struct File {
    content_type: HeaderValue,
    plain: Bytes,
    gzipped: Bytes,
    /// Weak, since the compressed bytes and the plain ones share it (RFC 9110, section 8.8.3).
    etag: HeaderValue,
}

impl File {
    pub(super) fn new(content_type: HeaderValue, text: impl Into<Bytes>) -> Self {
        let plain = text.into();
        // Tells versions of a file apart, and needs to withstand nobody.
        let mut hasher = DefaultHasher::new();
        plain.hash(&mut hasher);
        let etag = format!("W/\"{:016x}\"", hasher.finish());
        Self {
            content_type,
            gzipped: gzip(&plain, Compression::best()).into(),
            plain,
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("W/\"0\"")),
        }
    }

    /// 200 with the file, or 304 to a client that has it. A browser asks each time, so that the page is
    /// never older than its service.
    pub(super) fn answer(&self, headers: &HeaderMap) -> Answer {
        let ok = |bytes: &Bytes| Answer::ok(self.content_type.clone(), full(bytes.clone()));
        let answer = if self.is_known(headers) {
            Answer::empty(StatusCode::NOT_MODIFIED)
        } else if accepts_gzip(headers) {
            ok(&self.gzipped).header(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))
        } else {
            ok(&self.plain)
        };
        answer
            .header(header::ETAG, self.etag.clone())
            .header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))
            .header(header::VARY, HeaderValue::from_static("accept-encoding"))
    }

    /// Whether the client has this version (RFC 9110, section 13.1.2, by weak comparison).
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
        let ours = opaque(self.etag.as_bytes());
        headers.get_all(header::IF_NONE_MATCH).into_iter().any(|value| {
            let tags = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            tags.into_iter().any(|tag| tag == b"*" || opaque(tag) == ours)
        })
    }
}
