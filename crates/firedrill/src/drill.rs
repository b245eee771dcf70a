//! `firedrill drill FILE...`: proves that monitoring told the truth.

mod display;
mod lanes;
pub(super) mod output;
mod own;
mod preparation;
mod sources;
mod uuencode;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use clap::builder::FalseyValueParser;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::watch;

use super::{ca_file, flag, open_files, token};
use display::Display;
use firedrill_contract::Time;
use firedrill_drill::conduct::{Drill, Stage};
use firedrill_drill::evidence::Now;
use firedrill_drill::judge::{Verdict, judge};
use firedrill_drill::report::Report;
use firedrill_drill::run::Run;
use firedrill_net::Target;
use firedrill_net::shutdown::{self, Shutdown, ShutdownSignal};
use output::Output;
use own::OwnService;
use preparation::Prepared;

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Flags {
    /// Drill files; - reads standard input [default: a built-in drill of some 20 s]
    #[arg(value_name = "FILE")]
    files: Vec<String>,

    /// Target URL; overrides `target` in the file [default: a service that the drill starts itself]
    #[arg(long, value_name = "URL", env = "FIREDRILL_DRILL_TARGET", value_parser = Target::parse_origin)]
    target: Option<Target>,

    #[command(flatten)]
    evidence: sources::Flags,

    /// Random seed; overrides `seed` in the file [default: random]
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_DRILL_SEED")]
    seed: Option<u64>,

    /// Run drills of different workloads in parallel, and those with `alone: true` after them
    #[arg(long, env = "FIREDRILL_DRILL_PARALLEL", value_parser = FalseyValueParser::new())]
    parallel: bool,

    /// Request timeout, from sending to the end of the response, from 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_DRILL_TIMEOUT", default_value = "30s", value_parser = flag::wait)]
    timeout: Duration,

    /// Maximum requests in flight of a drill, from 1 to 100000; what is due above it is counted as not sent
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_DRILL_MAX_IN_FLIGHT", default_value = "1000",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_in_flight: u32,

    /// Directory for run files and reports: NAME.run.json, NAME.html, NAME.json, NAME.xml (JUnit)
    #[arg(long, value_name = "DIR", env = "FIREDRILL_DRILL_OUT", default_value = "firedrill-runs")]
    out: PathBuf,

    /// Print those files too, gzipped and uuencoded (`uuencode -m`), for where only the log outlives a drill,
    /// as in ECS or a Kubernetes Job
    #[arg(long, env = "FIREDRILL_DRILL_PRINT_FILES", value_parser = FalseyValueParser::new())]
    print_files: bool,

    /// Show details of passes too
    #[arg(long, env = "FIREDRILL_DRILL_VERBOSE", value_parser = FalseyValueParser::new())]
    verbose: bool,

    #[command(flatten)]
    ca: ca_file::Flags,

    #[command(flatten)]
    token: token::Flags,

    /// File of header fields for every request to the target, one `Name: value` per line; put secrets here,
    /// not in a drill file
    #[arg(long, value_name = "PATH", env = "FIREDRILL_DRILL_HEADER_FILE")]
    header_file: Option<PathBuf>,
}

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  pass: monitoring told the truth
  1  fail: monitoring did not
  2  inconclusive: a bad file, missing evidence, a drill that was late itself, an interruption";

pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    open_files::allow(flags.max_in_flight.into(), "--max-in-flight")?;
    let output = Output::new(&flags.out, flags.verbose)?.print_files(flags.print_files);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the threads that send")?;
    let verdict = runtime.block_on(async {
        let stopping = shutdown::on_signals().context("cannot handle SIGTERM and SIGINT")?;
        let own = match (&flags.target, flags.files.is_empty()) {
            (None, true) => Some(OwnService::start().await?),
            _ => None,
        };
        let prepared = preparation::prepare(flags, own.as_ref().map(OwnService::target))?;
        output.names("drill files", prepared.iter().map(|prepared| &*prepared.name))?;
        let verdict = drill(prepared, flags.parallel, &output, stopping).await;
        anyhow::Ok((verdict, own))
    });
    let (verdict, own) = verdict?;
    drop(own);
    // A look-up that still hangs must not hold the end up.
    runtime.shutdown_background();
    Ok(ExitCode::from(verdict?.exit_code()))
}

/// Conducts all of them, one after another or side by side, and says what came of each. The worst verdict counts.
async fn drill(
    prepared: Vec<Prepared>,
    parallel: bool,
    output: &Output,
    stopping: ShutdownSignal,
) -> anyhow::Result<Verdict> {
    let display = Display::new();
    let mut done = Vec::new();
    for step in lanes::arrange(prepared, parallel) {
        let lanes = step.into_iter().map(|lane| follow(lane, output, &display, &stopping));
        for lane in join_all(lanes).await {
            done.extend(lane?);
        }
    }
    output.sum(&done)?;
    let verdicts = done.iter().map(|(_, verdict)| *verdict);
    Ok(verdicts.max().unwrap_or(Verdict::Inconclusive))
}

/// Conducts drills one after another: what each is called, and what came of it.
async fn follow(
    lane: Vec<Prepared>,
    output: &Output,
    display: &Display,
    stopping: &ShutdownSignal,
) -> anyhow::Result<Vec<(String, Verdict)>> {
    let mut done = Vec::new();
    for Prepared { name, again, drill } in lane {
        let conducted = if stopping.asked() >= Shutdown::Graceful {
            Err("interrupted before it began".to_owned())
        } else {
            one(&name, drill, display, stopping.clone()).await
        };
        let verdict = display.suspend(|| output.say(&name, &again, conducted))?;
        done.push((name, verdict));
    }
    Ok(done)
}

/// What came of one drill: its run, or why it could not begin.
type Conducted = Result<Run, String>;

async fn one(name: &str, drill: Drill, display: &Display, stopping: ShutdownSignal) -> Conducted {
    let now: Now = Arc::new(|| Time::from(Timestamp::now()));
    let (stages, watched) = watch::channel(Stage::Asking);
    let shown = tokio::spawn(display.clone().follow(name.to_owned(), drill.load.plan().clone(), watched));
    let conducted = drill.conduct(&now, &stages, stopping).await;
    drop(stages);
    let _ = shown.await;
    conducted.map_err(|unready| unready.to_string())
}

/// The report of a run, judged.
pub(super) fn report(run: &Run) -> Report {
    Report::new(run, &judge(run))
}
