//! Exit codes, nothing else: see [`firedrill::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    firedrill::run()
}
