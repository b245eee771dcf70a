//! Texts from outside, harmless to who reads them.

/// Whether a character may do something to what is around it when it is shown: controls, and those
/// that turn the direction of writing (CVE-2021-42574). And those that no document may hold (XML 1.0, 2.2).
pub fn is_unsafe(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    let is_none = u32::from(c) & 0xfffe == 0xfffe;
    c.is_control() || turns || breaks || is_none
}

/// A text from outside, harmless on a terminal and in a document: on one line, and what could act on
/// what is around it is shown as its escape, so that nothing is hidden.
pub fn sanitize(text: &str) -> String {
    let has_lines = text.contains(['\n', '\r', '\t']);
    let text = if has_lines { &text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// The same of a text that may have lines of its own, such as what is wrong with a file: they stay.
pub fn sanitize_lines(text: &str) -> String {
    text.split('\n').map(sanitize).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_on_a_terminal_is_shown_as_its_escape() {
        assert_eq!(sanitize("\u{1b}[31mred\u{7}\u{9b}2J"), "\\u{1b}[31mred\\u{7}\\u{9b}2J");
        assert_eq!(sanitize("sum(\r\n  errors\n)"), "sum( errors )");
        assert_eq!(sanitize("ab\u{202e}dc\u{fffe}"), "ab\\u{202e}dc\\u{fffe}");
        assert_eq!(sanitize("Grüße, 日本 🔥"), "Grüße, 日本 🔥");
    }

    #[test]
    fn lines_stay_lines_and_none_of_them_acts() {
        assert_eq!(
            sanitize_lines("a.yaml:1:1: \u{1b}]0;x\u{7}\nb.yaml:2:1: y\n"),
            "a.yaml:1:1: \\u{1b}]0;x\\u{7}\nb.yaml:2:1: y\n"
        );
    }
}
