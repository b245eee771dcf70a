//! From text to a drill file, with errors that say where.

use std::fmt;

/// A place in a file: the keys and positions that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value of this key.
    Key(String),
    /// The element of this position, from 0.
    Element(usize),
}

/// Something that contradicts itself in a file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Vec<Step>,
    /// What was found and what would be right.
    pub message: String,
}

/// A file that cannot be used, or one reason why. Displays as `line:column: message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What was found and what would be right.
    pub message: String,
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Misread {}
