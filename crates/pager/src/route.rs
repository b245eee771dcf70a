//! Which path is answered by what.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use jiff::Timestamp;
use serde::Serialize;

use super::book::{News, Page, What};
use super::filter::Filter;
use super::telemetry::{Reason, ReasonLabels};
use super::webhook::{NotUnderstood, Notification};
use super::{Shared, page, stream};
use firedrill_contract::Refusal;
use firedrill_server::Program;
use firedrill_server::answer::{self, Request, Response};
use firedrill_server::connection::Link;
use firedrill_server::exposition;
use firedrill_server::intake::{self, Caps, Untaken};
use firedrill_server::lifecycle::Phase;
use firedrill_server::problem::Problem;
pub(super) use firedrill_server::route::{HEALTH, METRICS, READY};
use firedrill_server::route::{Route, health, not_found};

pub(super) const PAGE: Route = Route::get("/");
pub(super) const STYLE: Route = Route::get("/pager.css");
pub(super) const SCRIPT: Route = Route::get("/pager.js");
pub(super) const WEBHOOK: Route = Route::post("/webhook");
pub(super) const PAGES: Route = Route::get("/pages");
pub(super) const STREAM: Route = Route::get("/pages/stream");

/// Every route that is served.
pub(super) const SERVED: [Route; 9] = [PAGE, STYLE, SCRIPT, HEALTH, READY, METRICS, WEBHOOK, PAGES, STREAM];

impl Program for Shared {
    async fn answer(
        self: &Arc<Self>,
        route: Route,
        request: Request,
        link: &Arc<Link>,
    ) -> Result<Response, Problem> {
        let query = request.uri().query().unwrap_or_default();
        match route {
            PAGE => page::page(self, query),
            STYLE => Ok(page::style()),
            SCRIPT => Ok(page::script()),
            HEALTH => Ok(health()),
            READY => ready(self),
            METRICS => Ok(exposition::answer(self.telemetry.registry(), request.headers())),
            WEBHOOK => webhook(self, request).await,
            PAGES => pages(self, query),
            STREAM => subscribe(self, &request, link),
            _ => Err(not_found(&SERVED)),
        }
    }
}

/// 503 with the reason while the pager drains, or where no alert may reach it any more.
fn ready(shared: &Shared) -> Result<Response, Problem> {
    let stopped = shared.heartbeat().and_then(|heartbeat| {
        let now = Instant::now();
        heartbeat.pulse(now).has_stopped().then(|| heartbeat.sentence(now))
    });
    let reason = if shared.lifecycle.phase() >= Phase::Draining {
        "draining: the pager was told to end".to_owned()
    } else if let Some(stopped) = stopped {
        format!("no heartbeat: {stopped}")
    } else {
        return Ok(answer::text("ready"));
    };
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason).header(header::RETRY_AFTER, "1"))
}

/// What was taken down of one notification.
#[derive(Debug, Default, Serialize)]
struct Taken {
    firing: u32,
    resolved: u32,
    repeated: u32,
    heartbeats: u32,
}

/// Takes a notification from Alertmanager, which tries again after a 5xx and gives up after a 4xx.
async fn webhook(shared: &Shared, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let notification = take_in(shared, &parts, body).await.map_err(|(reason, problem)| {
        shared.telemetry.refused.get_or_create(&ReasonLabels { reason }).inc();
        tracing::warn!(?reason, detail = problem.detail(), "refused a payload");
        problem
    })?;
    Ok(answer::json(&take_down(shared, notification)))
}

/// Reads a notification, or says why it is refused.
async fn take_in(
    shared: &Shared,
    parts: &http::request::Parts,
    body: Incoming,
) -> Result<Notification, (Reason, Problem)> {
    if let Some(token) = &shared.config.token
        && !parts.headers.get(header::AUTHORIZATION).is_some_and(|value| token.is_in(value.as_bytes()))
    {
        let detail = "a notification needs the header \"Authorization: Bearer TOKEN\" with this pager's token; in Alertmanager's webhook_config: http_config: { authorization: { credentials_file: PATH } }";
        let problem = Problem::new(StatusCode::UNAUTHORIZED, detail)
            .header(header::WWW_AUTHENTICATE, "Bearer realm=\"firedrill pager\"");
        return Err((Reason::Unauthorized, problem));
    }
    let Ok(_place) = shared.intakes.try_acquire() else {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many notifications at a time")
            .header(header::RETRY_AFTER, "1");
        return Err((Reason::Busy, problem));
    };
    let caps = Caps { size: shared.config.max_body, time: shared.config.body_timeout };
    let json = intake::json(parts, body, caps).await.map_err(|why| {
        let reason = match why {
            Untaken::TooLarge(_) => Reason::TooLarge,
            Untaken::TooSlow(_) => Reason::TooSlow,
            Untaken::Broken(_) => Reason::Incomplete,
            Untaken::NotJson => Reason::NotJson,
        };
        (reason, why.into())
    })?;
    Notification::from_json(&json).map_err(|why| {
        let reason = match why {
            NotUnderstood::Malformed(_) => Reason::Malformed,
            NotUnderstood::Version(_) => Reason::Version,
        };
        (reason, Problem::new(StatusCode::BAD_REQUEST, why.to_string()))
    })
}

