//! What a source wants to see before it answers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use firedrill_contract::Token;

/// What a source wants to see before it answers. Its `Debug` text does not hold it.
#[derive(Clone)]
pub struct Credentials {
    authorization: HeaderValue,
    /// What must not be shown, wherever it turns up.
    secrets: Vec<String>,
}

/// A user and a password that cannot be sent (RFC 7617, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a user without a colon, and neither user nor password with control characters")]
pub struct Unsendable;

impl Credentials {
    /// A bearer token (RFC 6750).
    #[must_use]
    pub fn bearer(token: &Token) -> Self {
        // A token has nothing but visible ASCII characters, which every header can carry.
        let value = HeaderValue::from_str(&format!("Bearer {}", token.secret()));
        Self::hidden(value.unwrap_or(HeaderValue::from_static("Bearer")), vec![token.secret().to_owned()])
    }

    /// A user and a password (RFC 7617).
    ///
    /// # Errors
    /// When they cannot be told apart or sent.
    pub fn basic(user: &str, password: &str) -> Result<Self, Unsendable> {
        let either = format!("{user}:{password}");
        if user.contains(':') || either.chars().any(char::is_control) {
            return Err(Unsendable);
        }
        let encoded = STANDARD.encode(either);
        let value = HeaderValue::from_str(&format!("Basic {encoded}")).map_err(|_| Unsendable)?;
        Ok(Self::hidden(value, vec![password.to_owned(), encoded]))
    }

    fn hidden(mut authorization: HeaderValue, mut secrets: Vec<String>) -> Self {
        authorization.set_sensitive(true);
        secrets.retain(|secret| !secret.is_empty());
        Self { authorization, secrets }
    }

    /// The value of the `Authorization` header.
    pub const fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }

    /// The text without what must not be shown.
    pub fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}
