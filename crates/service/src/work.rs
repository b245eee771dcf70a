//! `/work`: checks what a request asks for, takes it on within bounds, and does it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use firedrill_contract::quantity::format_duration;
use firedrill_contract::{Abort, Injection, Work};
use firedrill_server::answer::{Answer, TEXT, streamed};
use firedrill_server::link::{Link, OnClose};
use firedrill_server::outcome::{ErrorType, Workload};
use firedrill_server::problem::Problem;
use firedrill_server::request::{Request, is_authorized};
use firedrill_server::request_body::{self, read_json};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use hyper::body::Incoming;
use serde::Serialize;

use super::body::{Filler, Truncated};
use super::cpu;
use super::memory::Reservation;
use super::permit::WorkPermit;
use super::state::State;
use super::telemetry::{Bound, BoundLabels, ErrorLabels, WorkloadLabels};

/// Answers `GET` and `POST /work`.
pub(super) async fn work(state: &State, request: Request, link: &Link) -> Result<Answer, Problem> {
    let Request { query, head, body, .. } = request;
    let work = if head.method == Method::POST {
        let json = json(&head, body, state).await?;
        Work::parse_with_json(query.parameters(), &json, &state.config.caps)?
    } else {
        Work::parse(query.parameters(), &state.config.caps)?
    };
    if head.method == Method::HEAD && work.abort == Some(Abort::Truncate) {
        let detail = "abort: got truncate, expected it only with GET or POST, whose answers have a body";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let workload = state.telemetry.workloads.find(work.workload.as_deref());
    link.set_workload(workload);
    if let Some(parameter) = work.costly(&state.config.open) {
        authorize(state, &head, parameter)?;
    }
    let permit = state.permits.try_acquire().ok_or_else(|| {
        let detail = format!("the limit of {} requests for work at a time is reached", state.config.max_work);
        reject(state, workload, Bound::Concurrency, detail)
    })?;
    let memory = match work.memory {
        Some(memory) => {
            let reservation = state.memory.reserve(memory.size).ok_or_else(|| {
                let limit = state.config.max_memory_total;
                let detail = format!("it would exceed the limit of {limit} of memory held at a time");
                reject(state, workload, Bound::Memory, detail)
            })?;
            Some((reservation, memory.hold))
        }
        None => None,
    };
    let (seed, n) = work.seed.map_or_else(|| state.next_draw(), |seed| (seed, work.n));
    let injection = work.draw(seed, n);

    let labels = WorkloadLabels { workload };
    let telemetry = &state.telemetry;
    telemetry.injected_requests.get_or_create(&labels).inc();
    wait(state, workload, injection.latency).await;
    if !injection.cpu.is_zero() {
        let burnt = telemetry.injected_cpu.get_or_create_owned(&labels);
        cpu::burn(&state.background, injection.cpu, burnt).await;
    }
    if let Some((reservation, hold)) = memory {
        hold_memory(state, workload, reservation, hold).await?;
    }
    if let Some(on_close) = on_close(&injection) {
        link.set_on_close(on_close);
    }
    let error_type = injected_error(&injection);
    if error_type != ErrorType::None {
        telemetry.injected_errors.get_or_create(&ErrorLabels { workload, error_type }).inc();
    }
    answer(&injection, error_type, &Done::new(&injection, workload, seed, n), permit)
}

/// Whether whoever sends this may have what is costly.
fn authorize(state: &State, head: &Parts, parameter: &str) -> Result<(), Problem> {
    // Any page may make a browser ask for `localhost`. Browsers say which did (https://www.w3.org/TR/fetch-metadata/).
    if head.headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        let detail = format!(
            "{parameter} at this cost is refused to pages of other sites: use this service's own page"
        );
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    if is_authorized(head, state.config.token.as_ref()) {
        return Ok(());
    }
    let detail = format!(
        "{parameter} at this cost needs the header \"Authorization: Bearer TOKEN\" with this service's token"
    );
    Err(Problem::unauthorized("Bearer realm=\"firedrill\"", detail))
}

/// The JSON body of a POST; `{}` where there is none.
async fn json(head: &Parts, body: Incoming, state: &State) -> Result<Bytes, Problem> {
    let limits =
        request_body::Limits { size: state.config.max_request_body, time: state.config.body_timeout };
    let json = read_json(head, body, limits).await?;
    Ok(if json.is_empty() { Bytes::from_static(b"{}") } else { json })
}

/// Waits as long as was drawn: not at all for zero.
async fn wait(state: &State, workload: Workload, latency: Duration) {
    if !latency.is_zero() {
        let _waited = Waited { state, workload, since: Instant::now(), at_most: latency };
        state.timers.sleep(latency).await;
    }
}

/// Counts the wait that was injected: all of it, or as much as passed before the client was gone.
struct Waited<'a> {
    state: &'a State,
    workload: Workload,
    since: Instant,
    at_most: Duration,
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        // What was injected is what was drawn; the rest is the service's own time.
        let waited = self.since.elapsed().min(self.at_most);
        let labels = WorkloadLabels { workload: self.workload };
        self.state.telemetry.injected_latency.get_or_create(&labels).inc_by(waited.as_secs_f64());
    }
}

