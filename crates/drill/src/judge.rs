//! From a run to its verdicts: no clock, no network, nothing asked and nothing guessed.
//!
//! [`questions`] says what evidence a drill needs, [`judge`] what the evidence comes to, and
//! [`unexplained`] what is worth taking apart because it did not hold. A `Case` is a run with the
//! ways to look things up in it; each kind of expectation has a module below with what it asks and how
//! it is judged. `cause` finds the thing that lied.

mod alert;
mod case;
mod cause;
mod clocks;
mod counts;
mod increase;
mod nothing_else;
mod panels;
mod quantile;
mod query;
mod rise;
mod scrapes;
mod series;
mod truth;
pub mod verdict;

use std::time::Duration;

use super::file::Expectation;
use super::question::{Explain, Questions};
use super::run::Run;
pub(super) use alert::episodes;
use case::Case;
pub(super) use counts::counters;
pub use verdict::{Outcome, Ruling, Verdict};

/// What has to be asked of monitoring to judge this run. Does not look at its evidence.
#[must_use]
pub fn questions(run: &Run) -> Questions {
    let case = Case::new(run);
    let mut questions = Questions::default();
    for (index, expectation) in run.drill.expect.iter().enumerate() {
        match expectation {
            Expectation::Counts(counts) => counts::ask(&case, counts, &mut questions),
            Expectation::Increase(increase) => increase::ask(&case, increase, &mut questions),
            Expectation::Query(query) => query::ask(&case, query, &mut questions),
            Expectation::Quantile(quantile) => quantile::ask(&case, quantile, &mut questions),
            Expectation::Series(series) => series::ask(&case, series, &mut questions),
            Expectation::Panels(panels) => panels::ask(&case, index, panels, &mut questions),
            // Alerts, rules and `up` are always asked for.
            Expectation::Alert(_) | Expectation::NothingElse(_) | Expectation::Scrapes(_) => {}
        }
    }
    questions.selectors.sort();
    questions.selectors.dedup();
    questions
}

/// Judges each expectation of the run, in their order. One expectation may get several verdicts:
/// that an alert fired, that it was told, that it resolved.
#[must_use]
pub fn judge(run: &Run) -> Vec<Verdict> {
    let case = Case::new(run);
    let mut verdicts = Vec::new();
    for (index, expectation) in run.drill.expect.iter().enumerate() {
        let mut judged = match expectation {
            Expectation::Counts(counts) => vec![counts::judge(&case, counts)],
            Expectation::Increase(increase) => vec![increase::judge(&case, increase)],
            Expectation::Query(query) => vec![query::judge(&case, query)],
            Expectation::Quantile(quantile) => vec![quantile::judge(&case, quantile)],
            Expectation::Alert(alert) => alert::judge(&case, alert),
            Expectation::NothingElse(nothing) => vec![nothing_else::judge(&case, nothing)],
            Expectation::Series(series) => series::judge(&case, series),
            Expectation::Scrapes(scrapes) => vec![scrapes::judge(&case, scrapes)],
            Expectation::Panels(panels) => vec![panels::judge(&case, index, panels)],
        };
        for verdict in &mut judged {
            verdict.expectation = index;
            let late = || case.late().filter(|_| depends_on_schedule(expectation));
            if let Some(why) = case.spoiled().or_else(late) {
                verdict.spoil(&why);
            }
        }
        verdicts.append(&mut judged);
    }
    verdicts
}

/// Whether a verdict rests on when requests left: on rates, and on the boundaries of phases.
const fn depends_on_schedule(expectation: &Expectation) -> bool {
    match expectation {
        Expectation::Query(_)
        | Expectation::Quantile(_)
        | Expectation::Alert(_)
        | Expectation::NothingElse(_) => true,
        Expectation::Counts(_)
        | Expectation::Increase(_)
        | Expectation::Series(_)
        | Expectation::Scrapes(_)
        | Expectation::Panels(_) => false,
    }
}

/// The expressions that should be taken apart, since what rests on them did not hold, as far as the
/// evidence does not explain them yet.
#[must_use]
pub fn unexplained(run: &Run, verdicts: &[Verdict]) -> Vec<Explain> {
    let case = Case::new(run);
    let mut wanted: Vec<Explain> = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.ruling != Ruling::Held) {
        let Some(expectation) = run.drill.expect.get(verdict.expectation) else { continue };
        let mut more = match expectation {
            Expectation::Counts(counts) => counts::explain(&case, counts),
            Expectation::Increase(increase) => increase::explain(&case, increase),
            Expectation::Query(query) => query::explain(&case, query),
            Expectation::Quantile(quantile) => quantile::explain(&case, quantile),
            Expectation::Alert(alert) => alert::explain(&case, alert),
            Expectation::Series(series) => series::explain(&case, series),
            Expectation::Panels(_) => panels::explain(&case, verdict.expectation),
            Expectation::NothingElse(_) | Expectation::Scrapes(_) => Vec::new(),
        };
        more.retain(|explain| !case.is_explained(&explain.expression) && !wanted.contains(explain));
        wanted.append(&mut more);
    }
    wanted
}

/// What should still become quiet before the drill begins, and how long that may take: the target was
/// not scraped yet, or an alert fires that the drill is to cause.
#[must_use]
pub fn unquiet(run: &Run) -> Option<(String, Duration)> {
    let case = Case::new(run);
    if !case.is_scraped() {
        return Some((
            "the target to be scraped".to_owned(),
            case.scrape_interval() * 2 + Duration::from_secs(10),
        ));
    }
    let alerts = run.drill.expect.iter().filter_map(|expectation| match expectation {
        Expectation::Alert(alert) => Some(alert),
        _ => None,
    });
    let loud =
        alerts.filter(|alert| alert::fires_now(&case, alert)).map(|alert| alert.alert.as_str()).next()?;
    Some((format!("{loud} to fall silent"), Duration::from_secs(120)))
}

#[cfg(test)]
mod tests;
