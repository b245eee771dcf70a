//! Where to connect: `app:8080`, `127.0.0.1:8080`, `[::1]:8080`.

use std::fmt;
use std::str::FromStr;

use http::uri::Authority;

/// A host, by name or address, and a TCP port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    host: String,
    port: u16,
}

/// Text that is not a host and a port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a host and a port such as app:8080, 127.0.0.1:8080 or [::1]:8080")]
pub struct Misnamed;

impl HostPort {
    /// Of an authority (RFC 3986, section 3.2), with the port that it implies when it names none.
    ///
    /// # Errors
    /// When it has no host, port 0, a port that is no number, or user information.
    pub fn of(authority: &Authority, implied: Option<u16>) -> Result<Self, Misnamed> {
        let host = authority.host();
        // What follows the host, which user information would precede.
        let port = match authority.as_str().strip_prefix(host).ok_or(Misnamed)? {
            "" => implied,
            rest => rest.strip_prefix(':').and_then(|port| port.parse().ok()),
        };
        let port = port.filter(|port| *port != 0).ok_or(Misnamed)?;
        let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() { Err(Misnamed) } else { Ok(Self { host: host.to_owned(), port }) }
    }

    /// The name or address, an IPv6 one without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; never 0.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for HostPort {
    type Err = Misnamed;

    fn from_str(text: &str) -> Result<Self, Misnamed> {
        Self::of(&text.parse().map_err(|_| Misnamed)?, None)
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_as_they_are_read() {
        for text in ["app:8080", "127.0.0.1:80", "[::1]:8080", "a-b.example:65535"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
        assert_eq!("[::1]:8080".parse::<HostPort>().unwrap().host(), "::1");
    }

    #[test]
    fn what_is_not_a_host_and_a_port_is_refused() {
        for text in
            ["", "app", "app:", ":80", "app:0", "app:65536", "app:http", "a b:1", "me@app:80", "app:80/x"]
        {
            assert!(text.parse::<HostPort>().is_err(), "{text:?} was read as a host and a port");
        }
    }
}
