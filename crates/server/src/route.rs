//! Which paths a server serves, by the name under which each is counted, and with which methods.

use http::{Method, StatusCode, Uri, header};

use super::answer::{self, Response};
use super::problem::Problem;
use super::telemetry::Workload;

/// A path that a server serves, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    path: &'static str,
    /// The methods that it takes, as the `Allow` header lists them.
    allow: &'static str,
}

impl Route {
    /// Every path that is not served. No path looks like it.
    pub const UNMATCHED: Self = Self { path: "unmatched", allow: "" };

    /// Takes GET, and so HEAD: hyper leaves the body out.
    pub const fn get(path: &'static str) -> Self {
        Self { path, allow: "GET,HEAD" }
    }

    pub const fn post(path: &'static str) -> Self {
        Self { path, allow: "POST" }
    }

    pub const fn get_or_post(path: &'static str) -> Self {
        Self { path, allow: "GET,HEAD,POST" }
    }

    /// Whether it serves this path: the same one, or, where its own ends in `{file}`, one with a single
    /// segment in that place. All of these are counted under the one name.
    fn serves(self, path: &str) -> bool {
        match self.path.strip_suffix("{file}") {
            Some(folder) => {
                path.strip_prefix(folder).is_some_and(|file| !file.is_empty() && !file.contains('/'))
            }
            None => self.path == path,
        }
    }

    pub const fn path(self) -> &'static str {
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

/// Liveness, which every server answers.
pub const HEALTH: Route = Route::get("/health");
/// Readiness, likewise.
pub const READY: Route = Route::get("/ready");
/// The exposition, likewise.
pub const METRICS: Route = Route::get("/metrics");

/// Every path that is served, and whose a request is until more is known.
pub struct Routes {
    served: &'static [Route],
    whose: Whose,
}

/// Whose a request to a route is, by its query; `None` where requests have no workload.
type Whose = Box<dyn Fn(Route, &str) -> Option<Workload> + Send + Sync>;

impl Routes {
    /// `whose` says, from the query, with which workload a request begins: known before anything of it is
    /// done, so that one that is given up at once is counted where it belongs.
    pub fn new(
        served: &'static [Route],
        whose: impl Fn(Route, &str) -> Option<Workload> + Send + Sync + 'static,
    ) -> Self {
        Self { served, whose: Box::new(whose) }
    }

    /// The route of a request, and whose it is to begin with.
    pub(super) fn of(&self, uri: &Uri) -> (Route, Option<Workload>) {
        let served = self.served.iter().find(|route| route.serves(uri.path()));
        let route = *served.unwrap_or(&Route::UNMATCHED);
        (route, (self.whose)(route, uri.query().unwrap_or_default()))
    }
}

/// Answers `/health`.
pub fn health() -> Response {
    answer::text("I'm healthy")
}

/// Answers a path that is not among those that are served.
pub fn not_found(served: &[Route]) -> Problem {
    let paths: Vec<_> = served.iter().map(|route| route.path()).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing here; there are {}", paths.join(", ")))
}
