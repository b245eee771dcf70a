//! A quantile of the latency is what clients saw, as far as the buckets can tell.

use super::kind::Kind;
use super::query::enough;
use crate::evidence::{Reply, Sample, Series, Value};
use crate::file::check::context::FileContext;
use crate::file::check::quantity::tolerance;
use crate::file::place::Place;
use crate::file::value::{Quantity, Tolerance};
use crate::judge::case::{Case, SETTLED};
use crate::judge::cause;
use crate::judge::clocks::{self, Between};
use crate::judge::truth::Truth;
use crate::judge::verdict::Finding;
use crate::phase_ledger::PhaseLedger;
use crate::promql;
use crate::question::{Explain, Instant, Questions};
use firedrill_contract::display;
use firedrill_contract::metric::REQUEST_DURATION;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A quantile of the latency is what clients saw, as far as the buckets can tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// Which one, such as 0.99.
    pub quantile: f64,
    /// The phase that it is about; the whole drill where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub during: Option<String>,
    /// By how much it may be off.
    pub within: Tolerance,
    /// The histogram, as a selector without `_bucket`; that of the semantic conventions where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
}

impl Kind for Quantile {
    fn check(&self, context: &FileContext<'_>, place: &mut Place<'_>) {
        let during = self.during.as_deref();
        if !(self.quantile > 0.0 && self.quantile < 1.0) {
            place.at("quantile").refuse(format!(
                "`{}` is not a quantile: use a number between 0 and 1, such as 0.99",
                self.quantile
            ));
        }
        context.phase_of(during, place);
        context.is_defined(Quantity::Quantile(self.quantile), during, place);
        tolerance(self.within, &[Quantity::Quantile(self.quantile)], &mut place.at("within"));
        check_histogram(self.series.as_deref(), context, place);
    }

    fn ask(&self, case: &Case<'_>, questions: &mut Questions) {
        let Ok(phase) = case.phase(self.during.as_deref()) else { return };
        let Ok(Queries { native, classic, buckets, raw }) = Queries::of(case, self, &phase) else { return };
        let at = phase.ended;
        questions.queries.extend([native, classic, buckets].map(|query| Instant { query, at }));
        questions.selectors.push(raw);
    }

    fn judge(&self, case: &Case<'_>) -> Vec<Finding> {
        let phase = self.during.as_ref().map(|phase| format!(" in {phase}")).unwrap_or_default();
        let about = format!("{}{phase}", Quantity::Quantile(self.quantile));
        vec![self.finding(case).unwrap_or_else(|finding| finding).about(about)]
    }

    fn explain(&self, case: &Case<'_>) -> Vec<Explain> {
        let Ok(phase) = case.phase(self.during.as_deref()) else { return Vec::new() };
        let queries = Queries::of(case, self, &phase);
        let (from, to) = (phase.began, phase.ended);
        let explain = |queries: Queries| Explain { expression: queries.classic, labels: [].into(), from, to };
        queries.into_iter().map(explain).collect()
    }
}

/// The series of a quantile are a histogram.
fn check_histogram(series: Option<&str>, context: &FileContext<'_>, place: &mut Place<'_>) {
    let Some(selector) = context.selector(series, place) else { return };
    let Some(name) = promql::metric(&selector) else {
        return place.at("series").refuse("the selector names no metric: name a histogram, without _bucket");
    };
    if let Some(family) = name.strip_suffix("_bucket") {
        return place.at("series").refuse(format!("drop _bucket: name the histogram, {family}"));
    }
    if context.known(&selector).is_some_and(|known| !known.is_family_of_histogram()) {
        place
            .at("series")
            .refuse(format!("`{name}` is not a histogram: use one such as {}", REQUEST_DURATION));
    }
}

