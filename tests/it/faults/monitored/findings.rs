//! What a drill finds.

use std::path::Path;

use serde_json::Value;

use crate::support::process::Ended;

/// A drill's report, and what it said of it.
pub(super) struct Findings {
    report: Value,
    said: String,
}

impl Findings {
    pub(super) fn of(ended: &Ended, report: &Path) -> Self {
        let said = format!("it said:\n{}\nand on stderr:\n{}", ended.stdout, ended.stderr);
        let text = std::fs::read_to_string(report).unwrap_or_else(|error| panic!("{error}; {said}"));
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["exit_code"], ended.code.unwrap(), "{said}");
        Self { report, said }
    }

    /// The verdict about this, and the reason for it.
    fn about(&self, subject: &str) -> (&str, &str) {
        let findings = self.report["findings"].as_array().unwrap();
        let is = |finding: &&Value| finding["subject"].as_str().unwrap().starts_with(subject);
        let finding = findings.iter().find(is).unwrap_or_else(|| panic!("no {subject}; {}", self.said));
        (finding["verdict"].as_str().unwrap(), finding["reason"].as_str().unwrap())
    }

    pub(super) fn all_pass(&self) {
        assert_eq!(self.report["exit_code"], 0, "{}", self.said);
    }

    /// The drill as a whole is inconclusive.
    pub(super) fn is_inconclusive(&self) {
        assert_eq!(self.report["exit_code"], 2, "{}", self.said);
    }

    pub(super) fn pass(&self, subjects: &[&str]) {
        for subject in subjects {
            assert_eq!(self.about(subject).0, "pass", "{subject}; {}", self.said);
        }
    }

    /// These are inconclusive, and the reason has these words.
    pub(super) fn inconclusive(&self, subjects: &[&str], why: &str) {
        for subject in subjects {
            let (verdict, reason) = self.about(subject);
            assert!(verdict == "inconclusive" && reason.contains(why), "{subject}, {why:?}; {}", self.said);
        }
    }

    /// This fails, and the reason has these words.
    pub(super) fn fail(&self, subject: &str, why: &str) {
        let (verdict, reason) = self.about(subject);
        assert!(verdict == "fail" && reason.contains(why), "{subject}, {why:?}; {}", self.said);
    }

    pub(super) fn is_pass(&self, subject: &str) -> bool {
        self.about(subject).0 == "pass"
    }

    pub(super) fn said(&self) -> &str {
        &self.said
    }
}
