//! Which paths a server serves, by the name under which each is counted.

use http::StatusCode;

use super::problem::Problem;
use super::telemetry::Workload;

/// A path that a server serves, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Route(&'static str);

impl Route {
    /// Every path that is not served. No path looks like it.
    pub(crate) const UNMATCHED: Self = Self("unmatched");

    pub(crate) const fn new(path: &'static str) -> Self {
        Self(path)
    }

    pub(crate) const fn path(self) -> &'static str {
        self.0
    }
}

/// Every path that is served, and whose a request to it is until more is known.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    served: Vec<(Route, Option<Workload>)>,
    unmatched: Option<Workload>,
}

impl Routes {
    /// `workload` says with which one a request begins; `None` where requests have none.
    pub(crate) fn new(served: &[Route], workload: impl Fn(Route) -> Option<Workload>) -> Self {
        let served = served.iter().map(|route| (*route, workload(*route))).collect();
        Self { served, unmatched: workload(Route::UNMATCHED) }
    }

    /// The route of a request's path, and whose the request is to begin with.
    pub(super) fn of(&self, path: &str) -> (Route, Option<Workload>) {
        let found = self.served.iter().find(|(route, _)| route.path() == path);
        found.copied().unwrap_or((Route::UNMATCHED, self.unmatched))
    }
}

/// Answers `/health`.
pub(crate) async fn health() -> &'static str {
    "I'm healthy"
}

/// Answers a method that a path does not take; axum adds the `Allow` header.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method; the Allow header lists those that it takes",
    )
}

/// Answers a path that is not among those that are served.
pub(crate) fn not_found(served: &[Route]) -> Problem {
    let paths: Vec<_> = served.iter().map(|route| route.path()).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing here; there are {}", paths.join(", ")))
}
