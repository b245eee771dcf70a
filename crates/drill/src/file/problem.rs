//! What is wrong with a drill file, and where.

use std::ops::Range;

/// Something that is wrong with a drill file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which bytes of the text it is about. What is missing is where it would stand.
    pub location: Range<usize>,
    /// What is wrong, then what to do.
    pub message: String,
}

impl Problem {
    /// One at this place.
    #[must_use]
    pub fn new(location: Range<usize>, message: impl Into<String>) -> Self {
        Self { location, message: message.into() }
    }
}
