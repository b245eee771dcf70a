use super::text::Look;
use super::*;
use crate::judge::Ruling;
use firedrill_contract::Time;

const WIDE: Look = Look { width: 110, colour: false, verbose: false };

fn report() -> Report {
    Report::new(&example::run(), &example::verdicts())
}

fn written() -> Written {
    Written {
        run: Some("errors.run.json".to_owned()),
        html: Some("errors.html".to_owned()),
        again: Some("firedrill drill drills/errors.yaml --seed 7".to_owned()),
    }
}

/// A report with these verdicts alone.
fn judged(rulings: &[Ruling]) -> Report {
    let verdicts: Vec<_> =
        rulings.iter().map(|ruling| example::verdict("it", *ruling, "so", &["why"])).collect();
    Report::new(&example::run(), &verdicts)
}

#[test]
fn a_person_reads_what_was_sent_and_what_monitoring_made_of_it() {
    assert_eq!(
        report().text(&written(), WIDE),
        "\
error budget burn   http://app:8080   seed 7
  calm       30 s    600 requests    0.0 % errors   p99 141 ms
  burning    90 s   1800 requests   50.0 % errors   p99 172 ms
    3 without a whole answer: 2 reset, 1 timed out
  recovery   60 s   1200 requests    0.0 % errors   p99 141 ms

held   counts                         3597 to 3600 sent, 3597 counted
held   error ratio in burning         truth 49.92 % to 50 %, Prometheus 49.97 % (asked: the same, within 5%)
held   HighErrorRatio fires           21s after the cause (asked: within 60s)
                                      2 s scrape + 9 s evaluation + 10 s for = 21 s to fire; + 400 ms delivery
                                      + 2 s grouping = 23.4 s to the page
held   HighErrorRatio told to pager   2.4s after it fired (asked: within 60s)
LIED   ErrorBudgetBurn fires          never fired in the 60s it had: its expression returned no series;
                                      workload=\"dril\" matches nothing, the nearest value is \"drill\"
                                      its expression: job:errors:ratio{workload=\"dril\"} > 0.05
----   ErrorBudgetBurn resolves       could not be judged: nothing fired
held   HighErrorRatio silent workload=demo
                                      no alert for it

Monitoring lied about 1 of 7, could not tell about 1.
run: errors.run.json   report: errors.html   again: firedrill drill drills/errors.yaml --seed 7
"
    );
}

#[test]
fn sixty_columns_are_enough() {
    let text = report().text(&written(), Look { width: 60, ..WIDE });
    assert_eq!(
        text,
        "\
error budget burn   http://app:8080   seed 7
  calm
    30 s, 600 requests, 0.0 % errors, p99 141 ms
  burning
    90 s, 1800 requests, 50.0 % errors, p99 172 ms
    3 without a whole answer: 2 reset, 1 timed out
  recovery
    60 s, 1200 requests, 0.0 % errors, p99 141 ms

held   counts
       3597 to 3600 sent, 3597 counted
held   error ratio in burning
       truth 49.92 % to 50 %, Prometheus 49.97 % (asked: the
       same, within 5%)
held   HighErrorRatio fires
       21s after the cause (asked: within 60s)
       2 s scrape + 9 s evaluation + 10 s for = 21 s to
       fire; + 400 ms delivery + 2 s grouping = 23.4 s to
       the page
held   HighErrorRatio told to pager
       2.4s after it fired (asked: within 60s)
LIED   ErrorBudgetBurn fires
       never fired in the 60s it had: its expression
       returned no series; workload=\"dril\" matches nothing,
       the nearest value is \"drill\"
       its expression: job:errors:ratio{workload=\"dril\"} >
       0.05
----   ErrorBudgetBurn resolves
       could not be judged: nothing fired
held   HighErrorRatio silent workload=demo
       no alert for it

Monitoring lied about 1 of 7, could not tell about 1.
run: errors.run.json
report: errors.html
again: firedrill drill drills/errors.yaml --seed 7
"
    );
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
fn details_of_what_held_are_shown_to_those_who_ask() {
    let detail = "3 requests had no answer";
    assert!(!report().text(&written(), WIDE).contains(detail));
    assert!(report().text(&written(), Look { verbose: true, ..WIDE }).contains(detail));
}

#[test]
fn colour_changes_no_word() {
    let coloured = report().text(&written(), Look { colour: true, ..WIDE });
    assert!(coloured.contains("\u{1b}[1m\u{1b}[31mLIED\u{1b}[0m   ErrorBudgetBurn"), "{coloured:?}");
    let bare = coloured.split('\u{1b}').enumerate();
    let bare: String =
        bare.map(|(nth, part)| if nth == 0 { part } else { part.split_once('m').unwrap().1 }).collect();
    assert_eq!(bare, report().text(&written(), WIDE));
}

#[test]
fn the_summary_is_a_sentence() {
    use Ruling::{CouldNotTell, Held, Lied, NotYet};
    for (rulings, sentence) in [
        (&[][..], "Nothing was expected, so nothing can be told."),
        (&[Held], "Monitoring told the truth."),
        (&[Lied], "Monitoring lied."),
        (&[CouldNotTell], "Could not tell."),
        (&[Held, Held], "Monitoring told the truth about all 2."),
        (&[Held, Lied], "Monitoring lied about 1 of 2."),
        (&[Held, NotYet(Time::from_millis(0))], "Could not tell about 1 of 2."),
        (&[Held, Lied, CouldNotTell], "Monitoring lied about 1 of 3, could not tell about 1."),
    ] {
        assert_eq!(judged(rulings).summary(), sentence);
    }
    let mut interrupted = example::run();
    interrupted.interrupted = true;
    let summary = Report::new(&interrupted, &[]).summary();
    assert!(summary.starts_with("The drill was interrupted. "), "{summary}");
}

#[test]
fn evidence_that_never_came_is_no_evidence() {
    let report = judged(&[Ruling::NotYet(example::at(500_000))]);
    assert_eq!((report.outcome, report.exit_code), (Stands::CouldNotTell, 2));
    assert_eq!(
        report.verdicts[0].details,
        ["why", "evidence could still have come until 2023-11-14T22:21:40Z"]
    );
    assert!(report.text(&written(), WIDE).contains("----   it"));
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
    let (run, verdicts) = hostile_run(text);
    Report::new(&run, &verdicts)
}

/// A run in which each text that can come from outside is this one.
pub(super) fn hostile_run(text: &str) -> (Run, Vec<Verdict>) {
    let mut run = example::run();
    run.firedrill = text.to_owned();
    run.target = text.to_owned();
    run.drill.name = text.to_owned();
    run.drill.about = Some(text.to_owned());
    run.phases.iter_mut().for_each(|phase| phase.name = text.to_owned());
    let mut verdicts = example::verdicts();
    for verdict in &mut verdicts {
        verdict.subject = text.to_owned();
        verdict.says = text.to_owned();
        verdict.details = vec![text.to_owned()];
    }
    (run, verdicts)
}

#[test]
fn json_says_all_that_a_program_needs() {
    let json: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
    for (pointer, value) in [
        ("/version", serde_json::json!(1)),
        ("/outcome", "lied".into()),
        ("/exit_code", 1.into()),
        ("/seed", 7.into()),
        ("/began", "2023-11-14T22:13:20Z".into()),
        ("/phases/1/name", "burning".into()),
        ("/phases/1/requests", 1_800.into()),
        ("/phases/1/errors", 900.into()),
        ("/phases/1/error_ratio", 0.5.into()),
        ("/phases/1/seen", serde_json::json!({"least": 1_797, "most": 1_800})),
        ("/phases/1/fates/0", serde_json::json!({"fate": "answered", "status": 200, "count": 900})),
        ("/verdicts/4/ruling", "lied".into()),
        ("/verdicts/5/ruling", "could_not_tell".into()),
        ("/verdicts/2/detection/for_seconds", 10.0.into()),
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
    assert_eq!(Report::new(&read, &example::verdicts()), report());
}

#[test]
fn junit_has_a_suite_a_drill_and_a_case_a_verdict() {
    let xml = junit::junit(&[report(), judged(&[Ruling::Held, Ruling::Held])]);
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((read.tests, read.failures, read.errors), (9, 1, 1));
    let [drill, twice] = &*read.test_suites else { panic!("{xml}") };
    assert_eq!(drill.name.as_str(), "error budget burn");
    assert_eq!(drill.time, Some(Duration::from_millis(180_040)));
    assert!(drill.timestamp.is_some());
    assert_eq!(drill.test_cases[2].time, Some(Duration::from_secs(21)));
    let names: Vec<_> = twice.test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["it", "it (2)"], "cases of one name are taken for one that ran twice");
    assert!(xml.contains("<failure message=\"never fired in the 60s it had: "), "{xml}");
    assert!(
        xml.contains("<error message=\"could not be judged: nothing fired\" type=\"could not tell\"/>"),
        "{xml}"
    );
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

#[test]
fn the_schema_of_the_json_is_the_one_that_is_published() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Report)).unwrap() + "\n";
    let published = include_str!("../../../../docs/report.schema.json");
    assert_eq!(schema, published, "docs/report.schema.json should hold what is on the left");
}
