//! What every server answers.

use http::{StatusCode, header};

use super::answer::Answer;
use super::lifecycle::{Lifecycle, Phase};
use super::problem::Problem;
use super::route::Route;

pub fn health() -> Answer {
    Answer::text("I'm healthy")
}

/// 503 with the reason while the server drains, or where something else keeps it from work.
///
/// # Errors
/// That 503.
pub fn ready(lifecycle: &Lifecycle, obstacle: Option<String>) -> Result<Answer, Problem> {
    let draining = lifecycle.phase() >= Phase::Draining;
    match draining.then(|| "draining: the process was told to end".to_owned()).or(obstacle) {
        Some(reason) => Err(Problem::unavailable(reason)),
        None => Ok(Answer::text("ready")),
    }
}

pub fn not_found(routes: &[Route]) -> Problem {
    let paths: Vec<_> = routes.iter().map(|route| route.path()).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("no such path; there are {}", paths.join(", ")))
}

pub(crate) fn method_not_allowed(route: Route) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method; use one of those in the Allow header",
    )
    .header(header::ALLOW, route.allow())
}
