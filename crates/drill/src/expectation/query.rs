//! A query gives what the ledger knows.

use super::kind::Kind;
use crate::file::check::context::FileContext;
use crate::file::check::quantity::tolerance;
use crate::file::place::Place;
use crate::file::value::{Quantity, Tolerance};
use crate::judge::case::{Case, SETTLED};
use crate::judge::cause;
use crate::judge::clocks::{self, Between};
use crate::judge::truth::{Shown, Truth, shown};
use crate::judge::verdict::Finding;
use crate::phase_ledger::PhaseLedger;
use crate::question::{Explain, Instant, Questions};
use firedrill_contract::display;
use promql_parser::parser::value::ValueType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A query gives what the ledger knows, or a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// PromQL with one number for an answer, asked at the end of the phase. `$phase` stands for its length, `$workload` and `$job` for those of the drill.
    pub query: String,
    /// The phase that it is about; the whole drill where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<String>,
    /// What it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Quantity>,
    /// What it should not be under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Quantity>,
    /// What it should not be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Quantity>,
    /// What it should not be under, and over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<(Quantity, Quantity)>,
    /// By how much it may be off; `equals` needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Tolerance>,
}

impl Kind for Query {
    fn check(&self, context: &FileContext<'_>, place: &mut Place<'_>) {
        let during = self.during.as_deref();
        context.phase_of(during, place);
        let expected = self.one_of_four(place);
        for (key, quantity) in &expected {
            context.is_defined(*quantity, during, &mut place.at(*key));
        }
        if let Some((from, to)) = self.between {
            in_order(from, to, &mut place.at("between"));
        }
        match (self.equals, self.within) {
            (Some(_), None) => {
                place.refuse("missing key `within`: say how far the query may be off, such as 5% or 0.01")
            }
            (_, Some(within)) => {
                let quantities = expected.iter().map(|(_, quantity)| *quantity);
                tolerance(within, &quantities.collect::<Vec<_>>(), &mut place.at("within"));
            }
            (None, None) => {}
        }
        check_expression(&self.query, during, context, &mut place.at("query"));
    }

    fn ask(&self, case: &Case<'_>, questions: &mut Questions) {
        if let Ok(phase) = case.phase(self.during.as_deref()) {
            questions
                .queries
                .push(Instant { query: case.variables(&phase).expand(&self.query), at: phase.ended });
        }
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        let about = match Condition::of(self) {
            Some(Condition::Equals(quantity)) if !matches!(quantity, Quantity::Number(_)) => {
                quantity.to_string().replace('_', " ")
            }
            _ => "query".to_owned(),
        };
        let phase = self.during.as_ref().map(|phase| format!(" in {phase}")).unwrap_or_default();
        vec![self.finding(case).unwrap_or_else(|finding| finding).about(format!("{about}{phase}"))]
    }

    fn explain(&self, case: &Case<'_>) -> Vec<Explain> {
        let Ok(phase) = case.phase(self.during.as_deref()) else { return Vec::new() };
        vec![Explain {
            expression: case.variables(&phase).expand(&self.query),
            labels: [].into(),
            from: phase.began,
            to: phase.ended,
        }]
    }
}

fn check_expression(text: &str, during: Option<&str>, context: &FileContext<'_>, place: &mut Place<'_>) {
    let Some(expression) = context.promql(text, during, place) else { return };
    match expression.value_type() {
        ValueType::Vector | ValueType::Scalar => {}
        ValueType::Matrix => place.refuse(
            "the query returns a range vector, not a number: put a function such as rate() around it",
        ),
        ValueType::String => place.refuse("the query returns a string, not a number: query series instead"),
    }
    if !context.reads_series(&expression, place) {
        place.refuse("the query reads no series: select at least one");
    }
}

fn in_order(from: Quantity, to: Quantity, place: &mut Place<'_>) {
    let reversed = match (from, to) {
        (Quantity::Number(from), Quantity::Number(to))
        | (Quantity::Quantile(from), Quantity::Quantile(to)) => from > to,
        _ => false,
    };
    if reversed {
        place.refuse(format!("`{from}` is more than `{to}`: put the smaller one first"));
    }
}