async fn hold_memory(
    state: &State,
    workload: Workload,
    reservation: Reservation,
    hold: Duration,
) -> Result<(), Problem> {
    let gauge = state.telemetry.memory_held.get_or_create_owned(&WorkloadLabels { workload });
    let held = reservation.hold(&state.background, gauge).await.map_err(|error| {
        tracing::error!(%error, "the system granted no memory");
        let detail = "the system grants the process no more memory to hold";
        reject(state, workload, Bound::Memory, detail.to_owned())
    })?;
    state.timers.sleep(hold).await;
    drop(held);
    Ok(())
}

/// What happens to the server after the answer. An exit and an outage contradict each other.
fn on_close(injection: &Injection) -> Option<OnClose> {
    let outage = (!injection.outage.is_zero()).then_some(OnClose::Outage(injection.outage));
    injection.exit.map(OnClose::Exit).or(outage)
}

/// What this injection counts as where it goes as planned.
fn injected_error(injection: &Injection) -> ErrorType {
    match injection.abort {
        Some(Abort::Reset) => ErrorType::Reset,
        Some(Abort::Truncate) => ErrorType::Truncated,
        Some(Abort::Panic) => ErrorType::Panic,
        None => ErrorType::from_status(injection.status),
    }
}

fn answer(
    injection: &Injection,
    error_type: ErrorType,
    done: &Done,
    permit: WorkPermit,
) -> Result<Answer, Problem> {
    #[expect(clippy::panic, reason = "the request asked for it")]
    if error_type == ErrorType::Panic {
        panic!("as the request asked");
    }
    let status = StatusCode::from_u16(injection.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = match injection.body {
        Some(size) => Answer::ok(TEXT, streamed(Filler::new(size, permit))),
        None if status.is_client_error() || status.is_server_error() => {
            let again = format!("as asked; the same again with seed={}&n={}", done.seed, done.n);
            Problem::new(status, again).into_answer()
        }
        None if matches!(injection.status, 204 | 205 | 304) => Answer::empty(status),
        None => Answer::json(done)?,
    };
    *answer.response.status_mut() = status;
    answer.error_type = Some(error_type);
    if error_type == ErrorType::Truncated {
        answer.response = answer.response.map(|body| streamed(Truncated::half(body)));
    }
    Ok(if on_close(injection).is_some() {
        answer.header(header::CONNECTION, HeaderValue::from_static("close"))
    } else {
        answer
    })
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
    fn new(injection: &Injection, workload: Workload, seed: u64, n: u64) -> Self {
        let latency = format_duration(injection.latency);
        Self { status: injection.status, latency, workload: workload.name(), seed, n }
    }
}

/// Answers 503 at once: the limit is there so that nothing waits.
fn reject(state: &State, workload: Workload, bound: Bound, detail: String) -> Problem {
    state.telemetry.shed_requests.get_or_create(&BoundLabels { workload, bound }).inc();
    Problem::unavailable(detail).error_type(ErrorType::Shed)
}
