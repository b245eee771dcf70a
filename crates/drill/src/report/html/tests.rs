use super::*;
use crate::evidence::Reply;
use crate::report::{example, tests};

fn page(run: &Run, findings: &[Finding], written: &Written) -> String {
    Report::new(run, findings).html(run, written)
}

#[test]
fn the_policy_allows_the_style_sheet_and_nothing_else() {
    let page = page(&example::run(), &example::findings(), &Written::default());
    assert!(page.contains(&format!("<style>{STYLE}</style>")), "what is hashed is what the browser hashes");
    for forbidden in ["<script", " style=", " on", "http://", "https://", "url(", "@import", "src="] {
        let outside_of_text = page.replace("http://app:8080", "");
        let tags = outside_of_text.split('<').filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag);
        assert!(!tags.into_iter().any(|tag| format!("<{tag}").contains(forbidden)), "{forbidden}");
    }
}

#[test]
fn no_text_from_outside_becomes_markup() {
    let hostile =
        "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt;</title></style>\u{202e}\u{1b}[2J";
    let (mut run, mut findings) = tests::hostile_run(hostile);
    let labels = || example::labels(&[("alertname", hostile), (hostile, hostile)]);
    if let Reply::Received(prometheus) = &mut run.evidence.prometheus {
        for series in &mut prometheus.alerts {
            series.labels.extend(labels());
        }
    }
    if let Reply::Received(pager) = &mut run.evidence.pager {
        for page in &mut pager.pages {
            (page.labels, page.annotations, page.receiver) = (labels(), labels(), hostile.to_owned());
        }
    }
    findings.extend(example::findings().into_iter().take(3));
    let text = Some(hostile.to_owned());
    let written = Written { run: text.clone(), again: text, ..Written::default() };
    let honest = page(&example::run(), &example::findings(), &Written::default());
    let page = page(&run, &findings, &written);

    let tags = |page: &str| -> std::collections::BTreeSet<String> {
        let tags = page.split('<').skip(1).map(|tag| tag.split([' ', '>']).next().unwrap_or_default());
        tags.map(str::to_owned).collect()
    };
    assert_eq!(tags(&page), tags(&honest), "there is no tag that an honest report has not");
    assert!(
        !page.contains("alert(1)</script>") && page.contains("&lt;script&gt;alert(1)"),
        "it is shown as text"
    );
    assert!(page.contains("&amp;lt;b&amp;gt;"), "what looks escaped is shown as it is");
    let bad = page.chars().find(|c| *c != '\n' && firedrill_net::sanitize::is_unsafe(*c));
    assert_eq!(bad, None);
}

#[test]
fn the_verdict_comes_first_then_each_expectation_with_its_evidence() {
    let written = Written { again: Some("firedrill drill a.yaml --seed 7".to_owned()), ..Written::default() };
    let page = page(&example::run(), &example::findings(), &written).replace(STYLE, "");
    // Charts are for the eye: what is kept of them is where they are.
    let (first, rest) = page.split_once("<svg").unwrap();
    let rest = rest.split("<svg").map(|chart| chart.split_once("</svg>").unwrap().1);
    let page = [first].into_iter().chain(rest).collect::<Vec<_>>().join("<svg>");
    insta::assert_snapshot!(page.replace("><", ">\n<"));
}

#[test]
fn a_run_without_any_evidence_is_reported_all_the_same() {
    let mut run = example::run();
    run.evidence = crate::evidence::Evidence::none(run.ended);
    run.phases.clear();
    let page = page(&run, &[], &Written::default());
    assert!(page.contains("Inconclusive: nothing was expected."));
    assert!(page.contains("No raw samples were collected"));
    assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
}
