//! Numbers that a drill expects: of counters, of a query, or of a quantile.

use promql_parser::parser::value::ValueType;

use super::super::Premise;
use super::super::value::{Quantity, Tolerance};
use super::{Drill, Place};
use crate::expectation::increase::Increase;
use crate::expectation::quantile::Quantile;
use crate::expectation::query::Query;

impl Drill<'_> {
    pub(super) fn increase(&self, increase: &Increase, place: &mut Place<'_>) {
        let Increase { increase: counters, equals, within } = increase;
        match equals {
            Quantity::Number(_) | Quantity::Requests | Quantity::Errors | Quantity::LatencySum => {
                self.is_defined(*equals, None, &mut place.at("equals"));
            }
            Quantity::ErrorRatio
            | Quantity::Rate
            | Quantity::Quantile(_)
            | Quantity::Mean
            | Quantity::SlowRatio(_) => place.at("equals").refuse(format!(
                "no counter rises by `{equals}`: use requests, errors, latency_sum or a number"
            )),
        }
        if let Some(within) = within {
            tolerance(*within, &[*equals], &mut place.at("within"));
        } else if *equals == Quantity::LatencySum {
            place.refuse("missing key `within`: clients see more latency than the service does, so allow for it, such as 10%");
        }
        self.counters(counters, &mut place.at("increase"));
    }

    pub(super) fn query(&self, query: &Query, place: &mut Place<'_>) {
        let during = query.during.as_deref();
        self.phase_of(during, place);
        let expected = one_of_four(query, place);
        for (key, quantity) in &expected {
            self.is_defined(*quantity, during, &mut place.at(*key));
        }
        if let Some((from, to)) = query.between {
            in_order(from, to, &mut place.at("between"));
        }
        match (query.equals, query.within) {
            (Some(_), None) => {
                place.refuse("missing key `within`: say how far the query may be off, such as 5% or 0.01")
            }
            (_, Some(within)) => {
                let quantities = expected.iter().map(|(_, quantity)| *quantity);
                tolerance(within, &quantities.collect::<Vec<_>>(), &mut place.at("within"));
            }
            (None, None) => {}
        }
        self.expression(&query.query, during, &mut place.at("query"));
    }

    fn expression(&self, text: &str, during: Option<&str>, place: &mut Place<'_>) {
        let Some(expression) = self.promql(text, during, place) else { return };
        match expression.value_type() {
            ValueType::Vector | ValueType::Scalar => {}
            ValueType::Matrix => place.refuse(
                "the query returns a range vector, not a number: put a function such as rate() around it",
            ),
            ValueType::String => {
                place.refuse("the query returns a string, not a number: query series instead")
            }
        }
        if !self.reads_series(&expression, place) {
            place.refuse("the query reads no series: select at least one");
        }
    }

    pub(super) fn premise(&self, premise: &Premise, place: &mut Place<'_>) {
        let Premise { truth, at_most, during } = premise;
        self.phase_of(during.as_deref(), place);
        if matches!(truth, Quantity::Number(_)) {
            place.at("truth").refuse(format!(
                "`{truth}` is a constant: use what the drill measures, such as slow_ratio(500ms) or error_ratio"
            ));
        }
        self.is_defined(*truth, during.as_deref(), &mut place.at("truth"));
        if !at_most.is_finite() || *at_most < 0.0 || (is_ratio(*truth) && *at_most >= 1.0) {
            let expected = if is_ratio(*truth) {
                "a share from 0 to less than 1, such as 0.05"
            } else {
                "a number from 0"
            };
            place.at("at_most").refuse(format!("`at_most: {at_most}` is out of range: use {expected}"));
        }
    }

    pub(super) fn quantile(&self, quantile: &Quantile, place: &mut Place<'_>) {
        let during = quantile.during.as_deref();
        if !(quantile.quantile > 0.0 && quantile.quantile < 1.0) {
            place.at("quantile").refuse(format!(
                "`{}` is not a quantile: use a number between 0 and 1, such as 0.99",
                quantile.quantile
            ));
        }
        self.phase_of(during, place);
        self.is_defined(Quantity::Quantile(quantile.quantile), during, place);
        tolerance(quantile.within, &[Quantity::Quantile(quantile.quantile)], &mut place.at("within"));
        self.histogram(quantile.series.as_deref(), place);
    }

    fn phase_of(&self, during: Option<&str>, place: &mut Place<'_>) {
        if let Some(during) = during {
            self.phase(during, &mut place.at("during"));
        }
    }

    /// A share or a latency of no requests at all is undefined.
    fn is_defined(&self, quantity: Quantity, during: Option<&str>, place: &mut Place<'_>) {
        let of_requests = match quantity {
            Quantity::Number(_) | Quantity::Requests | Quantity::Errors | Quantity::Rate => false,
            Quantity::ErrorRatio
            | Quantity::Quantile(_)
            | Quantity::Mean
            | Quantity::LatencySum
            | Quantity::SlowRatio(_) => true,
        };
        if of_requests && self.is_pause(during) {
            place.refuse(format!("`{quantity}` is undefined while nothing is sent: use a phase with a rate"));
        }
    }
}

/// Whether it is a share from 0 to 1.
const fn is_ratio(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::ErrorRatio | Quantity::SlowRatio(_))
}

/// What the query is compared with, by its key: it takes exactly one.
fn one_of_four(query: &Query, place: &mut Place<'_>) -> Vec<(&'static str, Quantity)> {
    let [from, to] = query.between.map_or([None, None], |(from, to)| [Some(from), Some(to)]);
    let keys = [
        ("equals", query.equals),
        ("at_least", query.at_least),
        ("at_most", query.at_most),
        ("between", from),
    ];
    let mut there = keys.into_iter().filter(|(_, quantity)| quantity.is_some());
    match (there.next(), there.next()) {
        (None, _) => {
            place.refuse("nothing is expected of this query: add one of equals, at_least, at_most, between")
        }
        (Some(("at_least", _)), Some(("at_most", _))) => {
            place.at("at_most").refuse("`at_most` beside `at_least`: use between: [LEAST, MOST] instead");
        }
        (Some((first, _)), Some((second, _))) => {
            place.at(second).refuse(format!("`{second}` beside `{first}`: keep one of them"));
        }
        (Some(_), None) => {}
    }
    keys.into_iter().chain([("between", to)]).filter_map(|(key, quantity)| Some((key, quantity?))).collect()
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

/// That a tolerance lets something through, and not everything.
fn tolerance(within: Tolerance, expected: &[Quantity], place: &mut Place<'_>) {
    match within {
        Tolerance::Share(share) if share >= 1.0 => {
            place.refuse(format!("`within: {within}` lets 0 pass: use less than 100%"));
        }
        Tolerance::Share(share) if share > 0.0 && expected.contains(&Quantity::Number(0.0)) => {
            place.refuse(format!("`within: {within}` of 0 is 0: use an amount such as 0.01"));
        }
        Tolerance::Absolute(most) if most >= 1.0 && expected.iter().copied().any(is_ratio) => {
            place.refuse(format!("`within: {within}` lets any share from 0 to 1 pass: use a percentage such as 5%, or less than 1"));
        }
        Tolerance::Share(_) | Tolerance::Absolute(_) => {}
    }
}
