//! The timeline as one drawing: panels one below the other on one time axis, phases as bands behind all of them.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::timeline::{Alert, Span, Step, Timeline};
use firedrill_net::sanitize::sanitize;

/// A drawing of one width. All lengths are its own units, which are pixels where it is shown in full.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chart {
    /// Its class.
    pub(super) name: &'static str,
    width: f64,
    /// Room for the numbers of the vertical axes.
    left: f64,
    /// How high a panel's plot is.
    plot: f64,
}

/// For screens and paper.
pub(super) const WIDE: Chart = Chart { name: "wide", width: 960.0, left: 64.0, plot: 110.0 };

/// For telephones.
pub(super) const NARROW: Chart = Chart { name: "narrow", width: 360.0, left: 50.0, plot: 90.0 };

/// Room at the right, for half a number of the time axis.
const RIGHT: f64 = 14.0;

/// Room for the names of phases.
const HEAD: f64 = 22.0;

/// Room for a panel's title.
const TITLE: f64 = 30.0;

/// Room for an alert: its name and its bar.
const ROW: f64 = 36.0;

/// Room for the time axis.
const FOOT: f64 = 26.0;

/// How wide a character is, about.
const CHARACTER: f64 = 6.8;

/// How fine ticks of a time axis are, in seconds.
const TICKS: [f64; 15] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0,
];

/// A panel: lines over time.
struct Panel<'a> {
    title: String,
    /// Of what is drawn, each with its class.
    lines: Vec<(&'static str, &'a [Step])>,
    /// What the axis ends at when less would do.
    at_least: f64,
    unit: fn(f64) -> String,
}

fn panels(timeline: &Timeline) -> [Panel<'_>; 3] {
    let Timeline { truth, seen, .. } = timeline;
    let mut rate: Vec<(_, &[Step])> = vec![("truth", &truth.rate)];
    let mut errors: Vec<(_, &[Step])> = vec![("truth", &truth.errors)];
    if seen.by.is_some() {
        rate.push(("seen", &seen.rate));
    }
    errors.extend(seen.errors.as_deref().map(|errors| ("seen", errors)));
    let latency = vec![("longest", &*truth.latency_max), ("truth", &*truth.latency_mean)];
    [
        Panel { title: "Requests a second".to_owned(), lines: rate, at_least: 1.0, unit: |rate| short(rate) },
        Panel { title: "Share of errors".to_owned(), lines: errors, at_least: 0.01, unit: share },
        Panel {
            title: "Latency: mean, filled, and longest".to_owned(),
            lines: latency,
            at_least: 0.001,
            unit: latency_unit,
        },
    ]
}

pub(super) fn draw(timeline: &Timeline, chart: Chart) -> Markup {
    let panels = panels(timeline);
    let panel = TITLE + chart.plot;
    #[expect(clippy::cast_precision_loss, reason = "there are few panels and few alerts")]
    let (panels_end, alerts) = (HEAD + panel * panels.len() as f64, timeline.alerts.len() as f64);
    let alerts = if timeline.alerts.is_empty() { 0.0 } else { TITLE + alerts * ROW };
    let bottom = panels_end + alerts + 8.0;
    let height = bottom + FOOT;
    let at = Axis { chart, to: timeline.to };
    html! {
        svg class={ "chart " (chart.name) } role="img" aria-labelledby={ (chart.name) "-title" }
            viewBox={ "0 0 " (chart.width) " " (height) } width=(chart.width) height=(height) {
            title id={ (chart.name) "-title" } {
                "Requests, errors, latency, alerts and pages over the drill, on one time axis. The tables say the same in numbers."
            }
            (phases(timeline, at, bottom))
            (time_axis(at, bottom))
            @for (top, panel) in (0..).map(|nth: i32| HEAD + f64::from(nth) * panel).zip(&panels) {
                (draw_panel(panel, at, top))
            }
            @if !timeline.alerts.is_empty() {
                text.heading x=(chart.left) y=(panels_end + 20.0) { "Alerts and pages" }
                @for (nth, alert) in (0..).zip(&timeline.alerts) {
                    (draw_alert(alert, at, panels_end + TITLE + f64::from(nth) * ROW))
                }
            }
        }
    }
}

/// Where a time stands.
#[derive(Clone, Copy)]
struct Axis {
    chart: Chart,
    /// The time at the right end.
    to: f64,
}

impl Axis {
    fn plot_width(self) -> f64 {
        self.chart.width - self.chart.left - RIGHT
    }

