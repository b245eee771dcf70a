//! Which path is answered by what.

use std::sync::Arc;
use std::time::Instant;

use firedrill_server::answer::{Answer, CSS, SCRIPT, full};
use firedrill_server::endpoint::{health, not_found, ready};
use firedrill_server::link::Link;
use firedrill_server::problem::Problem;
use firedrill_server::request::Request;
use firedrill_server::route::Route;
use firedrill_server::{Program, exposition};

use super::route::{
    HEALTH, METRICS, PAGE, PAGES, READY, SCRIPT as SCRIPT_FILE, SERVED, STREAM, STYLE, WEBHOOK,
};
use super::state::State;
use super::{page, pages, receive, stream};

impl Program for State {
    const ROUTES: &'static [Route] = &SERVED;

    async fn answer(self: &Arc<Self>, request: Request, link: &Arc<Link>) -> Result<Answer, Problem> {
        let (query, headers) = (&request.query, &request.head.headers);
        match request.route {
            PAGE => page::page(self, query),
            STYLE => Ok(Answer::ok(CSS, full(page::STYLE))),
            SCRIPT_FILE => Ok(Answer::ok(SCRIPT, full(page::SCRIPT))),
            HEALTH => Ok(health()),
            READY => ready(&self.lifecycle, heartbeat_stopped(self)),
            METRICS => exposition::answer(self.telemetry.registry(), headers),
            WEBHOOK => receive::receive(self, request).await,
            PAGES => pages::pages(self, query),
            STREAM => stream::subscribe(self, &request, link),
            _ => Err(not_found(&SERVED)),
        }
    }
}

/// Why no alert may reach this pager any more.
fn heartbeat_stopped(state: &State) -> Option<String> {
    let (heartbeat, now) = (state.heartbeat()?, Instant::now());
    heartbeat.state(now).has_stopped().then(|| format!("no heartbeat: {}", heartbeat.describe(now)))
}
