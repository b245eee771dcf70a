//! A bearer token: from a file, or from the environment, never from a flag.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, bail};
use clap::Args;
use http::HeaderValue;

use firedrill_contract::Token;

/// Where the token is.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// File with the bearer token, e.g. a Docker secret; or set FIREDRILL_TOKEN to the token itself
    /// [default: no token]
    #[arg(long, value_name = "PATH", env = "FIREDRILL_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

impl Flags {
    /// The token, if there is one.
    pub(super) fn read(&self) -> anyhow::Result<Option<Token>> {
        read(self.token_file.as_deref(), "FIREDRILL_TOKEN")
    }
}

/// The header field that shows a token.
pub(super) fn bearer(token: &Token) -> HeaderValue {
    // A token has nothing but visible ASCII characters, which every header can carry.
    let value = HeaderValue::from_str(&format!("Bearer {}", token.secret()));
    let mut bearer = value.unwrap_or(HeaderValue::from_static("Bearer"));
    bearer.set_sensitive(true);
    bearer
}

/// The token in the file of `--token-file` or in this variable, if it is in one of them.
pub(super) fn read(file: Option<&Path>, variable: &str) -> anyhow::Result<Option<Token>> {
    let value = std::env::var_os(variable).filter(|value| !value.is_empty());
    match (file, value) {
        (Some(_), Some(_)) => bail!("both {variable} and --token-file are given: give one of them"),
        (Some(path), None) => {
            let read = std::fs::read_to_string(path);
            let text = read.with_context(|| format!("cannot read the token file {}", path.display()))?;
            let token = Token::new(&text);
            token
                .map(Some)
                .map_err(Error::msg)
                .with_context(|| format!("cannot use the token file {}", path.display()))
        }
        (None, Some(value)) => {
            let token = Token::new(&value.to_string_lossy());
            token.map(Some).map_err(Error::msg).with_context(|| format!("cannot use {variable}"))
        }
        (None, None) => Ok(None),
    }
}