    /// The place of a time, at an end where it lies beyond.
    fn x(self, time: f64) -> f64 {
        rounded(self.chart.left + time.clamp(0.0, self.to) / self.to * self.plot_width())
    }

    /// How far apart ticks are, so that their numbers do not touch.
    fn tick(self) -> f64 {
        let fits = |tick: &f64| self.plot_width() / (self.to / tick) >= 56.0;
        TICKS.into_iter().find(fits).unwrap_or_else(|| (self.to / 4.0 / 86_400.0).ceil() * 86_400.0)
    }
}

fn phases(timeline: &Timeline, at: Axis, bottom: f64) -> Markup {
    html! {
        @for (nth, band) in timeline.phases.iter().enumerate() {
            @let (from, to) = (at.x(band.from), at.x(band.to));
            @let name = sanitize(&band.name);
            g.band {
                title { (name) ", from " (clock(band.from)) " to " (clock(band.to)) }
                rect class=(if nth % 2 == 0 { "even" } else { "odd" }) x=(from) y="0" width=(rounded(to - from)) height=(bottom) {}
                text.phase x=(from + 4.0) y="15" { (cut(&name, to - from - 6.0)) }
            }
        }
    }
}

fn time_axis(at: Axis, bottom: f64) -> Markup {
    let tick = at.tick();
    let ticks = (0..64).map(|nth| f64::from(nth) * tick).take_while(|time| *time <= at.to);
    html! {
        @for time in ticks {
            line.grid x1=(at.x(time)) x2=(at.x(time)) y1=(HEAD) y2=(bottom) {}
            text.tick x=(at.x(time)) y=(bottom + 16.0) text-anchor="middle" { (clock(time)) }
        }
    }
}

fn draw_panel(panel: &Panel<'_>, at: Axis, top: f64) -> Markup {
    let Chart { left, width, plot, .. } = at.chart;
    let zero = top + TITLE + plot;
    let values = panel.lines.iter().flat_map(|(_, steps)| steps.iter().map(|step| step.value));
    let most = ceiling(values.fold(panel.at_least, f64::max));
    let y = |value: f64| rounded(zero - value / most * plot);
    html! {
        text.heading x=(left) y=(top + 20.0) { (panel.title) }
        @for value in [0.0, most / 2.0, most] {
            line.grid x1=(left) x2=(width - RIGHT) y1=(y(value)) y2=(y(value)) {}
            text.tick x=(left - 6.0) y=(y(value) + 4.0) text-anchor="end" { ((panel.unit)(value)) }
        }
        @for (class, steps) in &panel.lines {
            @if *class == "truth" { path.area d=(area(steps, at, y)) {} }
            path class={ "line " (class) } d=(line(steps, at, y)) {}
        }
        @if panel.lines.iter().all(|(_, steps)| steps.is_empty()) {
            text.tick x=(left + 8.0) y=(top + TITLE + 16.0) { "nothing to draw" }
        }
    }
}

fn draw_alert(alert: &Alert, at: Axis, top: f64) -> Markup {
    let (bar, height) = (top + 17.0, 12.0);
    let middle = bar + height / 2.0;
    let (name, labels) = (sanitize(&alert.name), sanitize(&alert.labels));
    let label = cut(&format!("{name} {labels}"), at.plot_width());
    html! {
        g {
            title { (name) " " (labels) }
            text.alert x=(at.chart.left) y=(top + 12.0) { (label) }
            line.grid x1=(at.chart.left) x2=(at.chart.width - RIGHT) y1=(middle) y2=(middle) {}
            @for span in &alert.spans { (draw_span(*span, at, bar, height)) }
            @for told in &alert.pages {
                @if let Some(rang) = told.rang {
                    path.rang d=(diamond(at.x(rang), middle)) { title { "rang at " (clock(rang)) } }
                }
                @if let Some(resolved) = told.resolved {
                    path.resolved d=(diamond(at.x(resolved), middle)) { title { "told that it is over at " (clock(resolved)) } }
                }
            }
        }
    }
}

fn draw_span(span: Span, at: Axis, top: f64, height: f64) -> Markup {
    let (from, to) = (at.x(span.from), at.x(span.to));
    let state = if span.firing { "firing" } else { "pending" };
    // Pending is half as high, so that it differs by more than its colour.
    let (top, height) = if span.firing { (top, height) } else { (top + height / 4.0, height / 2.0) };
    html! {
        rect class=(state) x=(from) y=(top) width=(rounded((to - from).max(3.0))) height=(height) {
            title { (state) " from " (clock(span.from)) " to " (clock(span.to)) }
        }
    }
}

