//! The command line: one module a command, each with its flags and the wiring behind them.
//!
//! Every flag has an environment variable of the same name (`--listen`, `FIREDRILL_LISTEN`).
//! Exit codes: 0 done, 1 the answer is no (`probe`), 2 could not do what was asked.

mod flag;
mod log;
mod open_files;
mod serve;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The test button for your monitoring.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    log: log::Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service that misbehaves on request.
    Serve(Box<serve::Flags>),
}

/// Reads the command line and does what it says.
#[must_use]
pub fn run() -> ExitCode {
    // Clap itself answers --help and a wrong flag, the latter on stderr with exit code 2.
    let cli = Cli::parse();
    cli.log.install();
    let done = match cli.command {
        Command::Serve(flags) => serve::run(*flags),
    };
    done.unwrap_or_else(|error| {
        // The whole chain in one line; a person needs a sentence, not a backtrace.
        eprintln!("firedrill: {error:#}");
        ExitCode::from(2)
    })
}
