//! The report as JUnit XML, which CI systems show beside tests.
//!
//! A drill is a test suite and a finding is a test case: a fail is a failure, an inconclusive one an error. A test case that is about an alert which fired took as long as the alert did.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::{Finding, Report, Verdict};
use firedrill_net::sanitize::sanitize;

/// These drills as one document.
///
/// # Panics
///
/// Never: it is written to memory.
#[must_use]
pub fn junit(reports: &[Report]) -> String {
    let mut document = quick_junit::Report::new("firedrill");
    let seconds = reports.iter().map(|report| report.seconds).sum();
    document.set_time(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    document.add_test_suites(reports.iter().map(suite));
    document.to_string().expect("what is written to memory cannot fail")
}

fn suite(report: &Report) -> TestSuite {
    let name = sanitize(&report.name);
    let mut suite = TestSuite::new(name.clone());
    suite.timestamp = report.began.parse().ok();
    suite.set_time(Duration::try_from_secs_f64(report.seconds).unwrap_or_default());
    let properties = [
        ("target", sanitize(&report.target)),
        ("seed", report.seed.to_string()),
        ("firedrill", sanitize(&report.firedrill)),
    ];
    suite.add_properties(properties.map(|(name, value)| Property::new(name, value)));
    let mut seen = BTreeMap::new();
    for finding in &report.findings {
        // Two cases of one name are taken for one that ran twice.
        let times = seen.entry(&finding.subject).or_insert(0_u32);
        *times += 1;
        let again = if *times > 1 { format!(" ({times})") } else { String::new() };
        suite.add_test_case(case(&name, &again, finding));
    }
    suite
}

fn case(drill: &str, again: &str, finding: &Finding) -> TestCase {
    let mut lines: Vec<_> = finding.details.iter().map(|detail| sanitize(detail)).collect();
    lines.extend(finding.detection.as_ref().map(|detection| detection.sentence()));
    let lines = lines.join("\n");
    let reason = sanitize(&finding.reason);
    let status = match finding.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => failed(NonSuccessKind::Failure, "fail", &reason, &lines),
        Verdict::Inconclusive => failed(NonSuccessKind::Error, "inconclusive", &reason, &lines),
    };
    let mut case = TestCase::new(format!("{}{again}", sanitize(&finding.subject)), status);
    case.set_classname(drill);
    if let Some(detection) = &finding.detection {
        case.set_time(Duration::try_from_secs_f64(detection.detected_seconds).unwrap_or_default());
    }
    if finding.verdict == Verdict::Pass {
        case.set_system_out(if lines.is_empty() { reason } else { format!("{reason}\n{lines}") });
    }
    case
}

fn failed(kind: NonSuccessKind, type_: &str, says: &str, lines: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(says).set_type(type_);
    if !lines.is_empty() {
        status.set_description(lines);
    }
    status
}
