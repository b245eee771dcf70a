//! From a run to its findings: no clock, no network, nothing asked and nothing guessed.
//!
//! [`questions`] says what evidence a drill needs, [`judge`] what the evidence comes to, and
//! [`unexplained`] what is worth taking apart because it did not hold. A `Case` is a run with the
//! ways to look things up in it; each kind of expectation has a module below with what it asks and how
//! it is judged. `cause` finds the thing that lied.

pub mod case;
pub(crate) mod cause;
pub(crate) mod clocks;
pub(crate) mod rise;
pub(crate) mod target;
pub(crate) mod truth;
pub mod verdict;

use std::cell::OnceCell;
use std::time::Duration;

use super::question::{Explain, Questions};
use super::run::Run;
use crate::evidence::{Labels, Series};
use crate::expectation::Expectation;
use case::Case;
use firedrill_contract::Time;
pub use verdict::{Detection, Finding, Verdict};

/// What has to be asked of monitoring to judge this run. Does not look at its evidence.
#[must_use]
pub fn questions(run: &Run) -> Questions {
    let mut questions = Questions::default();
    for (case, expectation) in cases(run) {
        expectation.kind().ask(&case, &mut questions);
    }
    questions.selectors.sort();
    questions.selectors.dedup();
    questions
}

/// Judges each expectation of the run, in their order.
#[must_use]
pub fn judge(run: &Run) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (case, expectation) in cases(run) {
        let spoiled = case.spoiled();
        let late = case.late().filter(|_| expectation.kind().depends_on_schedule());
        findings.extend(expectation.kind().judge(&case).into_iter().map(|mut finding| {
            finding.expectation = case.expectation;
            // Whatever else is said of times that mean nothing follows from that.
            let why = spoiled.as_ref().or(late.as_ref().filter(|_| !finding.stays_inconclusive()));
            why.into_iter().for_each(|why| finding.spoil(why));
            finding
        }));
    }
    findings
}

/// The evidence that may still come, and until when: what the drill waits for before it asks for everything. Of what
/// is asked only then, nothing needs to be there yet.
#[must_use]
pub fn awaited(run: &Run) -> Option<(Time, String)> {
    let case = case(run);
    if case.spoiled().is_some() {
        return None;
    }
    let scraped = if questions(run).selectors.is_empty() { Ok(()) } else { rise::scraped_after(&case) };
    let findings = judge(run).into_iter().chain(scraped.err());
    let awaited = findings.filter_map(|finding| Some((finding.pending_until?, finding.reason)));
    awaited.max_by_key(|(until, _)| *until)
}

/// The expressions that should be taken apart, since what rests on them is no pass, as far as the evidence does not
/// explain them yet.
#[must_use]
pub fn unexplained(run: &Run, findings: &[Finding]) -> Vec<Explain> {
    let mut wanted: Vec<Explain> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.verdict != Verdict::Pass) {
        let Some((case, expectation)) = cases(run).nth(finding.expectation) else { continue };
        let mut more = expectation.kind().explain(&case);
        more.retain(|explain| !case.is_explained(&explain.expression) && !wanted.contains(explain));
        wanted.append(&mut more);
    }
    wanted
}

/// What should still become quiet before the drill begins, and how long that may take: the target was not scraped yet,
/// or an alert fires that the drill is to cause.
#[must_use]
pub fn unquiet(run: &Run) -> Option<(String, Duration)> {
    let case = case(run);
    if !case.is_scraped() {
        let within = case.scrape_interval() * 2 + Duration::from_secs(10);
        return Some(("the target to be scraped".to_owned(), within));
    }
    let loud = cases(run).find_map(|(case, expectation)| expectation.kind().unquiet(&case))?;
    Some((loud, Duration::from_secs(120)))
}

/// The counters of requests that the drill is about, as they were seen, and their label for the status; nothing where
/// none were wanted or had.
pub(crate) fn request_counters(run: &Run) -> Option<(&[Series], String)> {
    let (selector, status) =
        cases(run).find_map(|(case, expectation)| expectation.kind().request_counters(&case))?;
    Some((case(run).samples(&selector).ok()?, status))
}

/// Whether an alert concerns this drill: an expectation is about it, or no label of it names another workload. Drills
/// that run in parallel see each other's alerts.
pub(crate) fn concerns(run: &Run, labels: &Labels) -> bool {
    let workloads = labels.get("workload").zip(run.drill.workload.as_ref());
    workloads.is_none_or(|(theirs, ours)| theirs == ours)
        || run.drill.expect.iter().any(|expectation| expectation.kind().is_about_alert(labels))
}

/// Each expectation with the case in which it is judged.
fn cases(run: &Run) -> impl Iterator<Item = (Case<'_>, &Expectation)> {
    let whole = case(run);
    let case = move |expectation| Case { expectation, ..whole.clone() };
    run.drill.expect.iter().enumerate().map(move |(index, expectation)| (case(index), expectation))
}

/// A run as expectations look at it.
fn case(run: &Run) -> Case<'_> {
    Case {
        workload: run.drill.workload.as_deref(),
        job: run.drill.job.as_deref(),
        given: &run.drill.given,
        phases: &run.phases,
        began: run.began,
        ended: run.ended,
        interrupted: run.interrupted,
        clock_moved_ms: run.clock_moved_ms,
        evidence: &run.evidence,
        expected_alerts: run.drill.expect.iter().filter_map(|each| each.kind().expected_alert()).collect(),
        expectation: 0,
        history: OnceCell::new(),
    }
}

#[cfg(test)]
mod tests;
