//! Which paths a server serves, by the name under which each is counted, and with which methods.

use http::Method;

/// A path that a server serves, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    path: &'static str,
    /// The methods that it takes, as the `Allow` header lists them.
    allow: &'static str,
}

// Every server serves these.
pub const HEALTH: Route = Route::get("/health");
pub const READY: Route = Route::get("/ready");
pub const METRICS: Route = Route::get("/metrics");

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

    /// The one of these that serves a path.
    pub(crate) fn find(routes: &[Self], path: &str) -> Self {
        routes.iter().find(|route| route.serves(path)).copied().unwrap_or(Self::UNMATCHED)
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

    pub(crate) const fn allow(self) -> &'static str {
        self.allow
    }

    /// Whether a request with this method is for the program. What is not served has no methods to refuse.
    pub(crate) fn takes(self, method: &Method) -> bool {
        self == Self::UNMATCHED || self.allow.split(',').any(|taken| taken == method.as_str())
    }
}
