//! What a drill says of each thing that it looked at.

use std::path::Path;

use serde_json::Value;

use crate::process::Ended;

/// A drill's report, and what it said of it.
pub(super) struct Verdicts {
    report: Value,
    said: String,
}

impl Verdicts {
    pub(super) fn of(ended: &Ended, report: &Path) -> Self {
        let said = format!("it said:\n{}\nand on stderr:\n{}", ended.stdout, ended.stderr);
        let text = std::fs::read_to_string(report).unwrap_or_else(|error| panic!("{error}; {said}"));
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["exit_code"], ended.code.unwrap(), "{said}");
        Self { report, said }
    }

    /// `held`, `lied` or `could_not_tell` of what is called this, and why.
    fn about(&self, subject: &str) -> (&str, &str) {
        let verdicts = self.report["verdicts"].as_array().unwrap();
        let of = |verdict: &&Value| verdict["subject"].as_str().unwrap().starts_with(subject);
        let verdict = verdicts.iter().find(of).unwrap_or_else(|| panic!("no {subject}; {}", self.said));
        (verdict["ruling"].as_str().unwrap(), verdict["says"].as_str().unwrap())
    }

    /// Everything held.
    pub(super) fn all_held(&self) {
        assert_eq!(self.report["exit_code"], 0, "{}", self.said);
    }

    /// The drill as a whole did not hold, and it is not monitoring that lied.
    pub(super) fn could_not_be_told(&self) {
        assert_eq!(self.report["exit_code"], 2, "{}", self.said);
    }

    pub(super) fn held(&self, subjects: &[&str]) {
        for subject in subjects {
            assert_eq!(self.about(subject).0, "held", "{subject}; {}", self.said);
        }
    }

    /// Of these it could not tell, and it gives these words as the reason.
    pub(super) fn could_not_tell(&self, subjects: &[&str], why: &str) {
        for subject in subjects {
            let (ruling, says) = self.about(subject);
            assert!(ruling == "could_not_tell" && says.contains(why), "{subject}, {why:?}; {}", self.said);
        }
    }

    /// Of this it says that monitoring lied, with these words.
    pub(super) fn lied(&self, subject: &str, why: &str) {
        let (ruling, says) = self.about(subject);
        assert!(ruling == "lied" && says.contains(why), "{subject}, {why:?}; {}", self.said);
    }

    /// Whether this held.
    pub(super) fn is_held(&self, subject: &str) -> bool {
        self.about(subject).0 == "held"
    }

    pub(super) fn said(&self) -> &str {
        &self.said
    }
}
