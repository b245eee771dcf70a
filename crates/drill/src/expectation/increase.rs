//! Counters rose by what happened.

use super::kind::Kind;
use super::query;
use crate::file::check::context::FileContext;
use crate::file::check::quantity::tolerance;
use crate::file::place::Place;
use crate::file::value::{Quantity, Tolerance};
use crate::judge::case::{Case, SETTLED};
use crate::judge::cause;
use crate::judge::clocks::{self, Between};
use crate::judge::rise::{self, Rises, START_TIME};
use crate::judge::truth::{Shown, Truth, shown};
use crate::judge::verdict::{Finding, Verdict};
use crate::promql;
use crate::question::{Explain, Questions};
use firedrill_contract::metric::MetricType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counters rose by what happened while the drill ran, read from their raw samples before the first request and after the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Increase {
    /// The counters, as a selector; how much they rose is added up.
    pub increase: String,
    /// By how much they should have risen.
    pub equals: Quantity,
    /// By how much it may be off; nothing at all where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Tolerance>,
}

impl Kind for Increase {
    fn check(&self, context: &FileContext<'_>, place: &mut Place<'_>) {
        let Self { increase: counters, equals, within } = self;
        match equals {
            Quantity::Number(_) | Quantity::Requests | Quantity::Errors | Quantity::LatencySum => {
                context.is_defined(*equals, None, &mut place.at("equals"));
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
        check_counters(counters, context, &mut place.at("increase"));
    }

    fn ask(&self, case: &Case<'_>, questions: &mut Questions) {
        questions.selectors.extend(self.selector(case).into_iter().chain([START_TIME.to_owned()]));
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        let metric = self.increase.split('{').next().unwrap_or_default();
        let selector = self.selector(case).ok();
        let finding = self.finding(case).unwrap_or_else(|finding| finding);
        vec![finding.with(selector).about(format!("increase of {metric}"))]
    }

    fn explain(&self, case: &Case<'_>) -> Vec<Explain> {
        self.selector(case).into_iter().map(|selector| rise::explain(case, selector)).collect()
    }

    fn depends_on_schedule(&self) -> bool {
        false
    }
}

/// Counters that are added up.
fn check_counters(text: &str, context: &FileContext<'_>, place: &mut Place<'_>) {
    let Some(selector) = context.read_selector(text, place) else { return };
    let Some(known) = context.known(&selector) else { return };
    let name = known.name();
    if known.is_family_of_histogram() {
        place.refuse(format!("`{name}` is a histogram: use its _count, its _sum, or its _bucket with an le"));
    } else if known.counts() == Err(MetricType::Gauge) {
        place.refuse(format!("`{name}` is a gauge: use a counter"));
    } else if known.is_of_buckets() && !promql::matchers(&selector).any(|matcher| matcher.name == "le") {
        place.refuse(format!(
            "`{name}` without le adds up cumulative buckets: select one, such as le=\"+Inf\""
        ));
    }
}

impl Increase {
    fn selector(&self, case: &Case<'_>) -> Result<String, Finding> {
        Ok(case.variables(&case.phase(None)?).expand(&self.increase))
    }

    fn finding(&self, case: &Case<'_>) -> Result<Finding, Finding> {
        let whole = case.phase(None)?;
        let selector = self.selector(case)?;
        let series = case.samples(&selector)?;
        let (quantity, within) = (self.equals, self.within.unwrap_or(Tolerance::Absolute(0.0)));
        let Shown(truth, _) = query::truth(quantity, &whole, within, Between::Nothing)?;
        if series.is_empty() {
            case.known_at(case.ended + case.scrape_interval() * 2 + SETTLED, "a scrape")?;
            return Ok(cause::blame("there is no such counter", cause::of(case, &selector)));
        }
        let least = truth.least - within.of(truth.least);
        let rises = Rises::of(case, series, |rises| rises.total() >= least)?;
        let rose = rises.total();
        let expected = match (quantity, self.within) {
            (Quantity::Number(_), None) => format!("(expected: {})", Shown(truth, quantity)),
            (Quantity::Number(_), Some(within)) => {
                format!("(expected: {}, within {within})", Shown(truth, quantity))
            }
            (_, None) => "(expected: the same)".to_owned(),
            (_, Some(within)) => format!("(expected: the same, within {within})"),
        };
        let right =
            |between| Truth::of(quantity, &whole, between).is_some_and(|truth| truth.is(rose, within));
        let between = clocks::least_between(right);
        let whose = clocks::whose(between);
        let rose_by = shown(rose, quantity);
        let says = match quantity {
            Quantity::Number(_) => format!("rose by {rose_by} {expected}"),
            _ => format!("{whose} {}, rose by {rose_by} {expected}", Shown(truth, quantity)),
        };
        if let Some(fell) = rises.fell.first() {
            return Ok(Finding::fail(format!("{says}: {fell}")).with(rises.notes));
        }
        let missing = shown(truth.least - rose, quantity);
        let finding =
            clocks::finding(between, says.clone(), &missing, &whole.ledger).with(rises.notes.clone());
        if finding.verdict == Verdict::Pass {
            return Ok(finding);
        }
        if rises.moved {
            let says = format!("{says}; but it moved before the drill began: others were counted as well");
            return Err(Finding::inconclusive(says).with(rises.notes));
        }
        let lost = rises.lost(case, &whole);
        if lost > 0 && rose < truth.least {
            let says =
                format!("{says}; but what it counted of {lost} requests may be lost, since it began anew");
            return Err(Finding::inconclusive(says).with(rises.notes));
        }
        Ok(finding)
    }
}
