//! What a stream can show.

use std::io::{IsTerminal, Write as _, stderr};
use std::os::fd::AsFd;

/// How text should look on a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    /// Columns; 100 where it is no terminal.
    pub(super) width: usize,
    /// Whether it is a terminal whose user does not ask for no colours (`NO_COLOR`).
    pub(super) colour: bool,
}

impl Terminal {
    pub(super) fn at(stream: impl IsTerminal + AsFd) -> Self {
        let is_terminal = stream.is_terminal();
        let size = rustix::termios::tcgetwinsize(stream).ok().filter(|_| is_terminal);
        let colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { width: size.map_or(100, |size| size.ws_col.into()), colour }
    }
}

/// Writes text to stderr. Where that fails nobody is left to be told, but the exit code still says how it went; `eprint!`
/// would panic.
pub(super) fn print_error(text: &str) {
    drop(stderr().write_all(text.as_bytes()));
}