fn diamond(x: f64, y: f64) -> String {
    format!("M{} {y}l7 -7l7 7l-7 7z", rounded(x - 7.0))
}

/// A line that goes from step to step, and has a gap where there is none.
fn line(steps: &[Step], at: Axis, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut end = f64::NEG_INFINITY;
    for step in steps.iter().filter(|step| step.from < at.to) {
        let (from, to, y) = (at.x(step.from), at.x(step.to), y(step.value));
        // Writing to a string does not fail.
        let _ =
            if step.from > end + 1e-6 { write!(path, "M{from} {y}H{to}") } else { write!(path, "V{y}H{to}") };
        end = step.to;
    }
    path
}

/// What is below such a line.
fn area(steps: &[Step], at: Axis, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let zero = y(0.0);
    let mut end = f64::NEG_INFINITY;
    for step in steps.iter().filter(|step| step.from < at.to) {
        let (from, to, y) = (at.x(step.from), at.x(step.to), y(step.value));
        let _ = if step.from > end + 1e-6 {
            let close = if path.is_empty() { String::new() } else { format!("V{zero}Z") };
            write!(path, "{close}M{from} {zero}V{y}H{to}")
        } else {
            write!(path, "V{y}H{to}")
        };
        end = step.to;
    }
    if !path.is_empty() {
        let _ = write!(path, "V{zero}Z");
    }
    path
}

/// To a tenth: what can be seen.
fn rounded(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

/// The least round number that is not below, of which a half is round as well.
fn ceiling(most: f64) -> f64 {
    let power = 10_f64.powf(most.log10().floor());
    // What computing with fractions adds is no reason for the next one.
    let above = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|digit| digit * power)
        .find(|end| most <= end * 1.000_001);
    above.unwrap_or(most)
}

/// A number without needless zeros.
fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn share(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

fn latency_unit(seconds: f64) -> String {
    if seconds < 1.0 { format!("{} ms", short(seconds * 1e3)) } else { format!("{} s", short(seconds)) }
}

/// A time since the begin: seconds, or minutes and seconds.
pub(super) fn clock(seconds: f64) -> String {
    if seconds < 300.0 {
        return format!("{} s", short((seconds * 10.0).round() / 10.0));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time span, not negative")]
    let whole = seconds.round() as u64;
    match (whole / 3_600, whole / 60 % 60, whole % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// As much of a text as has room.
fn cut(text: &str, room: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and small")]
    let most = (room.max(0.0) / CHARACTER) as usize;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    match most {
        0..3 => String::new(),
        most => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (most, end) in
            [(20.0, 20.0), (20.1, 25.0), (0.52, 0.6), (0.300_000_000_1 * 1.0 / 3.0, 0.1), (7.0, 8.0)]
        {
            assert!((ceiling(most) / end - 1.0).abs() < 1e-9, "{most}: {}", ceiling(most));
        }
    }

    #[test]
    fn numbers_of_the_time_axis_do_not_touch() {
        for to in [1.0, 20.0, 180.0, 600.0, 3_600.0, 86_400.0, 1e7] {
            for chart in [WIDE, NARROW] {
                let axis = Axis { chart, to };
                let ticks = to / axis.tick();
                assert!((0.9..=18.0).contains(&ticks), "{to} in {}: {ticks} ticks", chart.name);
            }
        }
    }

    #[test]
    fn a_line_has_a_gap_where_nothing_was_seen() {
        let at = Axis { chart: WIDE, to: 100.0 };
        let step = |from, to| Step { from, to, value: 1.0 };
        let steps = [step(0.0, 10.0), step(10.0, 20.0), step(50.0, 60.0)];
        let path = line(&steps, at, |value| value);
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert_eq!(area(&steps, at, |value| value).matches('Z').count(), 2);
    }

    #[test]
    fn a_name_that_has_no_room_is_cut() {
        assert_eq!(cut("burning", 100.0), "burning");
        assert_eq!(cut("burning", 30.0), "bur…");
        assert_eq!(cut("burning", 10.0), "");
    }

    #[test]
    fn times_are_read_as_on_a_clock() {
        for (seconds, text) in [(0.0, "0 s"), (53.44, "53.4 s"), (330.0, "5:30"), (3_725.0, "1:02:05")] {
            assert_eq!(clock(seconds), text);
        }
    }
}
