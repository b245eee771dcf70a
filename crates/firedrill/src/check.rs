//! `firedrill check FILE...`: whether drill files are right, without sending or asking anything.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use clap::builder::FalseyValueParser;

use super::drill_file::DrillText;
use firedrill_contract::quantity::format_duration;
use firedrill_drill::file::DrillFile;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Drill files; - reads standard input
    #[arg(value_name = "FILE", required_unless_present = "schema", env = "FIREDRILL_CHECK_FILE")]
    files: Vec<String>,

    /// Print the JSON Schema of drill files, for editors
    #[arg(long, env = "FIREDRILL_CHECK_SCHEMA", conflicts_with = "files", value_parser = FalseyValueParser::new())]
    schema: bool,
}

/// Runs the command.
pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    if flags.schema {
        return super::print_schema(&DrillFile::schema());
    }
    let mut all_right = true;
    for path in &flags.files {
        match check(path) {
            Ok(about) => writeln!(stdout(), "{path}: {about}").context("cannot write what was found")?,
            Err(reasons) => {
                super::complain(&reasons);
                all_right = false;
            }
        }
    }
    Ok(if all_right { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// What a drill that is right comes to, in few words; otherwise all that is wrong with it.
fn check(path: &str) -> Result<String, String> {
    let text = DrillText::open(path).map_err(|error| format!("firedrill: cannot read {path}: {error}"))?;
    let file = text.read().map_err(|unusable| unusable.to_string())?;
    let lasts = file.phases.values().map(|phase| phase.span.0).sum();
    let (phases, expectations) = (file.phases.len(), file.expect.len());
    Ok(format!(
        "right: {} in {}, {}",
        of(phases, "phase"),
        format_duration(lasts),
        of(expectations, "expectation")
    ))
}

fn of(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