fn take_down(shared: &Shared, notification: Notification) -> Taken {
    let (now, telemetry) = (Timestamp::now(), &shared.telemetry);
    let Notification { receiver, alerts, external_url, truncated_alerts } = notification;
    let label = telemetry.receiver(&receiver);

    telemetry.truncated.inc_by(truncated_alerts);
    let mut taken = Taken::default();
    for alert in alerts {
        if shared.beats(&alert, now) {
            taken.heartbeats += 1;
            continue;
        }
        let news = shared.receive(&receiver, &external_url, alert, now);
        telemetry.count(&news, &label);
        *match news.what {
            What::Rings | What::RingsAgain => &mut taken.firing,
            What::Resolves => &mut taken.resolved,
            What::Repeats => &mut taken.repeated,
        } += 1;
        log(&news);
    }
    taken
}

fn log(news: &News) {
    let Page { status, receiver, starts_at, delay_seconds, .. } = &news.page;
    if news.what != What::Repeats {
        let (alertname, status) = (news.page.alertname(), status.name());
        tracing::info!(alertname, status, %receiver, %starts_at, delay_seconds, "page");
    }
}

/// What `/pages` says.
#[derive(Serialize)]
struct Pages<'a> {
    now: Timestamp,
    /// What rang before is not known: a restart loses what was in memory.
    listening_since: Timestamp,
    kept: usize,
    forgotten: u64,
    truncated_alerts: u64,
    heartbeat: Option<Pulse>,
    pages: Vec<&'a Page>,
}

#[derive(Serialize)]
struct Pulse {
    alertname: String,
    state: &'static str,
    stopped: bool,
    age_seconds: f64,
    timeout_seconds: f64,
    last_received_at: Option<Timestamp>,
}

fn pages(shared: &Shared, query: &str) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let filter = Filter::from_query(query, now)?;
    let (news, kept, forgotten) = {
        let book = shared.book();
        let news: Vec<_> = book.pages().filter(|news| filter.takes(&news.page)).cloned().collect();
        (news, book.kept(), book.forgotten())
    };
    let heartbeat = shared.heartbeat().map(|heartbeat| {
        let now = Instant::now();
        let pulse = heartbeat.pulse(now);
        Pulse {
            alertname: heartbeat.alertname().to_owned(),
            state: pulse.name(),
            stopped: pulse.has_stopped(),
            age_seconds: heartbeat.age(now).as_secs_f64(),
            timeout_seconds: heartbeat.timeout().as_secs_f64(),
            last_received_at: heartbeat.last(),
        }
    });
    let pages = Pages {
        now,
        listening_since: shared.began,
        kept,
        forgotten,
        truncated_alerts: shared.telemetry.truncated.get(),
        heartbeat,
        pages: news.iter().map(|news| &news.page).collect(),
    };
    Ok(answer::json(&pages))
}

fn subscribe(shared: &Arc<Shared>, request: &Request, link: &Arc<Link>) -> Result<Response, Problem> {
    no_parameters(request.uri().query())?;
    let Ok(place) = Arc::clone(&shared.subscriptions).try_acquire_owned() else {
        let detail = format!("all {} places for subscribers are taken", shared.config.max_subscribers);
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(header::RETRY_AFTER, "1"));
    };
    let id = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
    let from = stream::Start::last_event_id(id, shared);
    let mut response = stream::stream(Arc::clone(shared), Arc::clone(link), place, &from);
    // Proxies that would wait for the end of an answer before they pass it on are asked not to.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Refuses a query where nothing can be asked.
fn no_parameters(query: Option<&str>) -> Result<(), Refusal> {
    let first = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).next();
    first.map_or(Ok(()), |(name, value)| {
        let (parameter, got) = (name.into_owned(), value.into_owned());
        Err(Refusal { parameter, got, expected: "no parameter: there is none here".to_owned() })
    })
}
