//! The report as a person reads it, on a terminal or through a pipe.

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSplitter};

use super::wording::{millis, percent, seconds};
use super::{Judged, Phase, Report, Stands, Written};
use firedrill_contract::quantity::many;
use firedrill_net::sanitize::sanitize;

/// How a text should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How many columns there are. What cannot be broken (a path, a command) may go over it.
    pub width: usize,
    /// Whether to colour it. Whoever asks looks at the terminal and at `NO_COLOR`.
    pub colour: bool,
    /// Whether to show the details of what held as well.
    pub verbose: bool,
}

/// Columns under which it is not narrowed any more.
const NARROWEST: usize = 40;

/// Columns over which a line is no longer easy to read.
const WIDEST: usize = 160;

/// Columns that what a verdict says needs beside its subject; with fewer it stands below.
const ROOM: usize = 44;

/// Columns that a subject may take before what is said of it goes below it.
const SUBJECT: usize = 30;

/// Before a subject: the ruling and a gap.
const RULING: usize = 7;

const GAP: &str = "   ";

impl Report {
    /// As text, without anything from outside that could act on a terminal.
    #[must_use]
    pub fn text(&self, written: &Written, look: Look) -> String {
        let look = Look { width: look.width.clamp(NARROWEST, WIDEST), ..look };
        let mut text = Text { look, written: String::new() };
        let seed = format!("seed {}", self.seed);
        let [name, target] = [&self.name, &self.target].map(|text| sanitize(text));
        text.fields(
            "",
            &[&text.bold(&name), &target, &seed],
            [&name, &target, &seed].map(|part| width(part)),
        );
        text.phases(&self.phases);
        text.line("");
        text.verdicts(&self.verdicts);
        text.line("");
        text.summary(self);
        text.places(written);
        text.written
    }
}

/// A text that is being written.
struct Text {
    look: Look,
    written: String,
}

