//! What the service costs: throughput, CPU time of scrapes, memory, and time to be ready; how well `load` sends,
//! and what judging takes.
//!
//! `cargo bench` measures, prints, and fails where a target of ours is missed; `cargo bench -- health` does one
//! part. `cargo test --benches` only sees that each part still works, with a few requests and no verdict.

#![allow(clippy::unwrap_used, reason = "a bench ends where it fails")]

mod core;
mod footprint;
mod generator;
mod health;
mod instrumented;
mod judge;
mod keep_alive;
mod scrape;
mod serve;
mod verdict;

use std::process::ExitCode;

/// A name, and what prints the figures and says whether they are as they should be.
type Part = (&'static str, fn(bool) -> bool);

const PARTS: [Part; 5] = [
    ("footprint", footprint::run),
    ("scrape", scrape::run),
    ("health", health::run),
    ("generator", generator::run),
    ("judge", judge::run),
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    // Cargo says which of the two it is.
    let measure = arguments.iter().any(|argument| argument == "--bench");
    let named = |part: &str| arguments.iter().any(|argument| argument == part);
    let all = !PARTS.iter().any(|(part, _)| named(part));
    let mut met = true;
    for (part, run) in PARTS {
        if all || named(part) {
            println!("\n{part}");
            met &= run(measure);
        }
    }
    if met || !measure { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
