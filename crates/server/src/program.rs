//! The program above a server.

use std::sync::Arc;

use super::answer::Answer;
use super::link::Link;
use super::outcome::Workload;
use super::problem::Problem;
use super::request::{Query, Request};
use super::route::Route;

pub trait Program: Send + Sync + 'static {
    /// Every path that is served.
    const ROUTES: &'static [Route];

    /// Whose traffic a request is, by its query: known before any of it is done, so that one that is given up
    /// at once is counted where it belongs. `None` where requests have no workload.
    fn workload(&self, _: Route, _: &Query) -> Option<Workload> {
        None
    }

    /// Answers a request for one of the routes, with a method that the route takes, or for
    /// [`Route::UNMATCHED`].
    fn answer(
        self: &Arc<Self>,
        request: Request,
        link: &Arc<Link>,
    ) -> impl Future<Output = Result<Answer, Problem>> + Send;
}
