//! Which paths a server serves, by the name under which each is counted, and with which methods.

use http::{Method, StatusCode, header};

use super::answer::{self, Response};
use super::problem::Problem;
use super::telemetry::Workload;

/// A path that a server serves, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    path: &'static str,
    /// The methods that it takes, as the `Allow` header lists them.
    allow: &'static str,
}

impl Route {
    /// Every path that is not served. No path looks like it.
    pub(crate) const UNMATCHED: Self = Self { path: "unmatched", allow: "" };

    /// Takes GET, and so HEAD: hyper leaves the body out.
    pub(crate) const fn get(path: &'static str) -> Self {
        Self { path, allow: "GET,HEAD" }
    }

    pub(crate) const fn post(path: &'static str) -> Self {
        Self { path, allow: "POST" }
    }

    pub(crate) const fn get_or_post(path: &'static str) -> Self {
        Self { path, allow: "GET,HEAD,POST" }
    }

    pub(crate) const fn path(self) -> &'static str {
        self.path
    }

    /// Whether a request with this method is for the program. What is not served has no methods to refuse.
    pub(super) fn takes(self, method: &Method) -> bool {
        self == Self::UNMATCHED || self.allow.split(',').any(|taken| taken == method.as_str())
    }

    /// Answers a method that the path does not take.
    pub(super) fn method_not_allowed(self) -> Problem {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "this path does not take this method; the Allow header lists those that it takes",
        )
        .header(header::ALLOW, self.allow)
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
pub(crate) fn health() -> Response {
    answer::text("I'm healthy")
}

/// Answers a path that is not among those that are served.
pub(crate) fn not_found(served: &[Route]) -> Problem {
    let paths: Vec<_> = served.iter().map(|route| route.path()).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing here; there are {}", paths.join(", ")))
}
