//! What came of asking.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came of asking one source of evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Source_of_{T}")]
pub enum Reply<T> {
    /// The drill was not told where it is.
    NotAsked,
    /// It was asked and gave no usable answer: why.
    Missing(String),
    /// What it knows.
    #[serde(rename = "said")]
    Received(T),
}

impl<T> Reply<T> {
    /// The evidence, where there is some.
    #[must_use]
    pub const fn received(&self) -> Option<&T> {
        match self {
            Self::Received(evidence) => Some(evidence),
            Self::NotAsked | Self::Missing(_) => None,
        }
    }

    /// The same of what is made of it.
    #[must_use]
    pub fn map<U>(&self, make: impl FnOnce(&T) -> U) -> Reply<U> {
        match self {
            Self::NotAsked => Reply::NotAsked,
            Self::Missing(why) => Reply::Missing(why.clone()),
            Self::Received(evidence) => Reply::Received(make(evidence)),
        }
    }
}
