//! The text of a drill file, and how its problems are shown.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::DrillFile;
use super::check::Checked;
use super::problem::Problem;
use super::yaml::LARGEST;
use firedrill_net::sanitize::{is_unsafe, sanitize};

/// A drill file as somebody wrote it.
#[derive(Debug)]
pub struct Source {
    name: String,
    /// Without a byte order mark. What is not UTF-8 is replaced.
    text: String,
    /// Where the first bytes stand that are not UTF-8.
    not_utf8: Option<usize>,
}

impl Source {
    /// The name is for people: a path, or what else tells them which file it is.
    #[must_use]
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let not_utf8 = str::from_utf8(bytes).err().map(|error| error.valid_up_to());
        Self { name: name.to_owned(), text: String::from_utf8_lossy(bytes).into_owned(), not_utf8 }
    }

    /// Reads and checks it.
    ///
    /// # Errors
    /// See [`DrillFile::check`].
    pub fn check(&self) -> Result<Checked, Vec<Problem>> {
        match self.not_utf8 {
            // A file that is too large may have been cut within a character.
            Some(at) if self.text.len() <= LARGEST => {
                let replaced = at..at + char::REPLACEMENT_CHARACTER.len_utf8();
                Err(vec![Problem::new(replaced, "not UTF-8: save the file as UTF-8 text")])
            }
            _ => DrillFile::check(&self.text),
        }
    }

    /// The problems as people and editors read them: `FILE:LINE:COLUMN: MESSAGE`, then the line with the place
    /// underlined, cut to about so many columns. Nothing in it acts on a terminal but the colours.
    #[must_use]
    pub fn show(&self, problems: &[Problem], width: usize, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(width);
        let mut shown = String::new();
        for Problem { location, message } in problems {
            let line = Line::at(&self.text, location.start);
            let column = self.text[line.range.start..location.start].chars().count() + 1;
            shown += &sanitize(&format!("{}:{}:{column}: {message}", self.name, line.number));
            shown.push('\n');
            // What is about the file as a whole has no line to show.
            if *location != (0..0) {
                shown += &renderer.render(&[self.snippet(&line, location)]);
                shown.push('\n');
            }
        }
        shown
    }

    fn snippet(&self, line: &Line, location: &Range<usize>) -> Group<'static> {
        let end = location.end.clamp(location.start, line.range.end);
        let [before, place, after] =
            [line.range.start..location.start, location.start..end, end..line.range.end]
                .map(|range| visible(&self.text[range]));
        let underlined = before.len()..before.len() + place.len();
        let snippet = Snippet::source(before + &place + &after).line_start(line.number);
        Group::with_level(Level::ERROR).element(snippet.annotation(AnnotationKind::Primary.span(underlined)))
    }
}

/// A line of a text.
struct Line {
    /// From 1.
    number: usize,
    /// Without the line break.
    range: Range<usize>,
}

impl Line {
    fn at(text: &str, offset: usize) -> Self {
        let (before, after) = text.split_at(offset);
        // As YAML breaks lines: \n, \r\n, \r.
        let lone = before.matches('\r').count() - before.matches("\r\n").count();
        let start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let end = after.find(['\n', '\r']).map_or(text.len(), |at| offset + at);
        Self { number: before.matches('\n').count() + lone + 1, range: start..end }
    }
}

/// What could act on a terminal replaced. Tabs are the renderer's to widen.
fn visible(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown where this part of a file is refused.
    fn shown(text: &str, part: &str) -> String {
        let source = Source::new("a.yaml", text.as_bytes());
        let start = source.text.find(part).unwrap();
        let problem = Problem::new(start..start + part.len(), "refused");
        source.show(&[problem], 60, false)
    }

    #[test]
    fn the_place_is_underlined_in_its_line() {
        assert_eq!(
            shown("name: x\nexpect: wrong # why\n", "wrong"),
            "a.yaml:2:9: refused\n  |\n2 | expect: wrong # why\n  |         ^^^^^\n"
        );
        for last in ["\n", "", "\r\n", "\r"] {
            let text = format!("name: x\r\nseed: 1{last}");
            assert_eq!(shown(&text, "1"), "a.yaml:2:7: refused\n  |\n2 | seed: 1\n  |       ^\n", "{last:?}");
        }
        assert!(shown("a: 1\rb: 2\r", "2").starts_with("a.yaml:2:4: "));
    }

    #[test]
    fn tabs_wide_characters_and_byte_order_marks_move_nothing() {
        assert_eq!(shown("\u{feff}a: 1\n", "a"), "a.yaml:1:1: refused\n  |\n1 | a: 1\n  | ^\n");
        assert_eq!(
            shown("日本:\t[x, ü, y]\n", "y"),
            "a.yaml:1:12: refused\n  |\n1 | 日本:    [x, ü, y]\n  |                 ^\n"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let long = format!("a: [{}, wrong, {}]\n", "x".repeat(5_000), "y".repeat(5_000));
        let shown = shown(&long, "wrong");
        assert!(shown.starts_with("a.yaml:1:5007: refused\n"), "{shown}");
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.len() < 80), "{shown}");
        assert_eq!(lines[2].find("wrong"), lines[3].find("^^^^^"), "{shown}");
    }

    #[test]
    fn a_place_of_several_lines_is_underlined_in_the_first() {
        assert_eq!(
            shown("a: \"b\n  c\"\n", "\"b\n  c\""),
            "a.yaml:1:4: refused\n  |\n1 | a: \"b\n  |    ^^\n"
        );
    }

    #[test]
    fn nothing_shown_acts_on_a_terminal() {
        let text = "a: \u{1b}]0;x\u{7} \u{9b}2J \u{202e} wrong\n";
        let source = Source::new("\u{1b}[2J.yaml", text.as_bytes());
        let start = text.find("wrong").unwrap();
        let shown = source.show(&[Problem::new(start..start + 5, "no \u{1b}[2J")], 60, false);
        assert!(!shown.contains(|c: char| is_unsafe(c) && c != '\n'), "{shown:?}");
        assert!(shown.starts_with("\\u{1b}[2J.yaml:1:"), "{shown}");
    }

    #[test]
    fn colour_is_for_the_snippet_alone() {
        let source = Source::new("a.yaml", b"seed: x\n");
        let problem = [Problem::new(6..7, "refused")];
        let coloured = source.show(&problem, 60, true);
        assert!(
            coloured.starts_with("a.yaml:1:7: refused\n") && coloured.contains("\u{1b}["),
            "{coloured:?}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_and_too_many_bytes_are_refused() {
        let refused = |bytes: &[u8]| {
            let source = Source::new("-", bytes);
            let problems = source.check().unwrap_err();
            source.show(&problems, 60, false).lines().next().unwrap().to_owned()
        };
        assert_eq!(
            refused(b"name: x\n\xc3\xbc\xff\x00\x01"),
            "-:2:2: not UTF-8: save the file as UTF-8 text"
        );
        let mut large = vec![b'#'; LARGEST];
        large.push(0xff);
        assert_eq!(
            refused(&large),
            "-:1:1: the file is larger than 1 MiB: a drill needs a hundredth of that"
        );
    }
}
