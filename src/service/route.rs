//! Which path is answered by what.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::work::work;
use super::{Shared, openapi, page};
use crate::server::exposition;
use crate::server::lifecycle::Phase;
use crate::server::problem::Problem;
use crate::server::route::{Route, health, method_not_allowed, not_found};

pub(super) const PAGE: Route = Route::new("/");
pub(super) const HEALTH: Route = Route::new("/health");
pub(super) const READY: Route = Route::new("/ready");
pub(super) const METRICS: Route = Route::new("/metrics");
pub(super) const WORK: Route = Route::new("/work");
pub(super) const OPENAPI: Route = Route::new("/openapi.json");

/// Every route that is served.
pub(super) const SERVED: [Route; 6] = [PAGE, HEALTH, READY, METRICS, WORK, OPENAPI];

/// Every path; anything else is a problem.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let document = openapi::document(&shared.config.caps, &shared.config.open);
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Router::new()
        .route(PAGE.path(), get(page::page))
        .route(HEALTH.path(), get(health))
        .route(READY.path(), get(ready))
        .route(METRICS.path(), get(metrics))
        .route(WORK.path(), get(work).post(work))
        .route(OPENAPI.path(), get(move || async move { (json, document) }))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(async || not_found(&SERVED))
        .with_state(shared)
}

/// 503 with the reason while the service drains or has no place for work.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let reason = if shared.lifecycle.phase() >= Phase::Draining {
        "draining: the service was told to end"
    } else if shared.places.available_permits() == 0 {
        "saturated: every place for work is taken"
    } else {
        return "ready".into_response();
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason).header(header::RETRY_AFTER, "1").into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    exposition::answer(shared.telemetry.registry(), &headers)
}
