//! Numbers that a drill expects: of counters, of a query, or of a quantile.

use promql_parser::parser::value::ValueType;

use super::super::Premise;
use super::super::value::{Quantity, Tolerance};
use super::{Drill, Here};
use crate::expectation::increase::Increase;
use crate::expectation::quantile::Quantile;
use crate::expectation::query::Query;

impl Drill<'_> {
    pub(super) fn increase(&self, increase: &Increase, here: &mut Here<'_>) {
        let Increase { increase: counters, equals, within } = increase;
        match equals {
            Quantity::Number(_) | Quantity::Requests | Quantity::Errors | Quantity::LatencySum => {
                self.is_defined(*equals, None, &mut here.at("equals"));
            }
            Quantity::ErrorRatio
            | Quantity::Rate
            | Quantity::Quantile(_)
            | Quantity::Mean
            | Quantity::SlowRatio(_) => here.at("equals").say(format!(
                "found {equals}, by which no counter rises: expected requests, errors, latency_sum or a number"
            )),
        }
        if let Some(within) = within {
            tolerance(*within, &[*equals], &mut here.at("within"));
        } else if *equals == Quantity::LatencySum {
            here.say("the key \"within\" is missing: clients see more of the latency than the service, expected by how much it may be off, such as 10%");
        }
        self.counters(counters, &mut here.at("increase"));
    }

    pub(super) fn query(&self, query: &Query, here: &mut Here<'_>) {
        let during = query.during.as_deref();
        self.phase_of(during, here);
        let expected = one_of_four(query, here);
        for (key, quantity) in &expected {
            self.is_defined(*quantity, during, &mut here.at(*key));
        }
        if let Some((from, to)) = query.between {
            in_order(from, to, &mut here.at("between"));
        }
        match (query.equals, query.within) {
            (Some(_), None) => here.say("the key \"within\" is missing: expected by how much the query may be off, such as 5% or 0.01"),
            (_, Some(within)) => {
                let quantities = expected.iter().map(|(_, quantity)| *quantity);
                tolerance(within, &quantities.collect::<Vec<_>>(), &mut here.at("within"));
            }
            (None, None) => {}
        }
        self.expression(&query.query, during, &mut here.at("query"));
    }

    fn expression(&self, text: &str, during: Option<&str>, here: &mut Here<'_>) {
        let Some(expression) = self.promql(text, during, here) else { return };
        match expression.value_type() {
            ValueType::Vector | ValueType::Scalar => {}
            ValueType::Matrix => here.say(
                "found a range of samples, expected one number: put a function such as rate() around it",
            ),
            ValueType::String => {
                here.say("found a text, expected an expression with one number for an answer")
            }
        }
        if !self.reads_series(&expression, here) {
            here.say("found an expression that reads no series, expected one that asks monitoring");
        }
    }

    pub(super) fn premise(&self, premise: &Premise, here: &mut Here<'_>) {
        let Premise { truth, at_most, during } = premise;
        self.phase_of(during.as_deref(), here);
        if matches!(truth, Quantity::Number(_)) {
            here.at("truth").say(format!(
                "found {truth}, expected what the ledger knows, such as slow_ratio(500ms) or error_ratio"
            ));
        }
        self.is_defined(*truth, during.as_deref(), &mut here.at("truth"));
        if !at_most.is_finite() || *at_most < 0.0 || (is_ratio(*truth) && *at_most >= 1.0) {
            let expected = if is_ratio(*truth) {
                "a share from 0 to less than 1, such as 0.05"
            } else {
                "a number from 0 on"
            };
            here.at("at_most").say(format!("found {at_most}, expected {expected}"));
        }
    }

    pub(super) fn quantile(&self, quantile: &Quantile, here: &mut Here<'_>) {
        let during = quantile.during.as_deref();
        if !(quantile.quantile > 0.0 && quantile.quantile < 1.0) {
            here.at("quantile").say(format!(
                "found {}, expected a quantile between 0 and 1, such as 0.99",
                quantile.quantile
            ));
        }
        self.phase_of(during, here);
        self.is_defined(Quantity::Quantile(quantile.quantile), during, here);
        tolerance(quantile.within, &[Quantity::Quantile(quantile.quantile)], &mut here.at("within"));
        self.histogram(quantile.series.as_deref(), here);
    }

    fn phase_of(&self, during: Option<&str>, here: &mut Here<'_>) {
        if let Some(during) = during {
            self.phase(during, &mut here.at("during"));
        }
    }

    /// That the ledger has such a number. Of no requests at all nothing is a share or a latency.
    fn is_defined(&self, quantity: Quantity, during: Option<&str>, here: &mut Here<'_>) {
        let of_requests = match quantity {
            Quantity::Number(_) | Quantity::Requests | Quantity::Errors | Quantity::Rate => false,
            Quantity::ErrorRatio
            | Quantity::Quantile(_)
            | Quantity::Mean
            | Quantity::LatencySum
            | Quantity::SlowRatio(_) => true,
        };
        if of_requests && self.is_pause(during) {
            here.say(format!(
                "found {quantity} of a time in which nothing is sent, expected a phase with a rate"
            ));
        }
    }
}

