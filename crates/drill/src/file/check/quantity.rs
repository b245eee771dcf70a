//! Quantities that a drill expects or assumes, and their tolerances.

use super::context::FileContext;
use crate::file::place::Place;
use crate::file::premise::Premise;
use crate::file::value::{Quantity, Tolerance};

impl FileContext<'_> {
    pub(crate) fn check_premise(&self, premise: &Premise, place: &mut Place<'_>) {
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

    pub(crate) fn phase_of(&self, during: Option<&str>, place: &mut Place<'_>) {
        if let Some(during) = during {
            self.phase(during, &mut place.at("during"));
        }
    }

    /// A share or a latency of no requests at all is undefined.
    pub(crate) fn is_defined(&self, quantity: Quantity, during: Option<&str>, place: &mut Place<'_>) {
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

/// That a tolerance lets something through, and not everything.
pub(crate) fn tolerance(within: Tolerance, expected: &[Quantity], place: &mut Place<'_>) {
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
