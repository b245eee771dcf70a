//! The report as one HTML file, which opens without a network and prints well.
//!
//! Nothing in it runs and nothing is loaded: its policy allows its one style sheet, by its hash. All
//! texts go through `maud`, which escapes them, so that no label and no name becomes markup. What is
//! drawn is a [`timeline`](self) of the run, as a [`chart`](self) for screens and one for telephones.

mod chart;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Detection, Finding, Phase, Report, Verdict, Written};
use crate::run::Run;
use chart::clock;
use firedrill_contract::display;
use firedrill_net::sanitize::sanitize;
use timeline::{Alert, Timeline};

/// What the report shares with the live page and the pager, and its own.
pub const STYLE: &str = concat!(include_str!("../../../../web/look.css"), include_str!("html/style.css"));

/// The SHA-256 of [`STYLE`], written by `cargo xtask gen`.
const STYLE_HASH: &str = include_str!("html/style.sha256");

impl Report {
    /// As an HTML document. The run is the one that this report is of: its charts are drawn from it.
    #[must_use]
    pub fn html(&self, run: &Run, written: &Written) -> String {
        let timeline = Timeline::of(run);
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="referrer" content="no-referrer";
                    title { (sanitize(&self.name)) ": " (self.summary()) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        (headline(self))
                        (facts(self))
                        (findings(self))
                        (over_time(&timeline, &self.began))
                        (sent(self))
                        (alerts(&timeline))
                        (again(self, written))
                        footer { "firedrill " (sanitize(&self.firedrill)) }
                    }
                }
            }
        };
        page.into_string() + "\n"
    }
}

fn headline(report: &Report) -> Markup {
    let not_passed =
        || report.findings.iter().enumerate().filter(|(_, finding)| finding.verdict != Verdict::Pass);
    html! {
        header class={ "outcome " (Verdict::name(report.verdict)) } {
            h1 { (sanitize(&report.name)) }
            p.sentence { (report.summary()) }
            @if let Some(about) = &report.about { p { (sanitize(about)) } }
            @if not_passed().next().is_some() {
                ul.why {
                    @for (nth, finding) in not_passed() {
                        li class=(Verdict::name(finding.verdict)) {
                            span.verdict { (words(finding.verdict)) } ": "
                            a href={ "#finding-" (nth + 1) } { (sanitize(&finding.subject)) }
                        }
                    }
                }
            }
        }
    }
}

fn facts(report: &Report) -> Markup {
    html! {
        dl.facts {
            div { dt { "Target" } dd { code { (sanitize(&report.target)) } } }
            div { dt { "Began" } dd { (time(&report.began)) } }
            div { dt { "Lasted" } dd { (display::seconds(report.seconds)) } }
            div { dt { "Requests" } dd { (report.phases.iter().map(|phase| phase.requests).sum::<u64>()) } }
            div { dt { "Seed" } dd { (report.seed) } }
        }
    }
}

fn findings(report: &Report) -> Markup {
    html! {
        section aria-labelledby="verdicts" {
            h2 id="verdicts" { "What was expected of monitoring" }
            @if report.findings.is_empty() { p { "Nothing." } }
            ol {
                @for (nth, one) in report.findings.iter().enumerate() { (finding(nth + 1, one)) }
            }
        }
    }
}

fn finding(nth: usize, finding: &Finding) -> Markup {
    html! {
        li class={ "finding " (Verdict::name(finding.verdict)) } id={ "finding-" (nth) } {
            span.verdict { (words(finding.verdict)) }
            div {
                h3 { (sanitize(&finding.subject)) }
                p { (sanitize(&finding.reason)) }
                @if let Some(took) = &finding.detection { (detection(took)) }
                @if !finding.details.is_empty() {
                    ul.details { @for detail in &finding.details { li { (sanitize(detail)) } } }
                }
            }
        }
    }
}

