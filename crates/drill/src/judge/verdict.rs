//! What the judge says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use firedrill_contract::Time;

/// Pass, fail or inconclusive, as ISO/IEC 9646 and TTCN-3 have it; ordered so that the greatest of several is what they
/// come to together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Monitoring told the truth.
    Pass,
    /// The evidence does not suffice.
    Inconclusive,
    /// Monitoring did not tell the truth, and the evidence shows it.
    Fail,
}

impl Verdict {
    /// What findings come to together: without any, nothing is known.
    pub fn from_findings<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        findings.into_iter().map(|finding| finding.verdict).max().unwrap_or(Self::Inconclusive)
    }

    /// The program's exit code.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Inconclusive => 2,
        }
    }

    /// As it is written in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What the judge says of one thing that was expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The expectation in the drill file, from 0. One may have several findings.
    pub expectation: usize,
    /// What it is about, in few words: `counts`, `HighErrorRatio fires`, `p99 in calm`.
    pub subject: String,
    /// Pass, fail or inconclusive.
    pub verdict: Verdict,
    /// Why, as one line.
    pub reason: String,
    /// What else helps to understand it, a line each.
    pub details: Vec<String>,
    /// How long an alert took, where it is about one that fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<Box<Detection>>,
    /// Until when evidence that decides it may still come. Meanwhile it is inconclusive.
    #[serde(skip)]
    pub pending_until: Option<Time>,
}

impl Finding {
    fn new(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            expectation: 0,
            subject: String::new(),
            verdict,
            reason: reason.into(),
            details: Vec::new(),
            detection: None,
            pending_until: None,
        }
    }

    pub(crate) fn pass(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, reason)
    }

    pub(crate) fn fail(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, reason)
    }

    pub(crate) fn inconclusive(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, reason)
    }

    pub(crate) fn pending(until: Time, reason: impl Into<String>) -> Self {
        Self { pending_until: Some(until), ..Self::inconclusive(reason) }
    }

    /// With more details.
    pub(crate) fn with(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    pub(crate) fn about(self, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), ..self }
    }

    /// Whether it is inconclusive, and will be however long one waits.
    pub(crate) fn stays_inconclusive(&self) -> bool {
        self.verdict == Verdict::Inconclusive && self.pending_until.is_none()
    }

    /// Makes it inconclusive for a reason that touches the whole run; what it would have been is its first detail.
    pub(crate) fn spoil(&mut self, why: &str) {
        let reason = std::mem::replace(&mut self.reason, why.to_owned());
        self.details.insert(0, format!("without that: {reason}"));
        self.verdict = Verdict::Inconclusive;
        self.pending_until = None;
    }
}

/// How long an alert took from its cause, and where the time went: detected is the sum of scrape, evaluation and `for`.
/// Each part is known to within one scrape and one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Detection {
    /// From the cause to when the alert fired.
    pub detected_seconds: f64,
    /// From the cause to the first scrape after it.
    pub scrape_seconds: f64,
    /// From that scrape until the expression was true: windows filling, and waiting for an evaluation.
    pub evaluation_seconds: f64,
    /// Pending, as `for` asks.
    pub for_seconds: f64,
    /// From firing until Alertmanager had it, where that was seen.
    pub delivery_seconds: Option<f64>,
    /// From there until the receiver was notified, where it was: grouping, and the notification itself.
    pub grouping_seconds: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fail_outranks_all_and_nothing_at_all_is_no_pass() {
        let exit_code = |findings: &[Finding]| Verdict::from_findings(findings).exit_code();
        let (pass, fail) = (Finding::pass(""), Finding::fail(""));
        let inconclusive = Finding::inconclusive("");
        assert_eq!(exit_code(&[]), 2);
        assert_eq!(exit_code(&[pass.clone(), pass.clone()]), 0);
        assert_eq!(exit_code(&[pass.clone(), inconclusive.clone()]), 2);
        assert_eq!(exit_code(&[inconclusive, fail, pass.clone()]), 1);
        assert_eq!(exit_code(&[pass, Finding::pending(Time::from_millis(0), "")]), 2);
    }
}
