//! Which path is answered by what.

use std::sync::Arc;

use firedrill_server::answer::{Answer, JSON, full};
use firedrill_server::endpoint::{health, not_found, ready};
use firedrill_server::link::Link;
use firedrill_server::outcome::Workload;
use firedrill_server::problem::Problem;
use firedrill_server::request::{Query, Request};
use firedrill_server::route::Route;
use firedrill_server::{Program, exposition};

use super::route::{HEALTH, METRICS, OPENAPI, PAGE, PAGE_FILE, READY, SERVED, WORK};
use super::state::State;
use super::work::work;

impl Program for State {
    const ROUTES: &'static [Route] = &SERVED;

    fn workload(&self, route: Route, query: &Query) -> Option<Workload> {
        let workloads = &self.telemetry.workloads;
        Some(if route == WORK { workloads.find(query.get("workload")) } else { Workload::NONE })
    }

    async fn answer(self: &Arc<Self>, request: Request, link: &Arc<Link>) -> Result<Answer, Problem> {
        let headers = &request.head.headers;
        match request.route {
            PAGE => Ok(self.page.html(headers)),
            PAGE_FILE => self.page.file(request.head.uri.path(), headers),
            HEALTH => Ok(health()),
            READY => {
                let saturated = "saturated: the limit of requests for work at a time is reached";
                ready(&self.lifecycle, self.permits.are_exhausted().then(|| saturated.to_owned()))
            }
            METRICS => exposition::answer(self.telemetry.registry(), headers),
            WORK => work(self, request, link).await,
            OPENAPI => Ok(Answer::ok(JSON, full(self.openapi.clone()))),
            _ => Err(not_found(&SERVED)),
        }
    }
}
