//! What a figure should be, and whether it is.

use std::fmt::Display;

/// Prints a figure with what was asked for, and whether that is met where the run measures.
pub(crate) fn print(measure: bool, figure: impl Display, asked: impl Display, met: bool) {
    let verdict = match (measure, met) {
        (false, _) => "too short to judge",
        (true, true) => "met",
        (true, false) => "MISSED",
    };
    println!("  {figure}   asked: {asked}   {verdict}");
}