/// Whether it is a share from 0 to 1.
const fn is_ratio(quantity: Quantity) -> bool {
    matches!(quantity, Quantity::ErrorRatio | Quantity::SlowRatio(_))
}

/// What the query should be, by its key: it takes exactly one.
fn one_of_four(query: &Query, here: &mut Here<'_>) -> Vec<(&'static str, Quantity)> {
    let [from, to] = query.between.map_or([None, None], |(from, to)| [Some(from), Some(to)]);
    let keys = [
        ("equals", query.equals),
        ("at_least", query.at_least),
        ("at_most", query.at_most),
        ("between", from),
    ];
    let mut there = keys.into_iter().filter(|(_, quantity)| quantity.is_some());
    match (there.next(), there.next()) {
        (None, _) => here.say(
            "found nothing that the query should be, expected one of equals, at_least, at_most, between",
        ),
        (Some(("at_least", _)), Some(("at_most", _))) => {
            here.at("at_most").say("found at_most beside at_least, expected between: [LEAST, MOST]");
        }
        (Some((first, _)), Some((second, _))) => {
            here.at(second).say(format!("found {second} beside {first}, expected one of them"));
        }
        (Some(_), None) => {}
    }
    keys.into_iter().chain([("between", to)]).filter_map(|(key, quantity)| Some((key, quantity?))).collect()
}

fn in_order(from: Quantity, to: Quantity, here: &mut Here<'_>) {
    let reversed = match (from, to) {
        (Quantity::Number(from), Quantity::Number(to))
        | (Quantity::Quantile(from), Quantity::Quantile(to)) => from > to,
        _ => false,
    };
    if reversed {
        here.say(format!("found {from} before {to}, expected the smaller one first"));
    }
}

/// That a tolerance lets something through, and not everything.
fn tolerance(within: Tolerance, expected: &[Quantity], here: &mut Here<'_>) {
    match within {
        Tolerance::Share(share) if share >= 1.0 => {
            here.say(format!(
                "found {within}, within which nothing at all (0) would be right too: expected less than 100%"
            ));
        }
        Tolerance::Share(share) if share > 0.0 && expected.contains(&Quantity::Number(0.0)) => {
            here.say(format!("found {within} of 0, which is 0: expected an absolute amount such as 0.01"));
        }
        Tolerance::Absolute(most) if most >= 1.0 && expected.iter().copied().any(is_ratio) => {
            here.say(format!("found {within}, within which any two shares from 0 to 1 are: expected a percentage such as 5% or less than 1"));
        }
        Tolerance::Share(_) | Tolerance::Absolute(_) => {}
    }
}
