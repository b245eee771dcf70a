//! What the ledger knows, as numbers that a query can be held against.

use super::clocks::{self, Between};
use crate::file::value::{Quantity, Tolerance};
use crate::phase_ledger::PhaseLedger;
use firedrill_contract::display;
use firedrill_load::ledger::Range;

/// From the least to the most that may be true; mostly the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Truth {
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Truth {
    const fn exactly(number: f64) -> Self {
        Self { least: number, most: number }
    }

    /// What this quantity was in this phase for the service, where this lies between its clock and the client's;
    /// nothing where no request says.
    pub(crate) fn of(quantity: Quantity, phase: &PhaseLedger, between: Between) -> Option<Self> {
        let ledger = &phase.ledger;
        let (requests, errors) = (ledger.requests(), ledger.errors());
        let seconds = phase.ended.since(phase.began)?.as_secs_f64();
        match quantity {
            Quantity::Number(number) => Some(Self::exactly(number)),
            Quantity::Requests => Some(Self::range(requests)),
            Quantity::Errors => Some(Self::range(errors)),
            Quantity::ErrorRatio if requests.most == 0 => None,
            // What may have been seen may have gone well for the service, or have failed.
            Quantity::ErrorRatio => {
                let failed =
                    Range { least: errors.most, most: requests.least + (errors.most - errors.least) };
                let went_well = Range { least: errors.least, most: requests.most };
                Some(Self { least: ratio(went_well), most: ratio(failed) })
            }
            Quantity::Rate => {
                let Self { least, most } = Self::range(requests);
                Some(Self { least: least / seconds, most: most / seconds })
            }
            Quantity::Quantile(_) | Quantity::Mean | Quantity::LatencySum | Quantity::SlowRatio(_) => {
                clocks::latency(quantity, ledger, between).map(|(least, most)| Self { least, most })
            }
        }
    }

    fn range(range: Range) -> Self {
        let Range { least, most } = range;
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 requests")]
        Self { least: least as f64, most: most as f64 }
    }

    /// Whether a number is it, to within the tolerance.
    pub(crate) fn is(self, number: f64, within: Tolerance) -> bool {
        number >= self.least - within.of(self.least) && number <= self.most + within.of(self.most)
    }
}

/// `least` of `most`, as a share.
fn ratio(range: Range) -> f64 {
    let Truth { least, most } = Truth::range(range);
    least / most
}

/// A number as a person reads it, in the unit of what it is compared with.
pub(crate) fn shown(number: f64, quantity: Quantity) -> String {
    match quantity {
        Quantity::ErrorRatio | Quantity::SlowRatio(_) => format!("{} %", display::number(number * 100.0)),
        Quantity::Quantile(_) | Quantity::Mean | Quantity::LatencySum => display::seconds(number),
        Quantity::Rate => format!("{}/s", display::number(number)),
        Quantity::Number(_) | Quantity::Requests | Quantity::Errors => display::number(number),
    }
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (least, most) = (shown(self.0.least, self.1), shown(self.0.most, self.1));
        if least == most { f.write_str(&least) } else { write!(f, "{least} to {most}") }
    }
}

/// A truth, to be shown in the unit of its quantity.
pub(crate) struct Shown(pub(crate) Truth, pub(crate) Quantity);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use firedrill_contract::Time;
    use firedrill_load::ledger::{Ledger, Times};
    use firedrill_load::outcome::Outcome;

    #[test]
    fn requests_whose_outcome_nobody_knows_may_have_failed_or_not() {
        let mut phase = PhaseLedger {
            name: "calm".to_owned(),
            began: Time::from_millis(0),
            ended: Time::from_millis(10_000),
            ledger: Ledger::default(),
        };
        let times = Times { due: Duration::ZERO, left: Duration::ZERO, sent: None, ended: Duration::ZERO };
        let outcomes = [
            Outcome::Answered(StatusCode::OK),
            Outcome::Answered(StatusCode::BAD_GATEWAY),
            Outcome::TimedOut,
        ];
        outcomes.into_iter().for_each(|outcome| phase.ledger.enter(outcome, times));
        let truth = Truth::of(Quantity::ErrorRatio, &phase, Between::Nothing).unwrap();
        // One of two or three failed, or two of three.
        assert_eq!((truth.least, truth.most), (1.0 / 3.0, 2.0 / 3.0));
    }

    #[test]
    fn a_number_is_shown_in_the_unit_of_its_quantity() {
        assert_eq!(shown(0.502, Quantity::ErrorRatio), "50.2 %");
        assert_eq!(shown(0.1184, Quantity::Mean), "118.4 ms");
    }
}
