//! A query gives what the ledger knows.

use crate::file::expectation::Query;
use crate::file::value::{Quantity, Tolerance};
use crate::question::{Explain, Instant, Questions};
use crate::run::PhaseLedger;
use firedrill_contract::quantity::format_duration;

use super::case::{Case, SETTLED};
use super::cause;
use super::clocks::{self, Between};
use super::truth::{Shown, Truth, shown};
use super::verdict::{Finding, Verdict};

pub(super) fn ask(case: &Case<'_>, query: &Query, questions: &mut Questions) {
    if let Ok(phase) = case.phase(query.during.as_deref()) {
        questions
            .queries
            .push(Instant { query: case.variables(&phase).expand(&query.query), at: phase.ended });
    }
}

pub(super) fn explain(case: &Case<'_>, query: &Query) -> Vec<Explain> {
    let Ok(phase) = case.phase(query.during.as_deref()) else { return Vec::new() };
    vec![Explain {
        expression: case.variables(&phase).expand(&query.query),
        labels: [].into(),
        from: phase.began,
        to: phase.ended,
    }]
}

pub(super) fn judge(case: &Case<'_>, query: &Query) -> Verdict {
    let about = match Asked::of(query) {
        Some(Asked::Equals(quantity)) if !matches!(quantity, Quantity::Number(_)) => {
            quantity.to_string().replace('_', " ")
        }
        _ => "query".to_owned(),
    };
    let phase = query.during.as_ref().map(|phase| format!(" in {phase}")).unwrap_or_default();
    found(case, query).unwrap_or_else(|finding| finding).about(format!("{about}{phase}"))
}

/// What the answer is held against.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Equals(Quantity),
    AtLeast(Quantity),
    AtMost(Quantity),
    Between(Quantity, Quantity),
}

impl Asked {
    fn of(query: &Query) -> Option<Self> {
        let Query { equals, at_least, at_most, between, .. } = query;
        equals
            .map(Self::Equals)
            .or(at_least.map(Self::AtLeast))
            .or(at_most.map(Self::AtMost))
            .or(between.map(|(least, most)| Self::Between(least, most)))
    }

    /// What it should not be under, and over.
    const fn bounds(self) -> (Option<Quantity>, Option<Quantity>) {
        match self {
            Self::Equals(quantity) => (Some(quantity), Some(quantity)),
            Self::AtLeast(least) => (Some(least), None),
            Self::AtMost(most) => (None, Some(most)),
            Self::Between(least, most) => (Some(least), Some(most)),
        }
    }
}

fn found(case: &Case<'_>, query: &Query) -> Result<Finding, Finding> {
    let phase = case.phase(query.during.as_deref())?;
    case.prometheus()?;
    case.known_at(phase.ended + SETTLED + SETTLED, "the last scrape of the phase")?;
    enough(case, &phase)?;
    if let Some(gap) = case.gap(phase.began, phase.ended)? {
        return Err(Finding::could_not_tell(gap));
    }
    let expression = case.variables(&phase).expand(&query.query);
    let number = match case.answer(&expression, phase.ended)? {
        [one] => one.value,
        [] => {
            let causes = cause::of(case, &expression);
            return Ok(cause::blame("the query returned no series", causes).with([expression]));
        }
        several => {
            let says = format!(
                "the query returned {} series, one number was expected: sum them, or select one",
                several.len()
            );
            return Err(Finding::could_not_tell(says).with([expression]));
        }
    };
    Ok(compared(query, &phase, number)?.with([expression]))
}

/// Whether the phase holds so many scrapes that a rate over it means something.
pub(super) fn enough(case: &Case<'_>, phase: &PhaseLedger) -> Result<(), Finding> {
    let (interval, span) = (case.scrape_interval(), phase.ended.since(phase.began).unwrap_or_default());
    if span < interval * 3 {
        let (interval, span) = (format_duration(interval), format_duration(span));
        return Err(Finding::could_not_tell(format!(
            "the phase lasts {span} and scrapes are {interval} apart: a rate needs a phase of three scrapes or more"
        )));
    }
    Ok(())
}

fn compared(query: &Query, phase: &PhaseLedger, number: f64) -> Result<Finding, Finding> {
    let asked =
        Asked::of(query).ok_or_else(|| Finding::could_not_tell("nothing was expected of the query"))?;
    let within = query.within.unwrap_or(Tolerance::Absolute(0.0));
    let bounds = |between| {
        let known = |quantity: Option<Quantity>| {
            quantity.map(|quantity| truth(quantity, phase, within, between)).transpose()
        };
        let (least, most) = asked.bounds();
        Ok::<_, Finding>((known(least)?, known(most)?))
    };
    let right = |between| {
        bounds(between).is_ok_and(|(least, most)| {
            least.is_none_or(|Shown(truth, _)| number >= truth.least - within.of(truth.least))
                && most.is_none_or(|Shown(truth, _)| number <= truth.most + within.of(truth.most))
        })
    };
    let (least, most) = bounds(Between::Nothing)?;
    let between = clocks::least_between(right);
    let unit = match asked {
        Asked::Equals(quantity)
        | Asked::AtLeast(quantity)
        | Asked::AtMost(quantity)
        | Asked::Between(quantity, _) => quantity,
    };
    let found = shown(number, unit);
    let missing = least.as_ref().map_or(0.0, |Shown(truth, _)| truth.least - number);
    let whose = if between == Some(Between::Nothing) { "truth" } else { "client" };
    let says = match (asked, least, most) {
        (Asked::Equals(Quantity::Number(_)), Some(truth), _) => format!("Prometheus {found} (asked: {truth}"),
        (Asked::Equals(_), Some(truth), _) => format!("{whose} {truth}, Prometheus {found} (asked: the same"),
        (_, Some(least), Some(most)) => format!("Prometheus {found} (asked: between {least} and {most}"),
        (_, Some(least), None) => format!("Prometheus {found} (asked: at least {least}"),
        (_, None, Some(most)) => format!("Prometheus {found} (asked: at most {most}"),
        (_, None, None) => format!("Prometheus {found} (asked: anything"),
    };
    let says = match query.within {
        Some(within) => format!("{says}, within {within})"),
        None => format!("{says})"),
    };
    Ok(clocks::finding(between, says, &shown(missing, unit), &phase.ledger))
}

/// What a quantity truly was, where this lies between the clocks.
pub(super) fn truth(
    quantity: Quantity,
    phase: &PhaseLedger,
    within: Tolerance,
    between: Between,
) -> Result<Shown, Finding> {
    clocks::spoiled_by_lag(quantity, phase, within)?;
    let none =
        || Finding::could_not_tell(format!("the ledger knows no {quantity}: no request of the phase says"));
    Truth::of(quantity, phase, between).map(|truth| Shown(truth, quantity)).ok_or_else(none)
}
