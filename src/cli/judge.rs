//! `firedrill judge RUN...`: repeats the verdict of a run file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::drill::{self, output};
use crate::drill::judge::Outcome;
use crate::drill::report::Written;
use crate::drill::run::{Run, VERSION};

#[derive(Debug, Args)]
#[command(after_help = drill::EXIT_CODES)]
pub(super) struct Flags {
    /// Run files, as `firedrill drill` writes them
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,

    /// Write the report as JSON
    #[arg(long, env = "FIREDRILL_JUDGE_JSON", value_parser = FalseyValueParser::new())]
    json: bool,

    /// Show the details of what held, too
    #[arg(long, env = "FIREDRILL_JUDGE_VERBOSE", value_parser = FalseyValueParser::new())]
    verbose: bool,
}

/// Runs the command.
pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let mut worst = Outcome::Held;
    for path in &flags.runs {
        let run = read(path)?;
        let (outcome, report) = drill::judged(&run);
        worst = worst.max(outcome);
        let written = Written { run: Some(path.display().to_string()), ..Written::default() };
        let text =
            if flags.json { report.json() } else { report.text(&written, output::look(flags.verbose)) };
        output::print(&text)?;
    }
    Ok(ExitCode::from(worst.exit_code()))
}

/// Reads a run file.
fn read(path: &Path) -> anyhow::Result<Run> {
    /// What every version has.
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    let shown = path.display();
    let open =
        || File::open(path).map(BufReader::new).with_context(|| format!("cannot read the run file {shown}"));
    let not_one = || format!("{shown} is no run file as `firedrill drill` writes it");
    let Versioned { version } = serde_json::from_reader(open()?).with_context(not_one)?;
    if version != VERSION {
        bail!("{shown} is a run file of version {version}; this program reads version {VERSION}");
    }
    serde_json::from_reader(open()?).with_context(not_one)
}
