//! `firedrill judge RUN...`: repeats the verdict of a run file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::drill;
use super::drill::output::{self, Output};
use firedrill_drill::judge::Verdict;
use firedrill_drill::report::Written;
use firedrill_drill::run::{Run, VERSION};

#[derive(Debug, Args)]
#[command(after_help = drill::EXIT_CODES)]
pub(super) struct Flags {
    /// Run files written by `firedrill drill`
    #[arg(value_name = "RUN", required_unless_present = "schema")]
    runs: Vec<PathBuf>,

    /// Print the report as JSON
    #[arg(long, env = "FIREDRILL_JUDGE_JSON", value_parser = FalseyValueParser::new())]
    json: bool,

    /// Write the reports to this directory: NAME.html, NAME.json, NAME.xml (JUnit)
    #[arg(long, value_name = "DIR", env = "FIREDRILL_JUDGE_OUT")]
    out: Option<PathBuf>,

    /// Print the JSON Schema of run files
    #[arg(long, env = "FIREDRILL_JUDGE_SCHEMA", conflicts_with = "runs", value_parser = FalseyValueParser::new())]
    schema: bool,

    /// Show details of passes too
    #[arg(long, env = "FIREDRILL_JUDGE_VERBOSE", value_parser = FalseyValueParser::new())]
    verbose: bool,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    if flags.schema {
        return super::print_schema(&schemars::schema_for!(Run));
    }
    let output = flags.out.as_ref().map(|directory| Output::new(directory, flags.verbose)).transpose()?;
    let names = flags.runs.iter().map(|path| name(path)).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some(output) = &output {
        output.names("run files", names.iter().map(|name| &**name))?;
    }
    let mut worst = Verdict::Pass;
    for (path, name) in flags.runs.iter().zip(&names) {
        let run = read(path)?;
        let report = drill::report(&run);
        worst = worst.max(report.verdict);
        let written = match &output {
            Some(output) => output.reports(name, &run, &report, path, None)?,
            None => Written { run: Some(path.display().to_string()), ..Written::default() },
        };
        let text =
            if flags.json { report.json() } else { report.text(&written, output::look(flags.verbose)) };
        output::print(&text)?;
    }
    Ok(ExitCode::from(worst.exit_code()))
}

/// What the reports of a run file are called: `calm` of `calm.run.json`.
fn name(path: &Path) -> anyhow::Result<String> {
    let name = path.file_name().with_context(|| format!("{} is no file", path.display()))?.to_string_lossy();
    let name = name.strip_suffix(".json").unwrap_or(&name);
    Ok(name.strip_suffix(".run").unwrap_or(name).to_owned())
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