impl Text {
    fn line(&mut self, line: &str) {
        self.written.push_str(line.trim_end());
        self.written.push('\n');
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.look.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    fn ruling(&self, stands: Stands) -> String {
        let style = match stands {
            Stands::Held => AnsiColor::Green.on_default(),
            Stands::Lied => AnsiColor::Red.on_default().bold(),
            Stands::CouldNotTell => AnsiColor::Yellow.on_default().bold(),
        };
        self.styled(style, stands.word())
    }

    /// Fields of these widths on one line where they fit; on a line each where they do not.
    fn fields<const N: usize>(&mut self, indent: &str, fields: &[&str; N], widths: [usize; N]) {
        let all = indent.len() + widths.iter().sum::<usize>() + GAP.len() * N.saturating_sub(1);
        if all <= self.look.width {
            self.line(&format!("{indent}{}", fields.join(GAP)));
        } else {
            fields.iter().for_each(|field| self.line(&format!("{indent}{field}")));
        }
    }

    /// Words that hang from this column.
    fn wrapped(&mut self, indent: usize, words: &str, style: Style) {
        for line in wrapped(words, self.look.width.saturating_sub(indent)) {
            self.line(&format!("{:indent$}{}", "", self.styled(style, &line)));
        }
    }

    fn phases(&mut self, phases: &[Phase]) {
        let rows: Vec<_> = phases.iter().map(row).collect();
        let widths = columns(&rows);
        let fits = 2 + widths.iter().sum::<usize>() + GAP.len() * (widths.len() - 1) <= self.look.width;
        for (phase, row) in phases.iter().zip(&rows) {
            if fits {
                let name = format!("{}{:pad$}", row[0], "", pad = widths[0] - width(&row[0]));
                let numbers = row[1..].iter().zip(&widths[1..]);
                let numbers: String = numbers.map(|(cell, &width)| format!("{GAP}{cell:>width$}")).collect();
                self.line(&format!("  {name}{numbers}"));
            } else {
                self.wrapped(2, &row[0], Style::new());
                let numbers: Vec<_> =
                    row[1..].iter().filter(|cell| !cell.is_empty()).map(String::as_str).collect();
                self.wrapped(4, &numbers.join(", "), Style::new());
            }
            self.unanswered(phase);
        }
    }

    fn unanswered(&mut self, phase: &Phase) {
        let unanswered = phase.unanswered();
        if unanswered.is_empty() {
            return;
        }
        let all = unanswered.iter().map(|(_, count)| count).sum::<u64>();
        let each: Vec<_> =
            unanswered.iter().map(|(fate, count)| format!("{count} {}", sanitize(fate))).collect();
        self.wrapped(4, &format!("{all} without a whole answer: {}", each.join(", ")), Style::new());
    }

    fn verdicts(&mut self, verdicts: &[Judged]) {
        let subjects = verdicts.iter().map(|judged| width(&sanitize(&judged.subject)));
        let longest = subjects.filter(|&width| width <= SUBJECT).max().unwrap_or(0);
        let beside = RULING + longest + GAP.len();
        // The column at which what is said begins, beside the subject or below it.
        let (column, beside) = if beside + ROOM <= self.look.width { (beside, longest) } else { (RULING, 0) };
        verdicts.iter().for_each(|judged| self.verdict(judged, column, beside));
    }

    /// A verdict whose subject has what is said beside it where it is no longer than `beside`.
    fn verdict(&mut self, judged: &Judged, column: usize, beside: usize) {
        let (ruling, subject) = (self.ruling(judged.ruling), sanitize(&judged.subject));
        let mut said = wrapped(&sanitize(&judged.says), self.look.width - column).into_iter();
        if width(&subject) <= beside {
            let pad = beside - width(&subject);
            self.line(&format!("{ruling}{GAP}{subject}{:pad$}{GAP}{}", "", said.next().unwrap_or_default()));
        } else {
            let mut lines = wrapped(&subject, self.look.width - RULING).into_iter();
            self.line(&format!("{ruling}{GAP}{}", lines.next().unwrap_or_default()));
            lines.for_each(|line| self.line(&format!("{:RULING$}{line}", "")));
        }
        said.for_each(|line| self.line(&format!("{:column$}{line}", "")));
        let dim = Style::new().dimmed();
        if let Some(detection) = &judged.detection {
            self.wrapped(column, &detection.sentence(), dim);
        }
        if self.look.verbose || judged.ruling != Stands::Held {
            judged.details.iter().for_each(|detail| self.wrapped(column, &sanitize(detail), dim));
        }
    }

    fn summary(&mut self, report: &Report) {
        let style = match report.outcome {
            Stands::Held => AnsiColor::Green.on_default().bold(),
            Stands::Lied => AnsiColor::Red.on_default().bold(),
            Stands::CouldNotTell => AnsiColor::Yellow.on_default().bold(),
        };
        self.wrapped(0, &report.summary(), style);
    }

    /// Where things were written. Paths and commands stay whole, so that they can be copied.
    fn places(&mut self, written: &Written) {
        let Written { run, html, again } = written;
        let named = [("run", run), ("report", html), ("again", again)];
        let places: Vec<_> = named
            .into_iter()
            .filter_map(|(name, place)| Some(format!("{name}: {}", sanitize(place.as_ref()?))))
            .collect();
        let one = places.join(GAP);
        if width(&one) <= self.look.width {
            self.line(&one);
        } else {
            places.iter().for_each(|place| self.line(place));
        }
    }
}

/// A phase as its cells: name, span, requests, errors, latency.
fn row(phase: &Phase) -> [String; 5] {
    [
        sanitize(&phase.name),
        seconds(phase.seconds),
        many(phase.requests, "request", "requests"),
        phase.error_ratio.map(|ratio| format!("{} errors", percent(ratio))).unwrap_or_default(),
        phase.latency.map(|latency| format!("p99 {}", millis(latency.p99_seconds))).unwrap_or_default(),
    ]
}

fn columns(rows: &[[String; 5]]) -> [usize; 5] {
    std::array::from_fn(|column| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0))
}

/// How many columns a text takes.
fn width(text: &str) -> usize {
    textwrap::core::display_width(text)
}

fn wrapped(words: &str, width: usize) -> Vec<String> {
    let options = Options::new(width.max(1)).word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(words, options).into_iter().map(String::from).collect()
}
