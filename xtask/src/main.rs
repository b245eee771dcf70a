//! `cargo xtask gen` writes the files that are generated.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().skip(1).ne(["gen"]) {
        eprintln!("usage: cargo xtask gen");
        return ExitCode::from(2);
    }
    for file in xtask::generated() {
        if let Err(error) = file.write() {
            eprintln!("{}: {error}", file.path);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
