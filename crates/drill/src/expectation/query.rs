//! A query gives what the ledger knows.

use super::Kind;
use crate::file::value::{Quantity, Tolerance};
use crate::judge::case::{Case, SETTLED};
use crate::judge::cause;
use crate::judge::truth::{Shown, Truth, shown};
use crate::judge::verdict::Finding;
use crate::question::{Explain, Instant, Questions};
use crate::run::PhaseLedger;
use firedrill_contract::quantity::format_duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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
    fn ask(&self, case: &Case<'_>, questions: &mut Questions) {
        if let Ok(phase) = case.phase(self.during.as_deref()) {
            questions
                .queries
                .push(Instant { query: case.variables(&phase).expand(&self.query), at: phase.ended });
        }
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        let about = match Asked::of(self) {
            Some(Asked::Equals(quantity)) if !matches!(quantity, Quantity::Number(_)) => {
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

impl Query {
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
        let asked =
            Asked::of(self).ok_or_else(|| Finding::inconclusive("nothing was expected of the query"))?;
        let within = self.within.unwrap_or(Tolerance::Absolute(0.0));
        let known =
            |quantity: Option<Quantity>| quantity.map(|quantity| truth(quantity, phase, within)).transpose();
        let (least, most) = asked.bounds();
        let (least, most) = (known(least)?, known(most)?);
        let right =
            least.as_ref().is_none_or(|Shown(truth, _)| number >= truth.least - within.of(truth.least))
                && most.as_ref().is_none_or(|Shown(truth, _)| number <= truth.most + within.of(truth.most));
        let unit = match asked {
            Asked::Equals(quantity)
            | Asked::AtLeast(quantity)
            | Asked::AtMost(quantity)
            | Asked::Between(quantity, _) => quantity,
        };
        let found = shown(number, unit);
        let says = match (asked, least, most) {
            (Asked::Equals(Quantity::Number(_)), Some(truth), _) => {
                format!("Prometheus {found} (asked: {truth}")
            }
            (Asked::Equals(_), Some(truth), _) => {
                format!("truth {truth}, Prometheus {found} (asked: the same")
            }
            (_, Some(least), Some(most)) => format!("Prometheus {found} (asked: between {least} and {most}"),
            (_, Some(least), None) => format!("Prometheus {found} (asked: at least {least}"),
            (_, None, Some(most)) => format!("Prometheus {found} (asked: at most {most}"),
            (_, None, None) => format!("Prometheus {found} (asked: anything"),
        };
        let says = match self.within {
            Some(within) => format!("{says}, within {within})"),
            None => format!("{says})"),
        };
        Ok(if right { Finding::pass(says) } else { Finding::fail(says) })
    }
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

/// Whether the phase holds so many scrapes that a rate over it means something.
pub(super) fn enough(case: &Case<'_>, phase: &PhaseLedger) -> Result<(), Finding> {
    let (interval, span) = (case.scrape_interval(), phase.ended.since(phase.began).unwrap_or_default());
    if span < interval * 3 {
        let (interval, span) = (format_duration(interval), format_duration(span));
        return Err(Finding::inconclusive(format!(
            "the phase lasts {span} and scrapes are {interval} apart: a rate needs a phase of three scrapes or more"
        )));
    }
    Ok(())
}

/// What a quantity truly was, unless the drill's own lag spoils it.
pub(super) fn truth(quantity: Quantity, phase: &PhaseLedger, within: Tolerance) -> Result<Shown, Finding> {
    spoiled_by_lag(quantity, phase, within)?;
    let none =
        || Finding::inconclusive(format!("the ledger knows no {quantity}: no request of the phase says"));
    Truth::of(quantity, phase).map(|truth| Shown(truth, quantity)).ok_or_else(none)
}

/// Latencies are counted from when a request was due, so that the drill's own lateness is in them.
pub(super) fn spoiled_by_lag(
    quantity: Quantity,
    phase: &PhaseLedger,
    within: Tolerance,
) -> Result<(), Finding> {
    // Nearly the worst, whichever quantile is asked for: a machine on which some requests leave late is
    // one on which answers are read late, and of that there is no record.
    let lag = phase.ledger.lag().quantile(0.99).unwrap_or_default();
    let latency = phase.ledger.latency();
    let typical = |share: f64| latency.quantile(share).unwrap_or_default().as_secs_f64();
    let spoiled = match quantity {
        Quantity::Quantile(share) => lag.as_secs_f64() > within.of(typical(share)),
        Quantity::Mean | Quantity::LatencySum => lag.as_secs_f64() > within.of(typical(0.5)),
        // Only requests close to the edge can have come to its other side, by leaving late and being read late.
        Quantity::SlowRatio(edge) => {
            let slow = latency.above(edge.0);
            let doubtful = slow - latency.above(edge.0 + lag * 2);
            let share = |count| Truth::share(count, latency.count());
            share(doubtful) > within.of(share(slow))
        }
        Quantity::Number(_)
        | Quantity::Requests
        | Quantity::Errors
        | Quantity::ErrorRatio
        | Quantity::Rate => false,
    };
    if lag > UNAVOIDABLE && spoiled {
        let lag = format_duration(lag);
        return Err(Finding::inconclusive(format!(
            "the drill's own lag was {lag} (p99), more than the tolerance: use a lower rate, a quieter machine or a wider tolerance"
        )));
    }
    Ok(())
}

/// A lag that no machine does without, and that spoils nothing.
const UNAVOIDABLE: Duration = Duration::from_millis(2);
