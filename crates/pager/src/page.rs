//! `/`: what rang, for people. Labels and annotations come from outside, so that everything is escaped
//! and only links to web pages become links.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use http::{HeaderValue, header};
use jiff::Timestamp;

use super::Shared;
use super::book::Page;
use super::webhook::Status;
use firedrill_contract::Refusal;
use firedrill_server::answer::{self, HTML, Response};
use firedrill_server::html::escape;
use firedrill_server::problem::Problem;

/// What the pager shares with the live page and the report, and its own.
const STYLE: &str = concat!(include_str!("../../../web/look.css"), include_str!("../../../web/pager.css"));

/// Loads the page again in its place, and says so where it cannot.
const SCRIPT: &str = include_str!("../../../web/pager.js");

/// Pages that are shown; all are at `/pages`.
const SHOWN: usize = 100;

/// Characters of a label or an annotation that are shown.
const LONGEST: usize = 500;

/// Seconds after which the page loads itself again.
const REFRESH: u32 = 10;

/// Nothing is loaded but the style sheet and the one script, and nothing in the HTML runs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// Answers `/pager.css`.
pub(super) fn style() -> Response {
    answer::ok(HeaderValue::from_static("text/css; charset=utf-8"), answer::whole(STYLE))
}

/// Answers `/pager.js`.
pub(super) fn script() -> Response {
    answer::ok(HeaderValue::from_static("text/javascript; charset=utf-8"), answer::whole(SCRIPT))
}

/// Answers `/`.
pub(super) fn page(shared: &Shared, query: &str) -> Result<Response, Problem> {
    let refreshes = refreshes(query)?;
    let now = Timestamp::now();
    let (news, kept, forgotten) = {
        let book = shared.book();
        (book.pages().take(SHOWN).cloned().collect::<Vec<_>>(), book.kept(), book.forgotten())
    };
    let heartbeat = shared.heartbeat().map(|heartbeat| {
        let at = Instant::now();
        (heartbeat.pulse(at).has_stopped(), heartbeat.sentence(at))
    });
    let pages: String = news.iter().map(|news| item(&news.page, now)).collect();
    let firing = news.iter().filter(|news| news.page.status == Status::Firing).count();

    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
<title>firedrill pager</title><link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/pager.css\">",
    );
    // Writing to a string does not fail.
    if refreshes {
        let _ = write!(
            html,
            "<script src=\"/pager.js\" type=\"module\"></script>\
<noscript><meta http-equiv=\"refresh\" content=\"{REFRESH}\"></noscript>"
        );
    }
    html.push_str("</head><body><main>\n<h1>firedrill pager</h1>\n");
    if refreshes {
        html.push_str("<p id=\"reached\" aria-live=\"off\"></p>\n");
    }
    html.push_str("<div id=\"rang\">\n");
    match heartbeat {
        Some((true, sentence)) => {
            let _ = writeln!(
                html,
                "<p class=\"stopped\" role=\"alert\"><strong>No heartbeat:</strong> {}</p>",
                escape(&sentence)
            );
        }
        Some((false, sentence)) => {
            let _ = writeln!(html, "<p class=\"beats\">Heartbeat: {}</p>", escape(&sentence));
        }
        None => html.push_str("<p>No heartbeat is listened for.</p>\n"),
    }
    let _ = writeln!(
        html,
        "<p>Listening since {}; what rang before is not known here.</p>",
        time(shared.began, now)
    );
    if forgotten > 0 {
        let _ = writeln!(html, "<p>{forgotten} older pages were forgotten to make room.</p>");
    }
    let truncated = shared.telemetry.truncated.get();
    if truncated > 0 {
        let _ = writeln!(
            html,
            "<p class=\"stopped\">Alerts that Alertmanager left out of its notifications: {truncated} (max_alerts).</p>"
        );
    }
    let _ = writeln!(html, "<h2>What rang</h2>");
    if kept == 0 {
        html.push_str("<p>Nothing.</p>\n");
    } else {
        let _ = write!(html, "<p>{firing} of the {} newest fire.", news.len());
        if kept > news.len() {
            let _ = write!(html, " {kept} are kept: <a href=\"/pages\">all as JSON</a>.");
        }
        let _ = writeln!(html, "</p>\n<ol>\n{pages}</ol>");
    }
    let _ = write!(
        html,
        "</div>\n<footer><p>{} <a href=\"/pages\"><code>/pages</code></a> and <a href=\"/pages/stream\"><code>/pages/stream</code></a> tell it to programs, \
<a href=\"/metrics\"><code>/metrics</code></a> counts it.</p></footer>\n</main></body></html>\n",
        if refreshes {
            format!(
                "This page loads itself again every {REFRESH} s (<a href=\"/?refresh=off\">hold it still</a>)."
            )
        } else {
            "This page holds still (<a href=\"/\">let it load itself again</a>).".to_owned()
        }
    );
    let mut response = answer::ok(HTML, answer::whole(html));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// Whether the page loads itself again: it does unless it is asked not to.
fn refreshes(query: &str) -> Result<bool, Refusal> {
    let mut refreshes = true;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let expected = match (&*name, &*value) {
            ("refresh", "off") => {
                refreshes = false;
                continue;
            }
            ("refresh", _) => "off",
            _ => "the parameter refresh=off or none",
        };
        let (parameter, got) = (name.into_owned(), value.into_owned());
        return Err(Refusal { parameter, got, expected: expected.to_owned() });
    }
    Ok(refreshes)
}

