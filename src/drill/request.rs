//! What is sent.

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri, header};
use http_body_util::Full;

use super::target::Target;

/// A request that is sent over and over, the same but for its number.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its query, without the question mark.
    pub query: Query,
    /// Its header fields, without `Host`.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// A query string in which one parameter may count the requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    encoded: String,
    counter: Option<String>,
}

impl Query {
    /// Of these parameters, percent-encoded as forms are; `counter`, if any, comes last, counts from 0.
    pub fn new<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>, counter: Option<&str>) -> Self {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(parameters);
        Self { encoded: encoded.finish(), counter: counter.map(str::to_owned) }
    }

    /// The `n`th of them, after a question mark unless it is empty.
    fn nth(&self, n: u64) -> String {
        match &self.counter {
            Some(counter) if self.encoded.is_empty() => format!("?{counter}={n}"),
            Some(counter) => format!("?{}&{counter}={n}", self.encoded),
            None if self.encoded.is_empty() => String::new(),
            None => format!("?{}", self.encoded),
        }
    }
}

impl Request {
    /// The `n`th of them, for this target; a query of the target's own is left out.
    ///
    /// # Errors
    /// When path and query are too long together, 65,534 bytes.
    pub fn nth(&self, n: u64, target: &Target) -> Result<http::Request<Full<Bytes>>, http::Error> {
        let path = format!("{}{}", target.path(), self.query.nth(n));
        let mut request = http::Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from(PathAndQuery::from_maybe_shared(Bytes::from(path))?);
        request.headers_mut().clone_from(&self.headers);
        request.headers_mut().insert(header::HOST, target.host_header().clone());
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(parameters: &[(&str, &str)], counter: Option<&str>, n: u64) -> String {
        let query = Query::new(parameters.iter().copied(), counter);
        let request = Request { method: Method::GET, query, headers: HeaderMap::new(), body: Bytes::new() };
        let target = Target::parse("http://app:8080/work").unwrap();
        request.nth(n, &target).unwrap().uri().to_string()
    }

    #[test]
    fn requests_are_counted_in_their_query() {
        assert_eq!(path(&[("seed", "7")], Some("n"), 41), "/work?seed=7&n=41");
        assert_eq!(path(&[], Some("n"), 0), "/work?n=0");
        assert_eq!(path(&[("cpu", "1ms")], None, 3), "/work?cpu=1ms");
        assert_eq!(path(&[], None, 3), "/work");
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(path(&[("latency", "p50=1ms,p99=2ms")], None, 0), "/work?latency=p50%3D1ms%2Cp99%3D2ms");
    }

    #[test]
    fn the_host_is_the_one_of_the_url() {
        let target = Target::parse("http://app:8080").unwrap();
        let (method, query) = (Method::GET, Query::default());
        let request = Request { method, query, headers: HeaderMap::new(), body: Bytes::new() };
        assert_eq!(request.nth(0, &target).unwrap().headers()["host"], "app:8080");
    }
}