impl Quantile {
    fn finding(&self, case: &Case<'_>) -> Result<Finding, Finding> {
        let phase = case.phase(self.during.as_deref())?;
        let of = Quantity::Quantile(self.quantile);
        let answered = phase.ledger.latency().count();
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        if answered as f64 * (1.0 - self.quantile) < 1.0 {
            return Err(Finding::inconclusive(format!("{answered} answers are too few for {of}")));
        }
        clocks::spoiled_by_lag(of, &phase, self.within)?;
        case.known_at(phase.ended + SETTLED + SETTLED, "the last scrape of the phase")?;
        enough(case, &phase)?;
        if let Some(gap) = case.gap(phase.began, phase.ended)? {
            return Err(Finding::inconclusive(gap));
        }
        let truth = |between| Truth::of(of, &phase, between);
        let Some(client) = truth(Between::Nothing) else {
            return Err(Finding::inconclusive("no request of the phase was answered"));
        };
        let seen = self.seen(case, &phase)?;
        if seen.native.is_none() && seen.classic.is_none() {
            let classic = Queries::of(case, self, &phase)?.classic;
            return Ok(
                cause::blame("Prometheus has no such histogram", cause::of(case, &classic)).with([classic])
            );
        }
        let right = |between| truth(between).is_some_and(|truth| seen.is_right(truth, self.within));
        let between = clocks::least_between(right);
        let whose = clocks::whose(between);
        let mut says = format!("{whose} {}", display::seconds(client.least));
        if let Some(number) = seen.native {
            says += &format!(", native {}", display::seconds(number));
        }
        if let Some(number) = seen.classic {
            says += &format!(", classic {}", display::seconds(number));
        }
        if let Some((lower, upper)) = seen.bucket(client.least) {
            says += &format!(
                " (bucket edges alone explain {} to {})",
                display::seconds(lower),
                display::seconds(upper)
            );
        }
        says += &format!(", expected: within {}", self.within);
        let number = seen.native.or(seen.classic).unwrap_or(client.least);
        Ok(clocks::finding(between, says, &display::seconds(client.least - number), &phase.ledger))
    }

    fn seen(&self, case: &Case<'_>, phase: &PhaseLedger) -> Result<Seen, Finding> {
        let queries = Queries::of(case, self, phase)?;
        if matches!(case.evidence.prometheus, Reply::NotAsked) {
            let buckets = increases(case.samples(&queries.raw)?, phase);
            let classic = histogram_quantile(self.quantile, &buckets);
            return Ok(Seen {
                native: None,
                classic,
                edges: buckets.into_iter().map(|(edge, _)| edge).collect(),
            });
        }
        let one = |query: &str| {
            let values = case.answer(query, phase.ended)?;
            Ok::<_, Finding>(values.first().map(|one| one.value).filter(|number| !number.is_nan()))
        };
        let edge = |value: &Value| number(value.labels.get("le")?);
        let mut edges: Vec<_> = case.answer(&queries.buckets, phase.ended)?.iter().filter_map(edge).collect();
        edges.sort_by(f64::total_cmp);
        Ok(Seen { native: one(&queries.native)?, classic: one(&queries.classic)?, edges })
    }
}

/// What is asked about a histogram: in its native form, in its classic one, and for its buckets.
struct Queries {
    native: String,
    classic: String,
    buckets: String,
    /// The selector of the raw buckets.
    raw: String,
}

impl Queries {
    fn of(case: &Case<'_>, quantile: &Quantile, phase: &PhaseLedger) -> Result<Self, Finding> {
        let selector = case.series_of_requests(quantile.series.as_ref(), REQUEST_DURATION)?;
        let (metric, matchers) =
            selector.find('{').map_or((&*selector, ""), |brace| selector.split_at(brace));
        let raw = format!("{metric}_bucket{matchers}");
        let q = quantile.quantile;
        let expand = |query: String| case.variables(phase).expand(&query);
        Ok(Self {
            native: expand(format!("histogram_quantile({q}, sum(rate({selector}[$phase])))")),
            classic: expand(format!("histogram_quantile({q}, sum by (le) (rate({raw}[$phase])))")),
            buckets: expand(format!("sum by (le) (increase({raw}[$phase]))")),
            raw,
        })
    }
}

/// What monitoring makes of the histogram.
struct Seen {
    native: Option<f64>,
    classic: Option<f64>,
    /// The upper edges of the classic buckets, ascending.
    edges: Vec<f64>,
}

