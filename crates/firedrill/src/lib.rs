//! The command line: one module a command, each with its flags and the wiring behind them.
//!
//! Every flag has an environment variable: `FIREDRILL_LISTEN` is `--listen` of `serve`, and those of the other
//! commands name the command too (`FIREDRILL_LOAD_RATE`).
//! Exit codes: 0 done, 1 the answer is no (`probe`, `drill`, `judge`), 2 could not do or tell what was asked.

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
    /// Sends what each drill file says, keeps a ledger of what came back, asks Prometheus, Alertmanager and
    /// the pager what they made of it, and judges. Without a file: a short drill of the target, or of a
    /// service of its own, judged by its /metrics alone.
    ///
    /// The first SIGINT or SIGTERM ends the load, keeps the run file and exits with 2; a second one ends at once.
    Drill(Box<drill::Flags>),
    /// Repeat the verdict of a run file, with nothing asked of anybody.
    Judge(judge::Flags),
    /// Send traffic at a fixed rate and say what was sent and what came back.
    ///
    /// Requests leave on schedule whatever the answers do, and latency is measured from the time at
    /// which each was due, so that a stalled service cannot hide. A target that is away is tried
    /// again with the next request.
    ///
    /// The first SIGINT or SIGTERM ends the load and waits for what is in flight, at most for the
    /// timeout; a second one ends it at once. Exit code 0 when it ended, 2 when it could not start.
    Load(load::Flags),
    /// Check drill files without sending or asking anything.
    ///
    /// Each is read, held against itself, and its PromQL parsed; where it drills this project's own service,
    /// the names of metrics and labels are checked too. Each problem is a line FILE:LINE:COLUMN: MESSAGE on
    /// stderr.
    ///
    /// Exit code 0 when all are right, 2 when one is not or cannot be read.
    Check(check::Flags),
    /// Carry TCP connections from one address to the replicas behind a name, in turn.
    ///
    /// The name is looked up anew, an address that does not take a connection is passed over, and
    /// what is carried is not looked at: half-closes and resets pass as they are.
    ///
    /// The first SIGINT or SIGTERM stops accepting and lets open connections end, at most for the
    /// grace; a second one ends at once. Exit code 0 when it ended, 2 when it could not start.
    Forward(forward::Flags),
    /// Receive Alertmanager's webhooks, and show and serve what rang: the end of the chain.
    ///
    /// POST /webhook takes version 4 of the payload; / shows what rang, when, how long after it began and
    /// whether it resolved; /pages tells it as JSON (alertname=, label=KEY=VALUE, since=10m or a time,
    /// status=firing), /pages/stream as server-sent events. All of it is in memory: a restart forgets it,
    /// and each answer says since when the pager has listened.
    ///
    /// The heartbeat is an alert that always fires. /ready is 503 and firedrill_pager_heartbeat_stopped is 1
    /// when it has been silent for longer than its timeout, when Alertmanager says that it ended, and also
    /// when it has never come within the timeout since the start: a chain that never worked is broken too.
    ///
    /// Ends like serve: SIGTERM drains first, Ctrl-C does not, a second signal ends at once. Exit code 0
    /// when it ended, 2 when it could not start.
    Pager(Box<pager::Flags>),
    /// Ask a URL whether it is healthy: a health check for images that have no curl.
    ///
    /// Exit code 0 when it answers with a status from 200 to 299; 1 when it answers with another or
    /// not in time; 2 when it could not be asked.
    Probe(probe::Flags),
    /// Print what a shell completes this program's commands and flags with.
    ///
    /// For bash: firedrill completions bash > ~/.local/share/bash-completion/completions/firedrill
    Completions(completions::Flags),
    /// Print a manual page, of the program or of one command.
    ///
    /// To read one: firedrill man drill | man --local-file -
    Man(man::Flags),
}

/// Prints the JSON Schema of what a command reads.
fn print_schema(schema: &schemars::Schema) -> anyhow::Result<ExitCode> {
    let schema = serde_json::to_string_pretty(schema)?;
    writeln!(stdout(), "{schema}").context("cannot write the schema")?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the command line and does what it says.
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
    eprintln!("{}", sanitize_lines(text));
}
