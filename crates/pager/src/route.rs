//! Every path that is served.

use firedrill_server::route::Route;
pub(super) use firedrill_server::route::{HEALTH, METRICS, READY};

pub(super) const PAGE: Route = Route::get("/");
pub(super) const STYLE: Route = Route::get("/pager.css");
pub(super) const SCRIPT: Route = Route::get("/pager.js");
pub(super) const WEBHOOK: Route = Route::post("/webhook");
pub(super) const PAGES: Route = Route::get("/pages");
pub(super) const STREAM: Route = Route::get("/pages/stream");

pub(super) const SERVED: [Route; 9] = [PAGE, STYLE, SCRIPT, HEALTH, READY, METRICS, WEBHOOK, PAGES, STREAM];
