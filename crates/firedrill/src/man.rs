//! `firedrill man [COMMAND]`: a manual page, made of what `--help` says.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, CommandFactory as _};

use super::Cli;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Command to describe [default: the program]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let mut program = Cli::command();
    // Names the commands in full, as the pages refer to one another.
    program.build();
    let about = match &flags.command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command.clone(),
            None => {
                let names = program.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>();
                bail!("there is no command {name:?}: expected one of {}", names.join(", "));
            }
        },
    };
    let mut page = Vec::new();
    let source = concat!("firedrill ", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(about).source(source).render(&mut page).context("cannot make the page")?;
    stdout().write_all(&page).context("cannot write the page")?;
    Ok(ExitCode::SUCCESS)
}
