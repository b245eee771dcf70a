//! What the judge says.

use serde::Serialize;

use firedrill_contract::Time;

/// What the judge says of one thing that was expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Which expectation of the file it is about, from 0.
    pub expectation: usize,
    /// What it is about, in few words: `counts`, `HighErrorRatio fires`, `p99 in calm`.
    pub subject: String,
    /// How it stands.
    pub ruling: Ruling,
    /// Why, as one line.
    pub says: String,
    /// What else helps to understand it, a line each.
    pub details: Vec<String>,
    /// How long an alert took, where it is about one that fired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection: Option<Detection>,
}

/// What one look at the evidence came to, with its reason as one line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) ruling: Ruling,
    pub(super) says: String,
    pub(super) details: Vec<String>,
}

impl Finding {
    fn new(ruling: Ruling, says: impl Into<String>) -> Self {
        Self { ruling, says: says.into(), details: Vec::new() }
    }

    pub(super) fn held(says: impl Into<String>) -> Self {
        Self::new(Ruling::Held, says)
    }

    pub(super) fn lied(says: impl Into<String>) -> Self {
        Self::new(Ruling::Lied, says)
    }

    pub(super) fn could_not_tell(says: impl Into<String>) -> Self {
        Self::new(Ruling::CouldNotTell, says)
    }

    pub(super) fn not_yet(until: Time, says: impl Into<String>) -> Self {
        Self::new(Ruling::NotYet(until), says)
    }

    /// With more lines.
    pub(super) fn with(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    /// As the verdict about something.
    pub(super) fn about(self, subject: impl Into<String>) -> Verdict {
        let Self { ruling, says, details } = self;
        Verdict { expectation: 0, subject: subject.into(), ruling, says, details, detection: None }
    }
}

impl Verdict {
    /// Whatever it was: it cannot be told, and why.
    pub(super) fn spoil(&mut self, why: &str) {
        if self.ruling != Ruling::CouldNotTell {
            let said = std::mem::replace(&mut self.says, why.to_owned());
            self.details.insert(0, format!("without that: {said}"));
            self.ruling = Ruling::CouldNotTell;
        }
    }
}

/// How one expectation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// Monitoring told the truth.
    Held,
    /// It did not.
    Lied,
    /// The evidence does not suffice.
    CouldNotTell,
    /// Evidence may still come until this time. In a report of a run that has ended it reads as could not tell.
    NotYet(Time),
}

/// How long it took from the cause to the page, in milliseconds, and where the time went. Each part
/// is known to within one scrape and one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Detection {
    /// From the cause to when the alert fired.
    pub detected_ms: u64,
    /// From the cause to the first scrape after it.
    pub scrape_ms: u64,
    /// From that scrape until the expression was true: windows filling, and waiting for an evaluation.
    pub evaluation_ms: u64,
    /// Pending, as `for` asks.
    pub for_ms: u64,
    /// From firing until Alertmanager had it, where that was seen.
    pub delivery_ms: Option<u64>,
    /// From there until the receiver was told: grouping, and the notification itself.
    pub grouping_ms: Option<u64>,
}

/// What all verdicts together come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All held.
    Held,
    /// At least one could not be told, and none lied.
    CouldNotTell,
    /// At least one lied.
    Lied,
}

impl Outcome {
    /// Of these verdicts; of none at all nothing can be told.
    pub fn of<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Self {
        let each = verdicts.into_iter().map(|verdict| match verdict.ruling {
            Ruling::Held => Self::Held,
            Ruling::Lied => Self::Lied,
            Ruling::CouldNotTell | Ruling::NotYet(_) => Self::CouldNotTell,
        });
        each.max().unwrap_or(Self::CouldNotTell)
    }

    /// The program's exit code for it.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Lied => 1,
            Self::CouldNotTell => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(ruling: Ruling) -> Verdict {
        Verdict {
            expectation: 0,
            subject: String::new(),
            ruling,
            says: String::new(),
            details: Vec::new(),
            detection: None,
        }
    }

    #[test]
    fn one_lie_outranks_all_and_nothing_at_all_is_not_held() {
        let of = |rulings: &[Ruling]| {
            Outcome::of(&rulings.iter().copied().map(verdict).collect::<Vec<_>>()).exit_code()
        };
        assert_eq!(of(&[]), 2);
        assert_eq!(of(&[Ruling::Held, Ruling::Held]), 0);
        assert_eq!(of(&[Ruling::Held, Ruling::CouldNotTell]), 2);
        assert_eq!(of(&[Ruling::CouldNotTell, Ruling::Lied, Ruling::Held]), 1);
        assert_eq!(of(&[Ruling::Held, Ruling::NotYet(Time::from_millis(0))]), 2);
    }
}
