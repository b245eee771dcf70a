//! The command line: one module a command, each with its flags and the wiring behind them.
//!
//! Every flag has an environment variable: `FIREDRILL_LISTEN` is `--listen` of `serve`, and those of the other
//! commands name the command too (`FIREDRILL_LOAD_RATE`).
//! Exit codes: 0 done, 1 the answer is no (`probe`, `drill`, `judge`, `check`), 2 could not do or tell what was asked.

mod ca_file;
mod check;
mod completions;
mod drill;
mod drill_file;
mod flag;
mod forward;
mod header_file;
mod judge;
mod load;
mod log;
mod man;
mod open_files;
mod pager;
mod probe;
mod serve;
mod terminal;
mod token;

use std::io::{Write as _, stdout};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use firedrill_net::sanitize::sanitize_lines;

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
    /// Drive a service and prove that monitoring told the truth about it.
    ///
    /// Send what each drill file says, keep a ledger of what came back, ask Prometheus, Alertmanager, the
    /// pager and Grafana what they saw, and judge them. Without a file: run a short built-in drill, judged
    /// by the target's /metrics alone.
    ///
    /// The first SIGINT or SIGTERM stops the load, keeps the run file and exits with 2; the second exits at
    /// once.
    Drill(Box<drill::Flags>),
    /// Judge run files again, offline.
    Judge(judge::Flags),
    /// Send requests at a fixed rate and report what came back.
    ///
    /// Requests leave on schedule whatever the responses do, and response time is measured from when each
    /// was due, so that a stalled service cannot hide (no coordinated omission). A target that is away is
    /// tried again with the next request.
    ///
    /// The first SIGINT or SIGTERM stops sending and waits for requests in flight, at most for the timeout;
    /// the second exits at once. Exit codes: 0 ended, 2 could not start.
    Load(load::Flags),
    /// Check drill files without sending or asking anything.
    ///
    /// Reads each file, looks for contradictions, and parses its PromQL; where it drills this project's own
    /// service, checks the names of metrics and labels too. Writes each problem to stderr as
    /// FILE:LINE:COLUMN: MESSAGE, with the line of the file below it.
    ///
    /// Exit codes: 0 every file is right, 1 a file is wrong, 2 a file cannot be read.
    Check(check::Flags),
    /// Forward TCP connections to the replicas behind a DNS name, in turn.
    ///
    /// The name is resolved again every second, an address that refuses is skipped, and bytes pass as they
    /// are, half-closes and resets included.
    ///
    /// The first SIGINT or SIGTERM stops accepting and waits for open connections, at most for the grace
    /// period; the second exits at once. Exit codes: 0 ended, 2 could not start.
    Forward(forward::Flags),
    /// Receive Alertmanager's webhooks, and show the pages: the end of the alerting chain.
    ///
    /// POST /webhook takes version 4 of the payload. / shows what rang, when, how long after its start and
    /// whether it resolved; /pages returns that as JSON (alertname=, label=KEY=VALUE, since=10m or a time,
    /// status=firing), /pages/stream as server-sent events. Pages are kept in memory only: a restart
    /// forgets them, and each response says since when the pager has been listening.
    ///
    /// The heartbeat is an alert that always fires. /ready is 503 and firedrill_pager_heartbeat_stopped is 1
    /// when it has been silent for longer than its timeout, when Alertmanager resolves it, and when it has
    /// not arrived within the timeout since the start.
    ///
    /// Shuts down like serve: SIGTERM drains first, Ctrl-C does not, a second signal exits at once. Exit
    /// codes: 0 ended, 2 could not start.
    Pager(Box<pager::Flags>),
    /// Check that a URL is healthy, for images without curl.
    ///
    /// Exit codes: 0 a status from 200 to 299, 1 another status, none in time or no connection, 2 a bad URL.
    Probe(probe::Flags),
    /// Print shell completions.
    ///
    /// For bash: firedrill completions bash > ~/.local/share/bash-completion/completions/firedrill
    Completions(completions::Flags),
    /// Print a manual page.
    ///
    /// To read one: firedrill man drill | man --local-file -
    Man(man::Flags),
}

fn print_schema(schema: &schemars::Schema) -> anyhow::Result<ExitCode> {
    let schema = serde_json::to_string_pretty(schema)?;
    writeln!(stdout(), "{schema}").context("cannot write the schema")?;
    Ok(ExitCode::SUCCESS)
}

/// Parses the command line and runs the command.
#[must_use]
pub fn run() -> ExitCode {
    // Clap itself answers --help and a wrong flag, the latter on stderr with exit code 2.
    let cli = Cli::parse();
    cli.log.install(match cli.command {
        Command::Drill(_)
        | Command::Judge(_)
        | Command::Check(_)
        | Command::Completions(_)
        | Command::Man(_) => "warn",
        Command::Serve(_)
        | Command::Load(_)
        | Command::Forward(_)
        | Command::Pager(_)
        | Command::Probe(_) => "info",
    });
    let done = match cli.command {
        Command::Serve(flags) => serve::run(*flags),
        Command::Drill(flags) => drill::run(&flags),
        Command::Judge(flags) => judge::run(&flags),
        Command::Load(flags) => load::run(flags),
        Command::Check(flags) => check::run(&flags),
        Command::Forward(flags) => forward::run(flags),
        Command::Pager(flags) => pager::run(*flags),
        Command::Probe(flags) => probe::run(&flags),
        Command::Completions(flags) => completions::run(&flags),
        Command::Man(flags) => man::run(&flags),
    };
    done.unwrap_or_else(|error| {
        // The whole chain in one line; a person needs a sentence, not a backtrace.
        complain(&format!("firedrill: {error:#}"));
        ExitCode::from(2)
    })
}

/// Tells a person what is wrong. It may quote a stranger's file or answer, so nothing in it acts on a terminal.
fn complain(text: &str) {
    terminal::print_error(&format!("{}\n", sanitize_lines(text)));
}
