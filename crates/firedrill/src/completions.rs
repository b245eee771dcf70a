//! `firedrill completions SHELL`: what a shell completes commands and flags with.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Shell to complete for
    shell: Shell,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    // Into memory first: the generator would panic where nobody reads its output any more.
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut Cli::command(), "firedrill", &mut script);
    stdout().write_all(&script).context("cannot write the completions")?;
    Ok(ExitCode::SUCCESS)
}
