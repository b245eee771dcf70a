//! The bearer token that costly work needs (RFC 6750).

use std::fmt;

use subtle::ConstantTimeEq;

/// A bearer token. Its `Debug` text does not hold it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes a token as it stands in a file or a variable; white space around it is not part of it.
    ///
    /// # Errors
    /// A sentence, without the token, where nothing is left or a header could not carry it.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let token = text.trim();
        if token.is_empty() {
            Err("it is empty: expected a token")
        } else if !token.bytes().all(|b| b.is_ascii_graphic()) {
            Err("it holds more than a token: expected visible ASCII characters without spaces")
        } else {
            Ok(Self(token.to_owned()))
        }
    }

    /// The token itself, for a header and nowhere else.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// Whether an `Authorization` header's value carries this token, compared in a time that does not
    /// tell how much of it was right.
    #[must_use]
    pub fn is_in(&self, authorization: &[u8]) -> bool {
        match authorization.split_at_checked("bearer ".len()) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => {
                token.trim_ascii().ct_eq(self.0.as_bytes()).into()
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_needs_the_very_token() {
        let token = Token::new(" s3cret\n").unwrap();
        assert!(token.is_in(b"Bearer s3cret"));
        assert!(token.is_in(b"bearer  s3cret "));
        for wrong in ["", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Basic s3cret", "s3cret"] {
            assert!(!token.is_in(wrong.as_bytes()), "{wrong:?} was let in");
        }
    }

    #[test]
    fn a_token_is_something_and_is_never_shown() {
        assert_eq!(format!("{:?}", Token::new("s3cret").unwrap()), "Token(..)");
        for text in ["", " \n", "two words", "naïve"] {
            let error = Token::new(text).unwrap_err();
            assert!(text.trim().is_empty() || !error.contains(text.trim()), "{error}");
        }
    }
}
