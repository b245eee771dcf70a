//! Where requests go: `http://app:8080`, `https://app.example/work`.

use std::fmt;

use http::{HeaderValue, Uri};

use crate::{Connector, HostPort, Trust};

/// An HTTP address: whom to connect to, and the path to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    secure: bool,
    host: HostPort,
    host_header: HeaderValue,
    path: String,
    query: Option<String>,
}

/// Text that is not a target, and what would have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    /// It holds a name or a password.
    #[error("a URL with a user or a password in it would show in logs: expected one such as http://app:8080")]
    Credentials,
    /// It is not an HTTP URL.
    #[error("expected a URL such as http://app:8080")]
    Malformed,
    /// It has a path or a query.
    #[error("expected a URL without a path, such as http://app:8080: the phases say what to request")]
    Path,
}

impl Target {
    /// Reads a URL (RFC 3986) of the scheme `http` or `https`, its port 80 or 443 where it names none.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(url: &str) -> Result<Self, NoTarget> {
        let uri: Uri = url.parse().map_err(|_| NoTarget::Malformed)?;
        let authority = uri.authority().ok_or(NoTarget::Malformed)?;
        let (secure, port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => return Err(NoTarget::Malformed),
        };
        if authority.as_str().contains('@') {
            return Err(NoTarget::Credentials);
        }
        let host = HostPort::of(authority, Some(port)).map_err(|_| NoTarget::Malformed)?;
        let host_header = HeaderValue::from_str(authority.as_str()).map_err(|_| NoTarget::Malformed)?;
        let query = uri.query().map(str::to_owned);
        Ok(Self { secure, host, host_header, path: uri.path().to_owned(), query })
    }

    /// Reads a URL without a path and a query, which the phases of a drill have.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse_origin(url: &str) -> Result<Self, NoTarget> {
        let target = Self::parse(url)?;
        if target.path == "/" && target.query.is_none() { Ok(target) } else { Err(NoTarget::Path) }
    }

    /// With this path, where the URL had none.
    #[must_use]
    pub fn or_path(mut self, path: &str) -> Self {
        if self.path == "/" {
            path.clone_into(&mut self.path);
        }
        self
    }

    /// Scheme, host and port, without path and query.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.host)
    }

    /// What connects to it; where it is `https`, to nobody but whom `trust` vouches for.
    #[must_use]
    pub fn connector(&self, trust: &Trust) -> Connector {
        let connector = Connector::new(self.host.clone());
        if self.secure { connector.secured(trust.clone()) } else { connector }
    }

    /// Whom to connect to.
    #[must_use]
    pub const fn host(&self) -> &HostPort {
        &self.host
    }

    /// The value of the `Host` header (RFC 9110, section 7.2).
    #[must_use]
    pub const fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// The path to ask for; begins with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query of the URL, without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)?;
        self.query.iter().try_for_each(|query| write!(f, "?{query}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_takes_the_one_that_is_meant() {
        for (url, whole) in [
            ("http://app:8080", "http://app:8080/work"),
            ("http://app:8080/", "http://app:8080/work"),
            ("http://app", "http://app:80/work"),
            ("https://app", "https://app:443/work"),
            ("https://app:8443/x", "https://app:8443/x"),
            ("http://[::1]:8080/other", "http://[::1]:8080/other"),
        ] {
            assert_eq!(Target::parse(url).unwrap().or_path("/work").to_string(), whole);
        }
    }

    #[test]
    fn what_cannot_be_a_target_is_refused_with_the_reason() {
        assert_eq!(Target::parse("http://me:secret@app"), Err(NoTarget::Credentials));
        for url in [
            "",
            "app:8080",
            "app",
            "/work",
            "ftp://app",
            "http://",
            "http://app:0",
            "http://app:x",
            "http://a b",
        ] {
            assert_eq!(Target::parse(url), Err(NoTarget::Malformed), "{url:?}");
        }
    }
}
