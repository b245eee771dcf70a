//! The report as a person reads it, on a terminal or through a pipe.

use anstyle::{AnsiColor, Style};
use textwrap::{Options, WordSplitter};

use super::{Finding, Phase, Report, Verdict, Written};
use firedrill_contract::display;
use firedrill_net::sanitize::sanitize;

/// How a text should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How many columns there are. What cannot be broken (a path, a command) may go over it.
    pub width: usize,
    /// Whether to colour it. Whoever asks looks at the terminal and at `NO_COLOR`.
    pub colour: bool,
    /// Whether to show the details of what passed as well.
    pub verbose: bool,
}

/// Columns under which it is not narrowed any more.
const NARROWEST: usize = 40;

/// Columns over which a line is no longer easy to read.
const WIDEST: usize = 160;

/// Columns that a reason needs beside its subject; with fewer it stands below.
const ROOM: usize = 44;

/// Columns that a subject may take before its reason goes below it.
const SUBJECT: usize = 30;

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
        text.findings(&self.findings);
        text.line("");
        text.summary(self);
        text.places(written);
        text.written
    }
}

/// Where findings stand: their subjects, how wide these may be beside a reason, and their reasons.
struct Columns {
    indent: usize,
    subject: usize,
    reason: usize,
}

/// The verdict as a terminal shows it: a fail stands out without colour too.
#[must_use]
pub const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "FAIL",
        Verdict::Pass | Verdict::Inconclusive => verdict.name(),
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

    fn verdict(&self, verdict: Verdict) -> String {
        let style = match verdict {
            Verdict::Pass => AnsiColor::Green.on_default(),
            Verdict::Fail => AnsiColor::Red.on_default().bold(),
            Verdict::Inconclusive => AnsiColor::Yellow.on_default().bold(),
        };
        self.styled(style, word(verdict))
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
            unanswered.iter().map(|(outcome, count)| format!("{count} {}", sanitize(outcome))).collect();
        self.wrapped(4, &format!("{all} without a whole answer: {}", each.join(", ")), Style::new());
    }

    fn findings(&mut self, findings: &[Finding]) {
        let subjects = findings.iter().map(|finding| width(&sanitize(&finding.subject)));
        let longest = subjects.filter(|&width| width <= SUBJECT).max().unwrap_or(0);
        let words = findings.iter().map(|finding| word(finding.verdict).len()).max().unwrap_or(0);
        let indent = words + GAP.len();
        // The column at which the reason begins, beside the subject or below it.
        let column = indent + longest + GAP.len();
        let columns = if column + ROOM <= self.look.width {
            Columns { indent, subject: longest, reason: column }
        } else {
            Columns { indent, subject: 0, reason: indent }
        };
        findings.iter().for_each(|finding| self.finding(finding, &columns));
    }

    fn finding(&mut self, finding: &Finding, columns: &Columns) {
        let pad = columns.indent - word(finding.verdict).len();
        let (verdict, subject) =
            (format!("{}{:pad$}", self.verdict(finding.verdict), ""), sanitize(&finding.subject));
        let mut reason = wrapped(&sanitize(&finding.reason), self.look.width - columns.reason).into_iter();
        if width(&subject) <= columns.subject {
            let pad = columns.subject - width(&subject);
            self.line(&format!("{verdict}{subject}{:pad$}{GAP}{}", "", reason.next().unwrap_or_default()));
        } else {
            let mut lines = wrapped(&subject, self.look.width - columns.indent).into_iter();
            self.line(&format!("{verdict}{}", lines.next().unwrap_or_default()));
            lines.for_each(|line| self.line(&format!("{:indent$}{line}", "", indent = columns.indent)));
        }
        reason.for_each(|line| self.line(&format!("{:column$}{line}", "", column = columns.reason)));
        let dim = Style::new().dimmed();
        if let Some(detection) = &finding.detection {
            self.wrapped(columns.reason, &detection.sentence(), dim);
        }
        if self.look.verbose || finding.verdict != Verdict::Pass {
            finding.details.iter().for_each(|detail| self.wrapped(columns.reason, &sanitize(detail), dim));
        }
    }

    fn summary(&mut self, report: &Report) {
        let style = match report.verdict {
            Verdict::Pass => AnsiColor::Green.on_default().bold(),
            Verdict::Fail => AnsiColor::Red.on_default().bold(),
            Verdict::Inconclusive => AnsiColor::Yellow.on_default().bold(),
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
        display::seconds(phase.seconds),
        display::count(phase.requests, "request", "requests"),
        phase.error_ratio.map(|ratio| format!("{} errors", display::percent(ratio))).unwrap_or_default(),
        phase
            .latency
            .map(|latency| format!("p99 {}", display::seconds(latency.p99_seconds)))
            .unwrap_or_default(),
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