/// Where the time went, from the cause to the page, as a bar.
fn detection(took: &Detection) -> Markup {
    let all: f64 = took.parts().map(|(_, seconds)| seconds).sum();
    let parts = || (0..).zip(took.parts());
    let mut from = 0.0;
    let bars = parts().map(|(nth, (name, seconds))| {
        let bar = (nth, name, from, seconds);
        from += seconds;
        bar
    });
    html! {
        figure.detection {
            figcaption {
                "From the cause to firing " (display::seconds(took.detected_seconds))
                @if let Some(told) = took.told_seconds() { ", to the page " (display::seconds(told)) }
            }
            @if all > 0.0 {
                svg viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="the shares of these parts" {
                    @for (nth, name, from, seconds) in bars {
                        rect class={ "part-" (nth) } x=(thousandths(from / all)) width=(thousandths(seconds / all)) y="0" height="10" { title { (name) } }
                    }
                }
            }
            ul.parts {
                @for (nth, (name, part)) in parts() {
                    li {
                        svg viewBox="0 0 16 10" aria-hidden="true" { rect class={ "part-" (nth) } width="16" height="10" {} }
                        (display::seconds(part)) " " (name)
                    }
                }
            }
        }
    }
}

fn thousandths(share: f64) -> f64 {
    (share * 10_000.0).round() / 10.0
}

fn over_time(timeline: &Timeline, began: &str) -> Markup {
    html! {
        section aria-labelledby="time" {
            h2 id="time" { "What happened, and what monitoring saw" }
            ul.legend {
                (key("line truth", "M0 5H16", "what truly happened"))
                @if let Some(by) = timeline.seen.by { (key("line seen", "M0 5H16", &format!("what {by} saw"))) }
                @if !timeline.alerts.is_empty() {
                    (key("pending", "M0 2.5H16V7.5H0Z", "pending"))
                    (key("firing", "M0 0H16V10H0Z", "firing"))
                    (key("rang", "M3 5l5 -5l5 5l-5 5z", "paged"))
                    (key("resolved", "M3 5l5 -5l5 5l-5 5z", "told that it is over"))
                }
            }
            figure {
                (chart::draw(timeline, chart::WIDE))
                (chart::draw(timeline, chart::NARROW))
            }
            p.note {
                "Time is since the drill began, at " (time(began)) ". "
                @match timeline.seen.by {
                    Some(by) => { "What " (by) " saw is how much the counters rose between each two scrapes: the first value of a series that was born in between is not in it, and where nothing was scraped, the line has a gap." }
                    None => { "No raw samples were collected, so that only what truly happened is drawn." }
                }
                @if timeline.seen.by.is_some() && timeline.seen.errors.is_none() {
                    " The counters have no label for the status, so that they say nothing of errors."
                }
                @if !timeline.constant.is_empty() {
                    " Fired all the while: " (sanitize(&timeline.constant.join(", "))) "."
                }
                @if timeline.left_out > 0 {
                    " " (display::count(timeline.left_out, "more alert is", "more alerts are")) " not drawn."
                }
            }
        }
    }
}

fn key(class: &str, path: &str, means: &str) -> Markup {
    html! {
        li { svg viewBox="0 0 16 10" aria-hidden="true" { path class=(class) d=(path) {} } (means) }
    }
}

fn sent(report: &Report) -> Markup {
    html! {
        section aria-labelledby="sent" {
            h2 id="sent" { "What was sent" }
            (table("Phase", &SENT, report.phases.iter().map(row)))
            @for phase in report.phases.iter().filter(|phase| !phase.unanswered().is_empty()) {
                p.note {
                    (sanitize(&phase.name)) ": without a whole answer "
                    (phase.unanswered().iter().map(|(outcome, count)| format!("{count} {}", sanitize(outcome))).collect::<Vec<_>>().join(", "))
                }
            }
            p.note { "Latency is counted from when a request was due. Own lag is how late the drill itself was." }
        }
    }
}

/// The columns of what was sent, beside the phase.
const SENT: [&str; 6] = ["Length", "Requests", "Errors", "p50", "p99", "Own lag p99"];

