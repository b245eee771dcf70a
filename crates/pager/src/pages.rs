//! `/pages`: what rang, for programs.

use std::time::Instant;

use firedrill_server::answer::Answer;
use firedrill_server::problem::Problem;
use firedrill_server::request::Query;
use jiff::Timestamp;
use serde::Serialize;

use super::filter::Filter;
use super::state::State;
use super::store::Page;

#[derive(Serialize)]
struct Pages<'a> {
    now: Timestamp,
    /// What rang before is not known: a restart loses what was in memory.
    listening_since: Timestamp,
    kept: usize,
    forgotten: u64,
    truncated_alerts: u64,
    heartbeat: Option<Heartbeat>,
    pages: Vec<&'a Page>,
}

#[derive(Serialize)]
struct Heartbeat {
    alertname: String,
    state: &'static str,
    stopped: bool,
    age_seconds: f64,
    timeout_seconds: f64,
    last_received_at: Option<Timestamp>,
}

pub(super) fn pages(state: &State, query: &Query) -> Result<Answer, Problem> {
    let now = Timestamp::now();
    let filter = Filter::from_query(query, now)?;
    let (events, kept, forgotten) = {
        let store = state.store();
        let events: Vec<_> = store.pages().filter(|event| filter.matches(&event.page)).cloned().collect();
        (events, store.kept(), store.forgotten())
    };
    let heartbeat = state.heartbeat().map(|heartbeat| {
        let now = Instant::now();
        let state = heartbeat.state(now);
        Heartbeat {
            alertname: heartbeat.alertname().to_owned(),
            state: state.name(),
            stopped: state.has_stopped(),
            age_seconds: heartbeat.age(now).as_secs_f64(),
            timeout_seconds: heartbeat.timeout().as_secs_f64(),
            last_received_at: heartbeat.last(),
        }
    });
    let pages = Pages {
        now,
        listening_since: state.started,
        kept,
        forgotten,
        truncated_alerts: state.telemetry.truncated.get(),
        heartbeat,
        pages: events.iter().map(|event| &event.page).collect(),
    };
    Ok(Answer::json(&pages)?)
}
