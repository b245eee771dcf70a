//! `/`: what rang, for people. Labels and annotations come from outside, so that all of them are escaped
//! and only links to web pages become links.

use std::time::{Duration, Instant};

use firedrill_contract::{Refusal, display};
use firedrill_server::answer::{Answer, HTML, full};
use firedrill_server::problem::Problem;
use firedrill_server::request::Query;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};

use super::state::State;
use super::store::{Event, Page};
use super::webhook::Status;

/// What the pager shares with the live page and the report, and its own.
pub(super) const STYLE: &str =
    concat!(include_str!("../../../web/look.css"), include_str!("../../../web/pager.css"));

/// Loads the page again in its place, and says so where it cannot.
pub(super) const SCRIPT: &str = include_str!("../../../web/pager.js");

/// Pages that are shown; all are at `/pages`.
const SHOWN: usize = 100;

/// Characters of a label or an annotation that are shown.
const LONGEST: usize = 500;

/// Seconds after which the page loads itself again.
const REFRESH: u32 = 10;

/// Answers `/`.
pub(super) fn page(state: &State, query: &Query) -> Result<Answer, Problem> {
    let (refreshes, now) = (refreshes(query)?, Timestamp::now());
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "firedrill pager" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/pager.css";
                @if refreshes {
                    script src="/pager.js" type="module" {}
                    noscript { meta http-equiv="refresh" content=(REFRESH); }
                }
            }
            body {
                main {
                    h1 { "firedrill pager" }
                    @if refreshes { p #reached aria-live="off" {} }
                    div #rang { (status(state, now)) (newest(state, now)) }
                    footer { p {
                        @if refreshes {
                            "This page loads itself again every " (REFRESH) " s ("
                            a href="/?refresh=off" { "hold it still" } "). "
                        } @else {
                            "This page holds still (" a href="/" { "let it load itself again" } "). "
                        }
                        "Programs read " a href="/pages" { code { "/pages" } } " and "
                        a href="/pages/stream" { code { "/pages/stream" } } "; "
                        a href="/metrics" { code { "/metrics" } } " counts."
                    } }
                }
            }
        }
    };
    Ok(Answer::ok(HTML, full(html.into_string())).with_page_policy())
}

/// Whether the page loads itself again: it does unless it is asked not to.
fn refreshes(query: &Query) -> Result<bool, Refusal> {
    let mut refreshes = true;
    for (parameter, got) in query.parameters() {
        let expected = match (parameter, got) {
            ("refresh", "off") => {
                refreshes = false;
                continue;
            }
            ("refresh", _) => "off",
            _ => "the parameter refresh=off or none",
        };
        let (parameter, got, expected) = (parameter.to_owned(), got.to_owned(), expected.to_owned());
        return Err(Refusal { parameter, got, expected });
    }
    Ok(refreshes)
}

/// Whether alerts reach this pager, and how much of them it knows.
fn status(state: &State, now: Timestamp) -> Markup {
    let heartbeat = state.heartbeat().map(|heartbeat| {
        let at = Instant::now();
        (heartbeat.state(at).has_stopped(), heartbeat.describe(at))
    });
    let (forgotten, truncated) = (state.store().forgotten(), state.telemetry.truncated.get());
    html! {
        @match heartbeat {
            Some((true, text)) => p .stopped role="alert" { strong { "No heartbeat:" } " " (text) },
            Some((false, text)) => p .beats { "Heartbeat: " (text) },
            None => p { "No heartbeat is expected." },
        }
        p { "Listening since " (time(state.started, now)) "; what rang before is not known here." }
        @if forgotten > 0 { p { (forgotten) " older pages were forgotten to make room." } }
        @if truncated > 0 {
            p .stopped { "Alerts that Alertmanager left out of its notifications: " (truncated) " (max_alerts)." }
        }
    }
}

fn newest(state: &State, now: Timestamp) -> Markup {
    let (events, kept) = {
        let store = state.store();
        (store.pages().take(SHOWN).cloned().collect::<Vec<_>>(), store.kept())
    };
    let pages = || events.iter().map(|event: &std::sync::Arc<Event>| &event.page);
    html! {
        h2 { "What rang" }
        @if kept == 0 {
            p { "Nothing." }
        } @else {
            p {
                (pages().filter(|page| page.status == Status::Firing).count()) " of the "
                (events.len()) " newest fire."
                @if kept > events.len() { " " (kept) " are kept: " a href="/pages" { "all as JSON" } "." }
            }
            ol { @for page in pages() { (item(page, now)) } }
        }
    }
}

