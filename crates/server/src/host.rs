//! Which host a request is for: one Host field, and one that is a host (RFC 9110, section 7.2; RFC 9112, section 3.2).

use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Version, header};

use super::problem::Problem;

/// Refuses a request that does not say which host it is for, or says so in two ways: a proxy before this
/// server may have taken it for another one.
pub(super) fn check(head: &Parts) -> Result<(), Problem> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let uri = &head.uri;
    let wrong = match (hosts.next(), hosts.next()) {
        // A host alone is what CONNECT asks for, and nothing else (RFC 9112, section 3.2.3).
        _ if uri.scheme().is_none() && uri.authority().is_some() && head.method != Method::CONNECT => {
            "the request's target has no slash before its path"
        }
        (Some(host), None) if is_host(host) => return Ok(()),
        (None, _) if head.version < Version::HTTP_11 => return Ok(()),
        (None, _) => "the request has no Host header: HTTP/1.1 requires one",
        (Some(_), Some(_)) => "the request has more than one Host header: send one",
        (Some(_), None) => "the request's Host header is not a host with an optional port",
    };
    Err(Problem::new(StatusCode::BAD_REQUEST, wrong).header(header::CONNECTION, "close"))
}

/// Whether it is `uri-host [ ":" port ]`; both may be empty.
fn is_host(value: &HeaderValue) -> bool {
    let value = value.as_bytes();
    let literal = value.strip_prefix(b"[").and_then(|rest| rest.iter().position(|byte| *byte == b']'));
    let (host, rest) = match literal {
        Some(end) => (&value[1..=end], &value[end + 2..]),
        None => value.split_at(value.iter().position(|byte| *byte == b':').unwrap_or(value.len())),
    };
    let valid = |byte: &u8| match literal {
        Some(_) => byte.is_ascii_alphanumeric() || b":.".contains(byte),
        None => byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte),
    };
    let is_port = |port: &[u8]| port.iter().all(u8::is_ascii_digit);
    host.iter().all(valid) && (rest.is_empty() || rest.strip_prefix(b":").is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        let valid = |host: &[u8]| is_host(&HeaderValue::from_bytes(host).unwrap());
        for host in
            ["", "test", "a.b-c_d~", "1.2.3.4:80", "[::1]", "[::ffff:1.2.3.4]:", "test:", ":80", "ex%41mple"]
        {
            assert!(valid(host.as_bytes()), "{host:?}");
        }
        for host in [
            "a b", "a/b", "a@b", "a?b", "a#b", "http://a", "a:b", "a:1:2", "[::1", "::1", "[::1]x",
            "[::1]:x", "[a b]", "a\tb",
        ] {
            assert!(!valid(host.as_bytes()), "{host:?}");
        }
        assert!(!valid(b"\xfcber"));
    }
}
