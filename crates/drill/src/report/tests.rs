use super::text::Look;
use super::*;

const WIDE: Look = Look { width: 110, colour: false, verbose: false };

fn report() -> Report {
    Report::new(&example::run(), &example::findings())
}

fn written() -> Written {
    Written {
        run: Some("errors.run.json".to_owned()),
        html: Some("errors.html".to_owned()),
        again: Some("firedrill drill drills/errors.yaml --seed 7".to_owned()),
    }
}

/// A report of findings with these verdicts alone.
fn judged(verdicts: &[Verdict]) -> Report {
    let findings: Vec<_> =
        verdicts.iter().map(|verdict| example::finding("it", *verdict, "so", &["why"])).collect();
    Report::new(&example::run(), &findings)
}

#[test]
fn a_person_reads_what_was_sent_and_what_monitoring_made_of_it() {
    insta::assert_snapshot!(report().text(&written(), WIDE));
}

#[test]
fn sixty_columns_are_enough() {
    insta::assert_snapshot!(report().text(&written(), Look { width: 60, ..WIDE }));
}

#[test]
fn no_line_of_words_is_wider_than_it_may_be() {
    for width in 40..=120 {
        let text = report().text(&Written::default(), Look { width, verbose: true, ..WIDE });
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{width}: {line:?}");
        }
    }
}

#[test]
fn details_of_what_passed_are_shown_to_those_who_ask() {
    let detail = "3 requests had no answer";
    assert!(!report().text(&written(), WIDE).contains(detail));
    assert!(report().text(&written(), Look { verbose: true, ..WIDE }).contains(detail));
}

#[test]
fn colour_changes_no_word() {
    let coloured = report().text(&written(), Look { colour: true, ..WIDE });
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mFAIL\u{1b}[0m           ErrorBudgetBurn"), "{coloured:?}");
    let bare = coloured.split('\u{1b}').enumerate();
    let bare: String =
        bare.map(|(nth, part)| if nth == 0 { part } else { part.split_once('m').unwrap().1 }).collect();
    assert_eq!(bare, report().text(&written(), WIDE));
}

#[test]
fn the_summary_is_a_sentence() {
    use Verdict::{Fail, Inconclusive, Pass};
    for (verdicts, sentence) in [
        (&[][..], "Inconclusive: nothing was expected."),
        (&[Pass], "Monitoring told the truth."),
        (&[Fail], "Monitoring lied."),
        (&[Inconclusive], "Inconclusive."),
        (&[Pass, Pass], "Monitoring told the truth about all 2."),
        (&[Pass, Fail], "Monitoring lied about 1 of 2."),
        (&[Pass, Inconclusive], "Inconclusive about 1 of 2."),
        (&[Pass, Fail, Inconclusive], "Monitoring lied about 1 of 3; 1 inconclusive."),
    ] {
        assert_eq!(judged(verdicts).summary(), sentence);
    }
    let mut interrupted = example::run();
    interrupted.interrupted = true;
    let summary = Report::new(&interrupted, &[]).summary();
    assert!(summary.starts_with("The drill was interrupted. "), "{summary}");
}

#[test]
fn evidence_that_never_came_is_no_evidence() {
    let pending = Finding {
        pending_until: Some(example::at(500_000)),
        ..example::finding("it", Verdict::Inconclusive, "so", &["why"])
    };
    let report = Report::new(&example::run(), &[pending]);
    assert_eq!((report.verdict, report.exit_code), (Verdict::Inconclusive, 2));
    assert_eq!(
        report.findings[0].details,
        ["why", "evidence could still have come until 2023-11-14T22:21:40Z"]
    );
    assert!(report.text(&written(), WIDE).contains("inconclusive   it"));
}

#[test]
fn nothing_from_outside_acts_on_a_terminal() {
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{9b}31m\u{202e}desrever";
    let report = hostile_report(hostile);
    let written = Written {
        run: Some(hostile.to_owned()),
        html: Some(hostile.to_owned()),
        again: Some(hostile.to_owned()),
    };
    for text in [
        report.text(&written, Look { verbose: true, ..WIDE }),
        report.text(&written, Look { verbose: true, width: 60, ..WIDE }),
        report.json(),
        junit::junit(std::slice::from_ref(&report)),
    ] {
        let bad = text.chars().find(|c| *c != '\n' && firedrill_net::sanitize::is_unsafe(*c));
        assert_eq!(bad, None, "{text:?}");
        assert!(text.contains("owned"), "{text}");
    }
    let json: Report = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json, report, "what is escaped in JSON is read as it was");
}

/// A report in which each text that can come from outside is this one.
fn hostile_report(text: &str) -> Report {
    let (run, findings) = hostile_run(text);
    Report::new(&run, &findings)
}

/// A run in which each text that can come from outside is this one.
pub(super) fn hostile_run(text: &str) -> (Run, Vec<Finding>) {
    let mut run = example::run();
    run.firedrill = text.to_owned();
    run.target = text.to_owned();
    run.drill.name = text.to_owned();
    run.drill.about = Some(text.to_owned());
    run.phases.iter_mut().for_each(|phase| phase.name = text.to_owned());
    let mut findings = example::findings();
    for finding in &mut findings {
        finding.subject = text.to_owned();
        finding.reason = text.to_owned();
        finding.details = vec![text.to_owned()];
    }
    (run, findings)
}

#[test]
fn json_says_all_that_a_program_needs() {
    let json: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
    for (pointer, value) in [
        ("/version", serde_json::json!(2)),
        ("/verdict", "fail".into()),
        ("/exit_code", 1.into()),
        ("/seed", 7.into()),
        ("/began", "2023-11-14T22:13:20Z".into()),
        ("/phases/1/name", "burning".into()),
        ("/phases/1/requests", 1_800.into()),
        ("/phases/1/errors", 900.into()),
        ("/phases/1/error_ratio", 0.5.into()),
        ("/phases/1/seen", serde_json::json!({"least": 1_797, "most": 1_800})),
        ("/phases/1/outcomes/0", serde_json::json!({"outcome": "answered", "status": 200, "count": 900})),
        ("/findings/4/verdict", "fail".into()),
        ("/findings/5/verdict", "inconclusive".into()),
        ("/findings/2/detection/for_seconds", 10.0.into()),
    ] {
        assert_eq!(json.pointer(pointer), Some(&value), "{pointer}");
    }
}

#[test]
fn json_is_read_as_it_was_written() {
    let report = report();
    assert_eq!(serde_json::from_str::<Report>(&report.json()).unwrap(), report);
}

#[test]
fn a_run_that_was_read_from_its_file_gives_the_same_report() {
    let run = example::run();
    let read: Run = serde_json::from_str(&serde_json::to_string(&run).unwrap()).unwrap();
    assert_eq!(Report::new(&read, &example::findings()), report());
}

#[test]
fn junit_has_a_suite_a_drill_and_a_case_a_verdict() {
    // Cases of one name are taken for one that ran twice.
    let xml = junit::junit(&[report(), judged(&[Verdict::Pass, Verdict::Pass])]);
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (9, 1, 1));
    insta::assert_snapshot!(xml);
}

#[test]
fn junit_takes_any_text_for_what_it_is() {
    let hostile = "</testcase><failure/>]]>&lt;\"'\u{0}\u{fffe}";
    let xml = junit::junit(&[hostile_report(hostile)]);
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (7, 1, 1));
    assert_eq!(
        read.test_suites[0].test_cases[0].name.as_str(),
        "</testcase><failure/>]]>&lt;\"'\\u{0}\\u{fffe}"
    );
}
