//! Drill files as commands are given them: by path, or `-` for the standard input.

use std::fs::File;
use std::io::{self, Read as _, stderr};

use super::terminal::{Terminal, print_error};
use firedrill_drill::file::source::Source;
use firedrill_drill::file::{LARGEST, Problem};

/// Reads a file, or the beginning of one that is too large.
pub(super) fn open(path: &str) -> io::Result<Source> {
    // One byte more than may be read shows that it is too large; a byte order mark is not counted.
    let most = LARGEST as u64 + 4;
    let mut bytes = Vec::new();
    match path {
        "-" => io::stdin().lock().take(most).read_to_end(&mut bytes)?,
        _ => File::open(path)?.take(most).read_to_end(&mut bytes)?,
    };
    Ok(Source::new(if path == "-" { "standard input" } else { path }, &bytes))
}

/// Shows on stderr what is wrong with a file.
pub(super) fn refuse(source: &Source, problems: &[Problem]) {
    let Terminal { width, colour } = Terminal::at(stderr());
    print_error(&source.show(problems, width, colour));
}
