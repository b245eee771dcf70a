//! What the service costs: throughput, CPU time of scrapes, memory, and time to be ready; how well `load` sends,
//! and what judging takes. docs/performance.md has what was measured, docs/scale.md what follows from it.
//!
//! `cargo bench` measures, prints, and fails where a target of ours is missed; `cargo bench -- health` does one
//! part. `cargo test --benches` only sees that each part still works, with a few requests, and judges what does
//! not depend on time.

#![allow(clippy::unwrap_used, reason = "a bench ends where it fails")]

mod allocation;
mod bare;
mod core;
mod footprint;
mod generator;
mod health;
mod instructions;
mod instrumentation;
mod instrumented;
mod judge;
mod keep_alive;
mod latency;
mod quartiles;
mod scale;
mod scrape;
mod serve;
mod traffic;
mod verdict;

use std::process::ExitCode;

struct Part {
    name: &'static str,
    /// Prints the figures and says whether they are as they should be.
    run: fn(bool) -> bool,
    /// Whether they are, however short the run is.
    exact: bool,
}

const PARTS: [Part; 8] = [
    Part { name: "footprint", run: footprint::run, exact: false },
    Part { name: "scrape", run: scrape::run, exact: false },
    Part { name: "health", run: health::run, exact: false },
    Part { name: "latency", run: latency::run, exact: false },
    Part { name: "instrumentation", run: instrumentation::run, exact: true },
    Part { name: "generator", run: generator::run, exact: false },
    Part { name: "judge", run: judge::run, exact: false },
    Part { name: "scale", run: scale::run, exact: false },
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [what, count, requests] = &arguments[..]
        && what == instructions::RUN_UNDER_VALGRIND
    {
        instructions::run_under_valgrind(count, requests);
        return ExitCode::SUCCESS;
    }
    // Cargo says which of the two it is.
    let measure = arguments.iter().any(|argument| argument == "--bench");
    let named = |part: &Part| arguments.iter().any(|argument| argument == part.name);
    let all = !PARTS.iter().any(named);
    let mut met = true;
    for part in PARTS.iter().filter(|part| all || named(part)) {
        println!("\n{}", part.name);
        met &= (part.run)(measure) || !(measure || part.exact);
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