impl Query {
    /// What the query is compared with, by its key: it takes exactly one.
    fn one_of_four(&self, place: &mut Place<'_>) -> Vec<(&'static str, Quantity)> {
        let [from, to] = self.between.map_or([None, None], |(from, to)| [Some(from), Some(to)]);
        let keys = [
            ("equals", self.equals),
            ("at_least", self.at_least),
            ("at_most", self.at_most),
            ("between", from),
        ];
        let mut there = keys.into_iter().filter(|(_, quantity)| quantity.is_some());
        match (there.next(), there.next()) {
            (None, _) => place
                .refuse("nothing is expected of this query: add one of equals, at_least, at_most, between"),
            (Some(("at_least", _)), Some(("at_most", _))) => {
                place.at("at_most").refuse("`at_most` beside `at_least`: use between: [LEAST, MOST] instead");
            }
            (Some((first, _)), Some((second, _))) => {
                place.at(second).refuse(format!("`{second}` beside `{first}`: keep one of them"));
            }
            (Some(_), None) => {}
        }
        keys.into_iter()
            .chain([("between", to)])
            .filter_map(|(key, quantity)| Some((key, quantity?)))
            .collect()
    }

    fn finding(&self, case: &Case<'_>) -> Result<Finding, Finding> {
        let phase = case.phase(self.during.as_deref())?;
        case.prometheus()?;
        case.known_at(phase.ended + SETTLED + SETTLED, "the last scrape of the phase")?;
        enough(case, &phase)?;
        if let Some(gap) = case.gap(phase.began, phase.ended)? {
            return Err(Finding::inconclusive(gap));
        }
        let expression = case.variables(&phase).expand(&self.query);
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
                return Err(Finding::inconclusive(says).with([expression]));
            }
        };
        Ok(self.compared(&phase, number)?.with([expression]))
    }

    fn compared(&self, phase: &PhaseLedger, number: f64) -> Result<Finding, Finding> {
        let condition =
            Condition::of(self).ok_or_else(|| Finding::inconclusive("nothing was expected of the query"))?;
        let within = self.within.unwrap_or(Tolerance::Absolute(0.0));
        let bounds = |between| {
            let known = |quantity: Option<Quantity>| {
                quantity.map(|quantity| truth(quantity, phase, within, between)).transpose()
            };
            let (least, most) = condition.bounds();
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
        let unit = match condition {
            Condition::Equals(quantity)
            | Condition::AtLeast(quantity)
            | Condition::AtMost(quantity)
            | Condition::Between(quantity, _) => quantity,
        };
        let found = shown(number, unit);
        let missing = least.as_ref().map_or(0.0, |Shown(truth, _)| truth.least - number);
        let whose = clocks::whose(between);
        let says = match (condition, least, most) {
            (Condition::Equals(Quantity::Number(_)), Some(truth), _) => {
                format!("Prometheus {found} (expected: {truth}")
            }
            (Condition::Equals(_), Some(truth), _) => {
                format!("{whose} {truth}, Prometheus {found} (expected: the same")
            }
            (_, Some(least), Some(most)) => {
                format!("Prometheus {found} (expected: between {least} and {most}")
            }
            (_, Some(least), None) => format!("Prometheus {found} (expected: at least {least}"),
            (_, None, Some(most)) => format!("Prometheus {found} (expected: at most {most}"),
            (_, None, None) => format!("Prometheus {found} (expected: anything"),
        };
        let says = match self.within {
            Some(within) => format!("{says}, within {within})"),
            None => format!("{says})"),
        };
        Ok(clocks::finding(between, says, &shown(missing, unit), &phase.ledger))
    }
}

/// What the answer is held against.
#[derive(Debug, Clone, Copy)]
enum Condition {
    Equals(Quantity),
    AtLeast(Quantity),
    AtMost(Quantity),
    Between(Quantity, Quantity),
}

impl Condition {
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

/// Whether the phase holds so many scrapes that a rate over it means something.
pub(super) fn enough(case: &Case<'_>, phase: &PhaseLedger) -> Result<(), Finding> {
    let (interval, span) = (case.scrape_interval(), phase.ended.since(phase.began).unwrap_or_default());
    if span < interval * 3 {
        let (interval, span) = (display::duration(interval), display::duration(span));
        return Err(Finding::inconclusive(format!(
            "the phase lasts {span} and scrapes are {interval} apart: a rate needs a phase of three scrapes or more"
        )));
    }
    Ok(())
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
        || Finding::inconclusive(format!("the ledger knows no {quantity}: no request of the phase says"));
    Truth::of(quantity, phase, between).map(|truth| Shown(truth, quantity)).ok_or_else(none)
}
