//! Numbers and texts as people read them.

/// Whether a character may do something to what is around it when it is shown: controls, and those
/// that turn the direction of writing (CVE-2021-42574). And those that no document may hold (XML 1.0, 2.2).
pub(super) fn is_unsafe(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    let is_none = u32::from(c) & 0xfffe == 0xfffe;
    c.is_control() || turns || breaks || is_none
}

/// A text from outside, harmless on a terminal and in a document: on one line, and what could act on
/// what is around it is shown as its escape, so that nothing is hidden.
pub(super) fn plain(text: &str) -> String {
    let has_lines = text.contains(['\n', '\r', '\t']);
    let text = if has_lines { &text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// A share as percent, to one digit after the point, or as many as it takes to tell some from none and nearly all from all.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let mut shown = (1..=6).map(|digits| format!("{percent:.digits$}"));
    let misleads = |text: &String| {
        let number: f64 = text.parse().unwrap_or(percent);
        (number == 0.0 && percent > 0.0) || (number >= 100.0 && percent < 100.0)
    };
    let text = shown.find(|text| !misleads(text)).unwrap_or_else(|| percent.to_string());
    format!("{text} %")
}

/// A length of time in seconds: to a tenth, whole ones as they are, short ones in milliseconds.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds > 0.0 && seconds < 0.95 {
        return millis(seconds);
    }
    let text = format!("{seconds:.1}");
    format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
}

/// A latency: milliseconds to three digits, or as many as it takes; seconds above ten of them.
pub(super) fn millis(seconds: f64) -> String {
    let ms = seconds * 1e3;
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms if ms < 10_000.0 => format!("{ms:.0} ms"),
        _ => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_on_a_terminal_is_shown_as_its_escape() {
        assert_eq!(plain("\u{1b}[31mred\u{7}\u{9b}2J"), "\\u{1b}[31mred\\u{7}\\u{9b}2J");
        assert_eq!(plain("sum(\r\n  errors\n)"), "sum( errors )");
        assert_eq!(plain("ab\u{202e}dc\u{fffe}"), "ab\\u{202e}dc\\u{fffe}");
        assert_eq!(plain("Grüße, 日本 🔥"), "Grüße, 日本 🔥");
    }

    #[test]
    fn some_is_not_none_and_nearly_all_is_not_all() {
        for (share, text) in [
            (0.0, "0.0 %"),
            (0.502, "50.2 %"),
            (1.0 / 3_600.0, "0.03 %"),
            (0.9999, "99.99 %"),
            (1.0, "100.0 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn times_are_short() {
        for (time, text) in
            [(0.0, "0 s"), (0.0004, "0.40 ms"), (0.25, "250 ms"), (30.0, "30 s"), (7.94, "7.9 s")]
        {
            assert_eq!(seconds(time), text);
        }
        for (time, text) in [(0.0119, "11.9 ms"), (0.1184, "118 ms"), (2.5, "2500 ms"), (30.0, "30.0 s")] {
            assert_eq!(millis(time), text);
        }
    }
}
