//! The target was scraped all the time.

use super::kind::Kind;
use crate::evidence::{Sample, Series};
use crate::file::check::context::FileContext;
use crate::file::check::names::check_quotable;
use crate::file::place::Place;
use crate::judge::case::{Case, SETTLED};
use crate::judge::target::named;
use crate::judge::verdict::Finding;
use firedrill_contract::{display, nearest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The target was scraped all the time, and each scrape succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scrapes {
    /// What they have.
    pub scrapes: NoGaps,
    /// The job; that of the drill where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

/// What scrapes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoGaps {
    /// None is missing and none failed.
    #[serde(rename = "no gaps")]
    NoGaps,
}

impl Kind for Scrapes {
    fn check(&self, _context: &FileContext<'_>, place: &mut Place<'_>) {
        self.job.iter().for_each(|job| check_quotable(job, &mut place.at("job")));
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        vec![self.finding(case).unwrap_or_else(|finding| finding).about("scrapes")]
    }

    fn depends_on_schedule(&self) -> bool {
        false
    }
}

impl Scrapes {
    fn finding(&self, case: &Case<'_>) -> Result<Finding, Finding> {
        let job = self.job.as_deref().or(case.job);
        let (began, ended) = (case.began, case.ended);
        let targets = case.scrapes(job)?;
        case.known_at(ended + case.scrape_interval() + SETTLED, "the last scrape")?;
        let within = |series: &Series| {
            series
                .samples
                .iter()
                .filter(|Sample(at, _)| *at >= began && *at <= ended)
                .copied()
                .collect::<Vec<_>>()
        };
        let during: Vec<_> = targets
            .iter()
            .map(|target| (target, within(target)))
            .filter(|(_, samples)| !samples.is_empty())
            .collect();
        if during.is_empty() {
            return nothing(case, job);
        }
        if let Some(gap) = case.gap(began, ended)? {
            return Err(Finding::inconclusive(gap));
        }
        let failed = during.iter().flat_map(|(target, samples)| {
            samples.iter().filter(|sample| sample.1 == 0.0).map(move |sample| (target, sample.0))
        });
        let failed: Vec<_> =
            failed.map(|(target, at)| format!("failed at {at}{}", named(&target.labels))).collect();
        let all: usize = during.iter().map(|(_, samples)| samples.len()).sum();
        match failed.first() {
            Some(first) => {
                Ok(Finding::fail(format!("{} of {all} scrapes failed; the first {first}", failed.len()))
                    .with(failed.iter().skip(1).cloned()))
            }
            None => Ok(Finding::pass(format!(
                "{} of {}, none missing, none failed",
                display::count(all, "scrape", "scrapes"),
                display::count(during.len(), "target", "targets")
            ))),
        }
    }
}

/// What can be said where nothing was scraped at all.
fn nothing(case: &Case<'_>, job: Option<&str>) -> Result<Finding, Finding> {
    let Some(job) = job else { return Ok(Finding::fail("nothing was scraped while the drill ran")) };
    let jobs: Vec<_> = case.samples("up")?.iter().filter_map(|up| up.labels.get("job").cloned()).collect();
    let nearest = nearest(job, jobs.iter().map(String::as_str)).filter(|found| *found != job);
    let nearest = nearest.map(|found| format!("; the nearest job is {found:?}")).unwrap_or_default();
    Ok(Finding::fail(format!("Prometheus scraped no target of job {job:?} while the drill ran{nearest}")))
}