impl Seen {
    /// Whether both are what the latency was, or the edges of buckets are to blame.
    fn is_right(&self, truth: Truth, within: Tolerance) -> bool {
        self.native.is_none_or(|native| truth.is(native, within))
            && self
                .classic
                .is_none_or(|classic| truth.is(classic, within) || self.buckets_explain(truth, classic))
    }

    /// The bucket that a value falls into: above the first edge, up to the second.
    fn bucket(&self, value: f64) -> Option<(f64, f64)> {
        let upper = self.edges.iter().position(|edge| value <= *edge)?;
        let lower = upper.checked_sub(1).map_or(0.0, |lower| self.edges[lower]);
        Some((lower, self.edges[upper]))
    }

    /// Whether what was seen is in the same bucket as the truth, or in one of those that it may be in: then only the
    /// edges are to blame. Of the last bucket, which has no end, `histogram_quantile` says its lower edge.
    fn buckets_explain(&self, truth: Truth, seen: f64) -> bool {
        let (Some((lower, _)), Some((last, upper))) = (self.bucket(truth.least), self.bucket(truth.most))
        else {
            return false;
        };
        seen >= lower && seen <= if upper.is_infinite() { last } else { upper }
    }
}

/// The edge of a bucket, as `le` has it.
fn number(le: &String) -> Option<f64> {
    if le == "+Inf" { Some(f64::INFINITY) } else { le.parse().ok() }
}

/// By how much each bucket grew between the first and the last scrape of a phase, by its upper edge, ascending.
fn increases(series: &[Series], phase: &PhaseLedger) -> Vec<(f64, f64)> {
    let mut buckets: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for series in series {
        let Some(edge) = series.labels.get("le").and_then(number) else { continue };
        let within = |sample: &&Sample| sample.0 >= phase.began && sample.0 <= phase.ended;
        let mut samples = series.samples.iter().filter(within);
        let (Some(first), last) = (samples.next(), samples.next_back()) else { continue };
        let grown = last.map_or(0.0, |last| (last.1 - first.1).max(0.0));
        // Edges are positive, so that their bits are in the order of their values.
        buckets.entry(edge.to_bits()).or_insert((edge, 0.0)).1 += grown;
    }
    buckets.into_values().collect()
}

/// What Prometheus's `histogram_quantile` gives for cumulative buckets by upper edge, ascending:
/// linear interpolation within the bucket, its lower edge where it has no end.
/// <https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile>
fn histogram_quantile(q: f64, buckets: &[(f64, f64)]) -> Option<f64> {
    let total = buckets.last().filter(|(edge, _)| edge.is_infinite())?.1;
    if total <= 0.0 {
        return None;
    }
    let rank = q * total;
    let upper = buckets.iter().position(|(_, count)| *count >= rank)?;
    let (lower, below) = upper.checked_sub(1).map_or((0.0, 0.0), |lower| buckets[lower]);
    let (edge, count) = buckets[upper];
    if edge.is_infinite() || count <= below {
        return Some(lower);
    }
    Some(lower + (edge - lower) * (rank - below) / (count - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_interpolated_as_prometheus_does() {
        let buckets = [(0.1, 50.0), (0.25, 90.0), (f64::INFINITY, 100.0)];
        assert_eq!(histogram_quantile(0.5, &buckets), Some(0.1));
        assert_eq!(histogram_quantile(0.7, &buckets).map(|q| (q * 1000.0).round()), Some(175.0));
        assert_eq!(histogram_quantile(0.99, &buckets), Some(0.25));
        assert_eq!(histogram_quantile(0.5, &[(0.1, 5.0)]), None);
        assert_eq!(histogram_quantile(0.5, &[(0.1, 0.0), (f64::INFINITY, 0.0)]), None);
    }

    #[test]
    fn a_bucket_explains_what_is_in_it_and_no_more() {
        let seen = Seen { native: None, classic: None, edges: vec![0.1, 0.25, f64::INFINITY] };
        let explains = |truth, number| seen.buckets_explain(Truth { least: truth, most: truth }, number);
        assert!(explains(0.118, 0.142));
        assert!(!explains(0.118, 0.09));
        assert!(!explains(0.118, 0.26));
        assert!(explains(0.9, 0.25));
        assert!(!explains(0.9, 0.3));
    }
}
