//! `/webhook`: reads notifications within bounds, and records them.

use firedrill_server::answer::Answer;
use firedrill_server::problem::Problem;
use firedrill_server::request::{Request, is_authorized};
use firedrill_server::request_body::{BodyError, Limits, read_json};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use super::state::State;
use super::store::{Change, Event, Page};
use super::telemetry::{Reason, ReasonLabels};
use super::webhook::{Notification, PayloadError};

/// Takes a notification from Alertmanager, which tries again after a 5xx and gives up after a 4xx.
pub(super) async fn receive(state: &State, request: Request) -> Result<Answer, Problem> {
    let notification = read(state, request).await.map_err(|(reason, problem)| {
        state.telemetry.refused.get_or_create(&ReasonLabels { reason }).inc();
        tracing::warn!(?reason, detail = problem.detail(), "refused a payload");
        problem
    })?;
    Ok(Answer::json(&record(state, notification))?)
}

/// Reads a notification, or says why it is refused.
async fn read(state: &State, request: Request) -> Result<Notification, (Reason, Problem)> {
    let Request { head, body, .. } = request;
    if !is_authorized(&head, state.config.token.as_ref()) {
        let detail = "a notification needs the header \"Authorization: Bearer TOKEN\" with this pager's token; in Alertmanager's webhook_config: http_config: { authorization: { credentials_file: PATH } }";
        let problem = Problem::unauthorized("Bearer realm=\"firedrill pager\"", detail);
        return Err((Reason::Unauthorized, problem));
    }
    let Ok(_permit) = state.notification_permits.try_acquire() else {
        return Err((Reason::Busy, Problem::unavailable("too many notifications at a time")));
    };
    let limits = Limits { size: state.config.max_body, time: state.config.body_timeout };
    let json = read_json(&head, body, limits).await.map_err(|error| {
        let reason = match error {
            BodyError::TooLarge(_) => Reason::TooLarge,
            BodyError::TooSlow(_) => Reason::TooSlow,
            BodyError::Broken(_) => Reason::Incomplete,
            BodyError::NotJson => Reason::NotJson,
        };
        (reason, error.into())
    })?;
    Notification::from_json(&json).map_err(|error| {
        let reason = match error {
            PayloadError::Malformed(_) => Reason::Malformed,
            PayloadError::Version(_) => Reason::Version,
        };
        (reason, Problem::new(StatusCode::BAD_REQUEST, error.to_string()))
    })
}

/// What one notification came to.
#[derive(Debug, Default, Serialize)]
struct Summary {
    firing: u32,
    resolved: u32,
    repeated: u32,
    heartbeats: u32,
}

fn record(state: &State, notification: Notification) -> Summary {
    let (now, telemetry) = (Timestamp::now(), &state.telemetry);
    let Notification { receiver, alerts, external_url, truncated_alerts } = notification;
    let label = telemetry.receiver(&receiver);
    telemetry.truncated.inc_by(truncated_alerts);
    let mut summary = Summary::default();
    for alert in alerts {
        if state.record_heartbeat(&alert, now) {
            summary.heartbeats += 1;
            continue;
        }
        let event = state.record(&receiver, &external_url, alert, now);
        telemetry.count(&event, &label);
        *match event.change {
            Change::Rings | Change::RingsAgain => &mut summary.firing,
            Change::Resolves => &mut summary.resolved,
            Change::Repeats => &mut summary.repeated,
        } += 1;
        log(&event);
    }
    summary
}

fn log(event: &Event) {
    let Page { status, receiver, starts_at, delay_seconds, .. } = &event.page;
    if event.change != Change::Repeats {
        let (alertname, status) = (event.page.alertname(), status.name());
        tracing::info!(alertname, status, %receiver, %starts_at, delay_seconds, "page");
    }
}
