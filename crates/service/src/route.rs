//! Every path that is served.

use firedrill_server::route::Route;
pub(super) use firedrill_server::route::{HEALTH, METRICS, READY};

pub(super) const PAGE: Route = Route::get("/");
pub(super) const PAGE_FILE: Route = Route::get("/page/{file}");
pub(super) const WORK: Route = Route::get_or_post("/work");
pub(super) const OPENAPI: Route = Route::get("/openapi.json");

pub(super) const SERVED: [Route; 7] = [PAGE, PAGE_FILE, HEALTH, READY, METRICS, WORK, OPENAPI];
