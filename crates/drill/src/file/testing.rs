//! Drills for the tests of what is checked.

use super::source::Source;

/// A drill of this project's service that expects this.
pub(crate) fn ours(expect: &str) -> String {
    format!(
        "name: x\nworkload: drill\njob: firedrill\nphases:\n  calm: {{ for: 30s, rate: 20/s, work: {{}} }}\n  burning: {{ for: 90s, rate: 20/s, work: {{}} }}\n  pause: {{ for: 10s }}\nexpect:\n{expect}\n"
    )
}

/// A drill of another service that expects this.
pub(crate) fn theirs(expect: &str) -> String {
    format!(
        "name: x\nphases:\n  calm: {{ for: 30s, rate: 20/s, request: {{ path: / }} }}\nexpect:\n{expect}\n"
    )
}

/// What is shown of a drill; nothing where it is right.
pub(crate) fn shown(text: &str) -> String {
    let source = Source::new("drill.yaml", text.as_bytes());
    source.check().map_or_else(|problems| source.show(&problems, 200, false), |_| String::new())
}

/// What is shown of these drills, each of which has exactly one problem.
pub(crate) fn refused(texts: impl IntoIterator<Item = String>) -> String {
    let one = |text: String| {
        let shown = shown(&text);
        assert_eq!(shown.matches("drill.yaml:").count(), 1, "{text}\n{shown}");
        shown
    };
    texts.into_iter().map(one).collect::<Vec<_>>().join("\n")
}
