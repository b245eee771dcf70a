//! `firedrill check FILE...`: whether drill files are right, without sending or asking anything.

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use clap::builder::FalseyValueParser;

use super::drill_file;
use firedrill_contract::display;
use firedrill_drill::file::DrillFile;
use firedrill_drill::file::check::Checked;
use firedrill_drill::file::source::Source;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Drill files; - reads standard input
    #[arg(value_name = "FILE", required_unless_present = "schema", env = "FIREDRILL_CHECK_FILE")]
    files: Vec<String>,

    /// Print the JSON Schema of drill files, for editors
    #[arg(long, env = "FIREDRILL_CHECK_SCHEMA", conflicts_with = "files", value_parser = FalseyValueParser::new())]
    schema: bool,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    if flags.schema {
        return super::print_schema(&DrillFile::schema());
    }
    let mut worst = 0;
    for path in &flags.files {
        let code = match drill_file::open(path) {
            Ok(source) => check(path, &source)?,
            Err(error) => {
                super::complain(&format!("firedrill: cannot read {path}: {error}"));
                2
            }
        };
        worst = worst.max(code);
    }
    Ok(ExitCode::from(worst))
}

/// Says what a drill comes to that is right, otherwise all that is wrong with it.
fn check(path: &str, source: &Source) -> anyhow::Result<u8> {
    let file = match source.check() {
        Ok(Checked { file, .. }) => file,
        Err(problems) => {
            drill_file::refuse(source, &problems);
            return Ok(1);
        }
    };
    let lasts = display::duration(file.phases.values().map(|phase| phase.span.0).sum());
    let phases = display::count(file.phases.len(), "phase", "phases");
    let expectations = display::count(file.expect.len(), "expectation", "expectations");
    writeln!(stdout(), "{path}: valid: {phases} in {lasts}, {expectations}")
        .context("cannot write to stdout")?;
    Ok(0)
}
