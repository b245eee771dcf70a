//! Which path is answered by what.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::exposition::{self, Format};
use super::lifecycle::Phase;
use super::problem::Problem;
use super::telemetry::Route;
use super::work::work;
use super::{Shared, openapi, page};

/// Every path; anything else is a problem.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let document = openapi::document(&shared.config.caps, &shared.config.open);
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Router::new()
        .route(Route::Page.name(), get(page::page))
        .route(Route::Health.name(), get(health))
        .route(Route::Ready.name(), get(ready))
        .route(Route::Metrics.name(), get(metrics))
        .route(Route::Work.name(), get(work).post(work))
        .route(Route::OpenApi.name(), get(move || async move { (json, document) }))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .with_state(shared)
}

async fn health() -> &'static str {
    "I'm healthy"
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
    let format = Format::negotiate(&headers);
    let plain = match format.encode(shared.telemetry.registry()) {
        Ok(plain) => plain,
        Err(error) => {
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
        }
    };
    let mut response = if exposition::takes_gzip(&headers) {
        let mut response = exposition::gzip(&plain).into_response();
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response
    } else {
        Bytes::from(plain).into_response()
    };
    response.headers_mut().insert(header::CONTENT_TYPE, format.content_type());
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    response
}

/// axum adds the `Allow` header.
async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method; the Allow header lists those that it takes",
    )
}

async fn not_found() -> Problem {
    let paths = Route::SERVED.map(Route::name).join(", ");
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing here; there are {paths}"))
}