fn row(phase: &Phase) -> (Markup, [String; SENT.len()]) {
    let latency = |seconds: Option<f64>| seconds.map_or_else(|| NONE.to_owned(), display::seconds);
    let cells = [
        display::seconds(phase.seconds),
        phase.requests.to_string(),
        phase.error_ratio.map_or_else(|| NONE.to_owned(), display::percent),
        latency(phase.latency.map(|spread| spread.p50_seconds)),
        latency(phase.latency.map(|spread| spread.p99_seconds)),
        latency(phase.lag.map(|spread| spread.p99_seconds)),
    ];
    (html! { (sanitize(&phase.name)) }, cells)
}

/// What stands where there is nothing.
const NONE: &str = "–";

/// A table whose rows become lists on a telephone. The roles keep it a table for those who listen to it there.
fn table<const N: usize>(
    first: &str,
    columns: &[&str; N],
    rows: impl Iterator<Item = (Markup, [String; N])>,
) -> Markup {
    html! {
        table role="table" {
            thead role="rowgroup" {
                tr role="row" {
                    th role="columnheader" scope="col" { (first) }
                    @for column in columns { th role="columnheader" scope="col" { (column) } }
                }
            }
            tbody role="rowgroup" {
                @for (head, cells) in rows {
                    tr role="row" {
                        th role="rowheader" scope="row" { (head) }
                        @for (column, cell) in columns.iter().zip(cells) {
                            td role="cell" data-label=(column) { (cell) }
                        }
                    }
                }
            }
        }
    }
}

fn alerts(timeline: &Timeline) -> Markup {
    let (own, others) = (&timeline.alerts, &timeline.others);
    if own.is_empty() && others.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="alerts" {
            h2 id="alerts" { "Alerts and pages" }
            @if !own.is_empty() { (table("Alert", &ALERTS, own.iter().map(alert_row))) }
            @if !others.is_empty() {
                details {
                    summary { (display::count(others.len(), "alert", "alerts")) " of other workloads" }
                    (table("Alert", &ALERTS, others.iter().map(alert_row)))
                }
            }
        }
    }
}

/// The columns of an alert, beside its name.
const ALERTS: [&str; 4] = ["Pending", "Firing", "Paged", "Told that it is over"];

fn alert_row(alert: &Alert) -> (Markup, [String; ALERTS.len()]) {
    let spans = |firing| {
        let spans = alert.spans.iter().filter(move |span| span.firing == firing);
        let each = spans.map(|span| {
            let to = if span.open { "and still".to_owned() } else { format!("to {}", clock(span.to)) };
            format!("{} {to}", clock(span.from))
        });
        listed(each)
    };
    let told = |when: fn(&timeline::Told) -> Option<f64>| {
        let told = alert.pages.iter().filter_map(move |told| Some((when(told)?, &told.receiver)));
        listed(told.map(|(at, receiver)| format!("{} {}", clock(at), sanitize(receiver))))
    };
    let name = html! { (sanitize(&alert.name)) " " span.note { (sanitize(&alert.labels)) } };
    (name, [spans(false), spans(true), told(|told| told.rang), told(|told| told.resolved)])
}

fn listed(each: impl Iterator<Item = String>) -> String {
    let all = each.collect::<Vec<_>>().join(", ");
    if all.is_empty() { NONE.to_owned() } else { all }
}

fn again(report: &Report, written: &Written) -> Markup {
    html! {
        section.again aria-labelledby="again" {
            h2 id="again" { "Again" }
            @if let Some(command) = &written.again {
                p { "The same requests, by the same seed (" (report.seed) "):" }
                code { (sanitize(command)) }
            } @else {
                p { "The seed that makes the same requests again is " (report.seed) "." }
            }
            @if let Some(run) = &written.run {
                p { "The same verdict, from what was found this time:" }
                code { "firedrill judge " (sanitize(run)) }
            }
        }
    }
}

/// A time, to the second.
fn time(time: &str) -> Markup {
    let shown = time.split_once('.').map_or_else(|| time.to_owned(), |(second, _)| format!("{second}Z"));
    html! { time datetime=(time) { (shown.replace('T', " ").replace('Z', " UTC")) } }
}

const fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓ pass",
        Verdict::Fail => "✗ fail",
        Verdict::Inconclusive => "? inconclusive",
    }
}

#[cfg(test)]
mod tests;
