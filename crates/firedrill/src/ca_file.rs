//! Whom to trust where an address is one of `https`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use firedrill_net::Trust;

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// PEM file of the certificate authorities to trust for https, instead of the system's
    #[arg(long, value_name = "PATH", env = "FIREDRILL_CA_FILE")]
    ca_file: Option<PathBuf>,
}

impl Flags {
    /// Reads the file, where there is one.
    pub(super) fn trust(&self) -> anyhow::Result<Trust> {
        let Some(path) = &self.ca_file else { return Ok(Trust::of_system()) };
        let shown = path.display();
        let text = std::fs::read(path).with_context(|| format!("cannot read the CA file {shown}"))?;
        Trust::only(&text).with_context(|| format!("cannot use the CA file {shown}"))
    }
}
