//! `/work`: checks what a request asks for, takes it in within bounds, and does it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;
use serde::Serialize;

use super::Shared;
use super::body::{Filler, Truncated};
use super::burden;
use super::place::Place;
use super::telemetry::{Bound, BoundLabels, ErrorLabels, WorkloadLabels};
use firedrill_contract::quantity::format_duration;
use firedrill_contract::{Abort, Injection, Work};
use firedrill_server::answer::{self, Request, Response};
use firedrill_server::connection::{Aftermath, Link};
use firedrill_server::intake;
use firedrill_server::problem::Problem;
use firedrill_server::telemetry::{ErrorType, Workload};

/// Answers `GET` and `POST /work`.
pub(super) async fn work(shared: &Shared, request: Request, link: &Link) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let work = if parts.method == Method::POST {
        Work::from_query_and_json(query, &json(&parts, body, shared).await?, &shared.config.caps)?
    } else {
        Work::from_query(query, &shared.config.caps)?
    };
    if parts.method == Method::HEAD && work.abort == Some(Abort::Truncate) {
        let detail = "abort: got truncate, expected it only where there is a body, which a HEAD has not";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let workload = shared.telemetry.workloads.of(work.workload.as_deref());
    link.set_workload(workload);
    if let Some(wish) = work.costly(&shared.config.open) {
        allowed(shared, &parts.headers, wish)?;
    }
    let Some(place) = Place::take(shared) else {
        return Err(shed(shared, workload, Bound::Concurrency));
    };
    let memory = match work.memory {
        Some(memory) => match shared.memory.reserve(memory.size) {
            Some(reservation) => Some((reservation, memory.hold)),
            None => return Err(shed(shared, workload, Bound::Memory)),
        },
        None => None,
    };
    let (seed, n) = match work.seed {
        Some(seed) => (seed, work.n),
        None => shared.next_draw(),
    };
    let injection = work.draw(seed, n);

    let labels = WorkloadLabels { workload };
    let telemetry = &shared.telemetry;
    telemetry.injected_requests.get_or_create(&labels).inc();
    {
        let _waited = Waited { shared, workload, since: Instant::now(), at_most: injection.latency };
        tokio::time::sleep(injection.latency).await;
    }
    if !injection.cpu.is_zero() {
        let burnt = telemetry.injected_cpu.get_or_create_owned(&labels);
        burden::burn(&shared.background, injection.cpu, burnt).await;
    }
    if let Some((reservation, hold)) = memory {
        let gauge = telemetry.memory_held.get_or_create_owned(&labels);
        let held = reservation.hold(&shared.background, gauge).await.map_err(|error| {
            tracing::error!(%error, "the system granted no memory");
            let detail = "the system grants the process no more memory to hold";
            turned_away(shared, workload, Bound::Memory, detail.to_owned())
        })?;
        tokio::time::sleep(hold).await;
        drop(held);
    }
    if let Some(aftermath) = aftermath(&injection) {
        link.afterwards(aftermath);
    }
    let error = injected_error(&injection);
    if error != ErrorType::None {
        let labels = ErrorLabels { workload, error_type: error };
        telemetry.injected_errors.get_or_create(&labels).inc();
    }
    Ok(answer(&injection, error, &Done::of(&injection, workload, seed, n), place))
}

/// Whether whoever sends these headers may have what is costly.
fn allowed(shared: &Shared, headers: &HeaderMap, wish: &str) -> Result<(), Problem> {
    // Any page may make a browser ask for `localhost`. Browsers say which did (https://www.w3.org/TR/fetch-metadata/).
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        let detail =
            format!("{wish} at this cost is done for this service's own page, and for no other page");
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let Some(token) = &shared.config.token else { return Ok(()) };
    if headers.get(header::AUTHORIZATION).is_some_and(|value| token.is_in(value.as_bytes())) {
        return Ok(());
    }
    let detail = format!(
        "{wish} at this cost needs the header \"Authorization: Bearer TOKEN\" with this service's token"
    );
    Err(Problem::new(StatusCode::UNAUTHORIZED, detail)
        .header(header::WWW_AUTHENTICATE, "Bearer realm=\"firedrill\""))
}

