//! Counters rose by what happened.

use crate::file::expectation::Increase;
use crate::file::value::{Quantity, Tolerance};
use crate::question::{Explain, Questions};

use super::case::{Case, SETTLED};
use super::cause;
use super::clocks::{self, Between};
use super::query;
use super::rise::{Rises, START_TIME};
use super::truth::{Shown, Truth, shown};
use super::verdict::{Finding, Verdict};

fn selector(case: &Case<'_>, increase: &Increase) -> Result<String, Finding> {
    Ok(case.variables(&case.phase(None)?).expand(&increase.increase))
}

pub(super) fn ask(case: &Case<'_>, increase: &Increase, questions: &mut Questions) {
    questions.selectors.extend(selector(case, increase).into_iter().chain([START_TIME.to_owned()]));
}

pub(super) fn explain(case: &Case<'_>, increase: &Increase) -> Vec<Explain> {
    let (from, to) = (case.run.began, case.run.ended + case.scrape_interval());
    let explain = |expression| Explain { expression, labels: [].into(), from, to };
    selector(case, increase).into_iter().map(explain).collect()
}

pub(super) fn judge(case: &Case<'_>, increase: &Increase) -> Verdict {
    let metric = increase.increase.split('{').next().unwrap_or_default();
    let selector = selector(case, increase).ok();
    found(case, increase)
        .unwrap_or_else(|finding| finding)
        .with(selector)
        .about(format!("increase of {metric}"))
}

fn found(case: &Case<'_>, increase: &Increase) -> Result<Finding, Finding> {
    let whole = case.phase(None)?;
    let selector = selector(case, increase)?;
    let series = case.samples(&selector)?;
    let (quantity, within) = (increase.equals, increase.within.unwrap_or(Tolerance::Absolute(0.0)));
    let Shown(truth, _) = query::truth(quantity, &whole, within, Between::Nothing)?;
    let right =
        |between, number| Truth::of(quantity, &whole, between).is_some_and(|truth| truth.is(number, within));
    if series.is_empty() {
        case.known_at(case.run.ended + case.scrape_interval() * 2 + SETTLED, "a scrape")?;
        return Ok(cause::blame("there is no such counter", cause::of(case, &selector)));
    }
    let least = truth.least - within.of(truth.least);
    let rises = Rises::of(case, series, |rises| rises.total() >= least)?;
    let rose = rises.total();
    let asked = match (quantity, increase.within) {
        (Quantity::Number(_), None) => format!("(asked: {})", Shown(truth, quantity)),
        (Quantity::Number(_), Some(within)) => {
            format!("(asked: {}, within {within})", Shown(truth, quantity))
        }
        (_, None) => "(asked: the same)".to_owned(),
        (_, Some(within)) => format!("(asked: the same, within {within})"),
    };
    let rose_by = shown(rose, quantity);
    let says = match quantity {
        Quantity::Number(_) => format!("rose by {rose_by} {asked}"),
        _ => format!("truth {}, rose by {rose_by} {asked}", Shown(truth, quantity)),
    };
    if let Some(fell) = rises.fell.first() {
        return Ok(Finding::lied(format!("{says}: {fell}")).with(rises.notes));
    }
    let between = clocks::least_between(|between| right(between, rose));
    let finding = clocks::finding(between, says.clone(), &shown(truth.least - rose, quantity), &whole.ledger);
    if matches!(between, Some(Between::Nothing | Between::Path)) {
        return Ok(finding.with(rises.notes));
    }
    if rises.moved {
        let says = format!("{says}; but it moved before the drill began: others were counted as well");
        return Err(Finding::could_not_tell(says).with(rises.notes));
    }
    let lost = rises.lost(case, &whole);
    if lost > 0 && rose < truth.least {
        let says = format!("{says}; but what it counted of {lost} requests may be lost, since it began anew");
        return Err(Finding::could_not_tell(says).with(rises.notes));
    }
    Ok(finding.with(rises.notes))
}
