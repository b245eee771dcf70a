//! Which path is answered by what.

use std::sync::Arc;

use http::{StatusCode, header};

use super::Shared;
use super::work::work;
use firedrill_server::Program;
use firedrill_server::answer::{self, JSON, Request, Response};
use firedrill_server::connection::Link;
use firedrill_server::exposition;
use firedrill_server::lifecycle::Phase;
use firedrill_server::problem::Problem;
pub(super) use firedrill_server::route::{HEALTH, METRICS, READY};
use firedrill_server::route::{Route, health, not_found};

pub(super) const PAGE: Route = Route::get("/");
pub(super) const PAGE_FILE: Route = Route::get("/page/{file}");
pub(super) const WORK: Route = Route::get_or_post("/work");
pub(super) const OPENAPI: Route = Route::get("/openapi.json");

/// Every route that is served.
pub(super) const SERVED: [Route; 7] = [PAGE, PAGE_FILE, HEALTH, READY, METRICS, WORK, OPENAPI];

impl Program for Shared {
    async fn answer(
        self: &Arc<Self>,
        route: Route,
        request: Request,
        link: &Arc<Link>,
    ) -> Result<Response, Problem> {
        match route {
            PAGE => Ok(self.page.html(request.headers())),
            PAGE_FILE => self.page.file(request.uri().path(), request.headers()),
            HEALTH => Ok(health()),
            READY => ready(self),
            METRICS => Ok(exposition::answer(self.telemetry.registry(), request.headers())),
            WORK => work(self, request, link).await,
            OPENAPI => Ok(answer::ok(JSON, answer::whole(self.openapi.clone()))),
            _ => Err(not_found(&SERVED)),
        }
    }
}

/// 503 with the reason while the service drains or has no place for work.
fn ready(shared: &Shared) -> Result<Response, Problem> {
    let reason = if shared.lifecycle.phase() >= Phase::Draining {
        "draining: the service was told to end"
    } else if shared.places.available_permits() == 0 {
        "saturated: every place for work is taken"
    } else {
        return Ok(answer::text("ready"));
    };
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason).header(header::RETRY_AFTER, "1"))
}