/// One page as an element of the list.
pub(super) fn item(page: &Page, now: Timestamp) -> Markup {
    let name = if page.alertname().is_empty() { "an alert without a name" } else { page.alertname() };
    let status = page.status.name();
    let annotation = |name: &str| page.annotations.get(name).filter(|text| !text.is_empty());
    let labels = || page.labels.iter().filter(|(label, _)| *label != "alertname");
    html! {
        li class={ "page " (status) } {
            h3 { (truncate(name)) " " span .state { (status) } }
            @for text in ["summary", "description"].into_iter().filter_map(annotation) { p { (truncate(text)) } }
            dl {
                dt { "rang" }
                dd {
                    @match (page.rang_at, page.delay_seconds) {
                        (Some(rang), Some(delay)) => { (time(rang, now)) ", " (display::seconds(delay)) " after it began" },
                        (Some(rang), None) => {
                            (time(rang, now)) "; it may have rung before this pager knew of it"
                        },
                        (None, _) => "not here: only its end was received",
                    }
                }
                dt { "began" }
                dd { (time(page.starts_at, now)) }
                dt { "resolved" }
                dd { @match page.resolved_at { Some(resolved) => (time(resolved, now)), None => "not yet" } }
                dt { "notified" }
                dd {
                    (truncate(&page.receiver))
                    @if page.times_received > 1 {
                        ", " (page.times_received) " times, last " (time(page.last_received_at, now))
                    }
                }
                @if labels().next().is_some() {
                    dt { "labels" }
                    dd {
                        @for (n, (label, value)) in labels().enumerate() {
                            @if n > 0 { " " }
                            code { (truncate(label)) "=" (truncate(value)) }
                        }
                    }
                }
                @if let Some(runbook) = annotation("runbook_url") { dt { "runbook" } dd { (link(runbook, runbook)) } }
                @if !page.generator_url.is_empty() {
                    dt { "expression" }
                    dd {
                        @let expression = expression(&page.generator_url);
                        (link(&page.generator_url, expression.as_deref().unwrap_or(&page.generator_url)))
                    }
                }
            }
        }
    }
}

/// The expression that an address of Prometheus' own page shows.
fn expression(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "g0.expr")
        .map(|(_, value)| value.into_owned())
}

/// A link with this text, where it leads to a web page; otherwise what would have been its address.
fn link(url: &str, text: &str) -> Markup {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let is_link = is_web && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    html! {
        @if is_link {
            a href=(url) rel="noopener noreferrer" { (truncate(text)) }
        } @else {
            code { (truncate(url)) }
        }
    }
}

fn truncate(text: &str) -> String {
    display::truncated(text, LONGEST)
}

/// A time, and how long ago it was.
fn time(time: Timestamp, now: Timestamp) -> Markup {
    let to_the_second = Timestamp::from_second(time.as_second()).unwrap_or(time);
    let ago = now.duration_since(time);
    let ago = if ago.is_negative() {
        "in the future".to_owned()
    } else {
        format!("{} ago", display::duration(Duration::from_secs(ago.unsigned_abs().as_secs())))
    };
    let readable = to_the_second.to_string().replace('T', " ").replace('Z', " UTC");
    html! { time datetime=(time) { (readable) } " (" (ago) ")" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_pages_become_links() {
        for (url, is_link) in [
            ("https://example.com/runbooks/a?b=1&c=2", true),
            ("HTTP://example.com", true),
            ("javascript:alert(1)", false),
            ("javascript://example.com/%0aalert(1)", false),
            (" https://example.com", false),
            ("https://example.com\nx", false),
            ("java\tscript:alert(1)", false),
            ("data:text/html,<script>alert(1)</script>", false),
            ("//example.com", false),
            ("docs/a.md", false),
        ] {
            let html = link(url, url).into_string();
            assert_eq!(html.starts_with("<a href="), is_link, "{url}");
            assert!(!html.contains("<script"), "{html}");
        }
        let url = "https://example.com/\"onclick=\"alert(1)";
        let html = link(url, url).into_string();
        assert!(html.contains("href=\"https://example.com/&quot;onclick=&quot;alert(1)\""), "{html}");
    }

    #[test]
    fn an_address_of_prometheus_is_shown_as_the_expression_that_it_asks_for() {
        let url = "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1";
        assert_eq!(expression(url).as_deref(), Some("up == 0"));
        assert!(link(url, "up < 1").into_string().ends_with(">up &lt; 1</a>"));
        assert_eq!(expression("https://example.com/graph?expr=up"), None);
    }
}