/// The JSON body of a POST; `{}` where there is none.
async fn json(parts: &Parts, body: Incoming, shared: &Shared) -> Result<Bytes, Problem> {
    let caps = intake::Caps { size: shared.config.max_request_body, time: shared.config.body_timeout };
    let json = intake::json(parts, body, caps).await?;
    Ok(if json.is_empty() { Bytes::from_static(b"{}") } else { json })
}

/// What becomes of the server after the answer. An exit and an outage contradict each other.
fn aftermath(injection: &Injection) -> Option<Aftermath> {
    let outage = (!injection.outage.is_zero()).then_some(Aftermath::Outage(injection.outage));
    injection.exit.map(Aftermath::Exit).or(outage)
}

/// What this injection counts as where it goes as planned.
fn injected_error(injection: &Injection) -> ErrorType {
    match injection.abort {
        Some(Abort::Reset) => ErrorType::Reset,
        Some(Abort::Truncate) => ErrorType::Truncated,
        Some(Abort::Panic) => ErrorType::Panic,
        None if injection.status >= 500 => ErrorType::Status(injection.status),
        None => ErrorType::None,
    }
}

fn answer(injection: &Injection, error: ErrorType, done: &Done, place: Place) -> Response {
    #[expect(clippy::panic, reason = "the request asked for it")]
    if error == ErrorType::Panic {
        panic!("as the request asked");
    }
    let status = StatusCode::from_u16(injection.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match injection.body {
        Some(size) => answer::ok(answer::TEXT, answer::streamed(Filler::new(size, place))),
        None if status.is_client_error() || status.is_server_error() => {
            let again = format!("as asked; the same again with seed={}&n={}", done.seed, done.n);
            Problem::new(status, again).into_response()
        }
        None if matches!(injection.status, 204 | 205 | 304) => Response::new(answer::whole("")),
        None => answer::json(done),
    };
    *response.status_mut() = status;
    if error == ErrorType::Truncated {
        response = response.map(|body| answer::streamed(Truncated::half_of(body)));
    }
    response.extensions_mut().insert(error);
    if aftermath(injection).is_some() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What was done, so that it can be done again.
#[derive(Serialize)]
struct Done {
    status: u16,
    latency: String,
    workload: &'static str,
    seed: u64,
    n: u64,
}

impl Done {
    fn of(injection: &Injection, workload: Workload, seed: u64, n: u64) -> Self {
        let latency = format_duration(injection.latency);
        Self { status: injection.status, latency, workload: workload.name(), seed, n }
    }
}

/// Answers 503 at once: the bound is there so that nothing waits.
fn shed(shared: &Shared, workload: Workload, bound: Bound) -> Problem {
    let detail = match bound {
        Bound::Concurrency => format!("all {} places for work are taken", shared.config.max_work),
        Bound::Memory => {
            format!("{} of memory may be held at a time, and too much is", shared.config.max_memory_total)
        }
    };
    turned_away(shared, workload, bound, detail)
}

fn turned_away(shared: &Shared, workload: Workload, bound: Bound, detail: String) -> Problem {
    shared.telemetry.shed_requests.get_or_create(&BoundLabels { workload, bound }).inc();
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        .header(header::RETRY_AFTER, "1")
        .counts_as(ErrorType::Shed)
}

/// Counts the wait that was injected: all of it, or as much as passed before the client was gone.
struct Waited<'a> {
    shared: &'a Shared,
    workload: Workload,
    since: Instant,
    at_most: Duration,
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        // A timer rounds up; what was injected is what was drawn.
        let waited = self.since.elapsed().min(self.at_most);
        let labels = WorkloadLabels { workload: self.workload };
        self.shared.telemetry.injected_latency.get_or_create(&labels).inc_by(waited.as_secs_f64());
    }
}
