//! Exit codes, nothing else: see [`firedrill::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    firedrill::cli::run()
}