/// One page as an element of the list.
pub(super) fn item(page: &Page, now: Timestamp) -> String {
    let name = match page.alertname() {
        "" => "an alert without a name",
        name => name,
    };
    let mut facts = String::new();
    let mut fact = |what: &str, text: &str| {
        // Writing to a string does not fail.
        let _ = write!(facts, "<dt>{what}</dt><dd>{text}</dd>");
    };
    match (page.rang_at, page.delay_seconds) {
        (Some(rang), Some(delay)) => {
            fact("rang", &format!("{}, {} after it began", time(rang, now), seconds(delay)));
        }
        (Some(rang), None) => {
            fact("rang", &format!("{}; it may have rung before this pager knew of it", time(rang, now)));
        }
        (None, _) => fact("rang", "not here: only its end was heard of"),
    }
    fact("began", &time(page.starts_at, now));
    match page.resolved_at {
        Some(resolved) => fact("resolved", &time(resolved, now)),
        None => fact("resolved", "not yet"),
    }
    let receiver = escape(&shown(&page.receiver));
    match page.times_received {
        1 => fact("told to", &receiver),
        times => {
            fact("told to", &format!("{receiver}, {times} times, last {}", time(page.last_received_at, now)));
        }
    }
    let labels: Vec<_> = page
        .labels
        .iter()
        .filter(|(label, _)| *label != "alertname")
        .map(|(label, value)| format!("<code>{}={}</code>", escape(&shown(label)), escape(&shown(value))))
        .collect();
    if !labels.is_empty() {
        fact("labels", &labels.join(" "));
    }
    let runbook = page.annotations.get("runbook_url").map_or("", String::as_str);
    if !runbook.is_empty() {
        fact("runbook", &link(runbook, runbook));
    }
    if !page.generator_url.is_empty() {
        let expression = expression(&page.generator_url);
        fact("expression", &link(&page.generator_url, expression.as_deref().unwrap_or(&page.generator_url)));
    }
    let texts: String = ["summary", "description"]
        .iter()
        .filter_map(|annotation| page.annotations.get(*annotation))
        .map(|text| format!("<p>{}</p>", escape(&shown(text))))
        .collect();
    format!(
        "<li class=\"page {status}\"><h3>{} <span class=\"state\">{status}</span></h3>{texts}<dl>{facts}</dl></li>\n",
        escape(&shown(name)),
        status = page.status.name(),
    )
}

/// The expression that an address of Prometheus' own page shows.
fn expression(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "g0.expr")
        .map(|(_, value)| value.into_owned())
}

/// A link with this text, where it leads to a web page; otherwise what would have been its address.
fn link(url: &str, text: &str) -> String {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if is_web && !url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        let (url, text) = (escape(url), escape(&shown(text)));
        format!("<a href=\"{url}\" rel=\"noopener noreferrer\">{text}</a>")
    } else {
        format!("<code>{}</code>", escape(&shown(url)))
    }
}

/// A text, or the beginning of a long one.
fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A time, and how long ago it was.
fn time(time: Timestamp, now: Timestamp) -> String {
    let to_the_second = Timestamp::from_second(time.as_second()).unwrap_or(time);
    let ago = now.duration_since(time);
    let ago = if ago.is_negative() {
        "in the future".to_owned()
    } else {
        format!("{} ago", seconds(Duration::from_secs(ago.unsigned_abs().as_secs()).as_secs_f64()))
    };
    let said = to_the_second.to_string().replace('T', " ").replace('Z', " UTC");
    format!("<time datetime=\"{time}\">{said}</time> ({ago})")
}

/// A time span as people say it: the two largest units of it.
fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        let rounded = (seconds * 10.0).round() / 10.0;
        return format!("{rounded} s");
    }
    let whole = Duration::from_secs_f64(seconds.min(1e12)).as_secs();
    match (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60) {
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
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
            let html = link(url, url);
            assert_eq!(html.starts_with("<a href="), is_link, "{url}");
            assert!(!html.contains("<script"), "{html}");
        }
        let url = "https://example.com/\"onclick=\"alert(1)";
        let html = link(url, url);
        assert!(html.contains("href=\"https://example.com/&quot;onclick=&quot;alert(1)\""), "{html}");
    }

    #[test]
    fn an_address_of_prometheus_is_shown_as_the_expression_that_it_asks_for() {
        let url = "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1";
        assert_eq!(expression(url).as_deref(), Some("up == 0"));
        assert!(link(url, "up < 1").ends_with(">up &lt; 1</a>"));
        assert_eq!(expression("https://example.com/graph?expr=up"), None);
    }

    #[test]
    fn a_time_span_is_said_in_two_units() {
        for (span, said) in [
            (2.04, "2 s"),
            (-1.0, "-1 s"),
            (59.96, "60 s"),
            (61.0, "1 min 1 s"),
            (3_600.0, "1 h 0 min"),
            (90_000.0, "1 d 1 h"),
            (1e18, "11574074 d 1 h"),
        ] {
            assert_eq!(seconds(span), said);
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shown("é"), "é");
        let cut = shown(&"é".repeat(LONGEST + 1));
        assert_eq!(cut.chars().count(), LONGEST + 1);
        assert!(cut.ends_with("é…"));
    }
}
