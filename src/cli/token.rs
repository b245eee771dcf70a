//! The secret that costly work needs: from a file, or from the environment, never from a flag.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

/// Where the token is.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// File that holds the bearer token, e.g. a Docker secret; FIREDRILL_TOKEN may hold the token itself instead
    /// [default: no token]
    #[arg(long, value_name = "PATH", env = "FIREDRILL_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// A bearer token (RFC 6750). Its Debug text does not hold it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

impl Token {
    fn new(text: &str) -> anyhow::Result<Self> {
        let token = text.trim();
        if token.is_empty() {
            bail!("it is empty: expected a token");
        }
        if !token.bytes().all(|b| b.is_ascii_graphic()) {
            bail!("it holds more than a token: expected visible ASCII characters without spaces");
        }
        Ok(Self(token.to_owned()))
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Flags {
    /// The token, if there is one.
    pub(super) fn read(&self) -> anyhow::Result<Option<Token>> {
        const VARIABLE: &str = "FIREDRILL_TOKEN";
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        match (&self.token_file, variable) {
            (Some(_), Some(_)) => bail!("both {VARIABLE} and --token-file are given: give one of them"),
            (Some(path), None) => {
                let read = std::fs::read_to_string(path);
                let text = read.with_context(|| format!("cannot read the token file {}", path.display()))?;
                let token = Token::new(&text);
                token.map(Some).with_context(|| format!("cannot use the token file {}", path.display()))
            }
            (None, Some(value)) => {
                let token = Token::new(&value.to_string_lossy());
                token.map(Some).with_context(|| format!("cannot use {VARIABLE}"))
            }
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_of_a_file_is_not_part_of_the_token() {
        assert_eq!(Token::new("s3cret\n").unwrap().secret(), "s3cret");
    }

    #[test]
    fn a_token_never_shows() {
        assert_eq!(format!("{:?}", Token::new("s3cret").unwrap()), "Token(..)");
        for text in ["", " \n", "two words", "naïve"] {
            let error = format!("{:#}", Token::new(text).unwrap_err());
            assert!(text.trim().is_empty() || !error.contains(text.trim()), "{error}");
        }
    }
}
