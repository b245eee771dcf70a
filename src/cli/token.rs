//! The secret that costly work needs: from a file, or from the environment, never from a flag.

use std::path::PathBuf;

use anyhow::{Context as _, Error, bail};
use clap::Args;

use crate::contract::Token;

/// Where the token is.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// File that holds the bearer token, e.g. a Docker secret; FIREDRILL_TOKEN may hold the token itself instead
    /// [default: no token]
    #[arg(long, value_name = "PATH", env = "FIREDRILL_TOKEN_FILE")]
    token_file: Option<PathBuf>,
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
                token
                    .map(Some)
                    .map_err(Error::msg)
                    .with_context(|| format!("cannot use the token file {}", path.display()))
            }
            (None, Some(value)) => {
                let token = Token::new(&value.to_string_lossy());
                token.map(Some).map_err(Error::msg).with_context(|| format!("cannot use {VARIABLE}"))
            }
            (None, None) => Ok(None),
        }
    }
}
