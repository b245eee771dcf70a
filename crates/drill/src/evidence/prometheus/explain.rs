//! Takes an expression apart and asks about each selector and each comparison in it alone, so that it
//! can be told why the whole gave what it gave. What a rule records is followed into the rule.

mod parts;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{Expr, VectorSelector};
use promql_parser::util::escape_string;
use tokio::sync::OnceCell;

use super::api::{Api, MAX_IN_FLIGHT, Unanswered};
use super::evidence::{Comparison, Explained, Extent, Rule, Selector};
use crate::evidence::clock::Clock;
use crate::evidence::series::Labels;
use crate::promql;
use crate::question::Explain;
use firedrill_contract::{Time, near};
use firedrill_net::client::Failure;
use parts::{ComparisonPart, Parts, SelectorPart};

/// How many rules deep a recorded metric is followed.
const MAX_DEPTH: usize = 4;

/// Expressions that are explained for one question, itself among them.
const MAX_EXPRESSIONS: usize = 32;

/// Moments at which an expression is looked at.
const MAX_POINTS: u64 = 600;

/// Series whose labels are read to say which values there are.
const MAX_SERIES: u32 = 10_000;

/// Names that are near one that does not exist.
const MAX_NEAREST: usize = 3;

/// Explains expressions by what one Prometheus has.
pub(super) struct Explainer<'a> {
    api: Api<'a>,
    rules: &'a [Rule],
    clock: Clock,
}

/// A time to look at, by Prometheus' clock, and what was learned about it.
struct Window {
    from: Time,
    to: Time,
    step_ms: u64,
    /// The names of all metrics, once one of them was missed.
    names: OnceCell<Vec<String>>,
}

/// An expression to explain, and how it was come to.
struct Step {
    explain: Explain,
    records: Option<String>,
    deep: usize,
}

impl<'a> Explainer<'a> {
    pub(super) const fn new(api: Api<'a>, rules: &'a [Rule], clock: Clock) -> Self {
        Self { api, rules, clock }
    }

    pub(super) async fn all(&self, questions: &[Explain]) -> Vec<Explained> {
        let mut explained = Vec::new();
        for question in questions {
            let followed = self.followed(question).await;
            explained.extend(followed.unwrap_or_else(|failure| {
                let unexplained = vec![failure.to_string()];
                vec![Explained { unexplained, ..unexplained_yet(question, None) }]
            }));
        }
        explained
    }

    /// An expression, and after it those of the rules that record what it selects.
    async fn followed(&self, question: &Explain) -> Result<Vec<Explained>, Failure> {
        let mut explained: Vec<Explained> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = VecDeque::from([Step { explain: question.clone(), records: None, deep: 0 }]);
        while let Some(Step { explain, records, deep }) = next.pop_front() {
            let recorded = records.is_some();
            if recorded && !seen.insert((records.clone(), explain.expression.clone())) {
                continue;
            }
            if explained.len() == MAX_EXPRESSIONS {
                let left = format!("{} more rules are behind it and were not looked at", next.len() + 1);
                explained[0].unexplained.push(left);
                break;
            }
            let one = self.explain(&explain, records).await?;
            let steps = self.behind(&one, &explain.labels, deep + 1);
            explained.push(one);
            match explained.last_mut() {
                Some(one) if deep == MAX_DEPTH && !steps.is_empty() => {
                    let left = format!(
                        "rules that record what it selects were not followed deeper than {MAX_DEPTH}"
                    );
                    one.unexplained.push(left);
                }
                _ => next.extend(steps),
            }
        }
        Ok(explained)
    }

    /// The rules that record what an expression selects.
    fn behind(&self, explained: &Explained, labels: &Labels, deep: usize) -> Vec<Step> {
        let step = |metric: &str, reach: Duration, rule: &Rule| Step {
            explain: Explain {
                expression: rule.query.clone(),
                labels: labels.clone(),
                from: explained.from - reach,
                to: explained.to,
            },
            records: Some(metric.to_owned()),
            deep,
        };
        let selectors = explained.selectors.iter().filter_map(|selector| {
            let reach = Duration::from_millis(selector.range_ms.unwrap_or_default());
            Some((selector.metric.as_deref()?, reach))
        });
        selectors
            .flat_map(|(metric, reach)| {
                let rules = self.rules.iter().filter(move |rule| !rule.alerting && rule.name == metric);
                rules.map(move |rule| step(metric, reach, rule))
            })
            .collect()
    }

    async fn explain(&self, question: &Explain, records: Option<String>) -> Result<Explained, Failure> {
        let Explain { labels, from, to, .. } = question.clone();
        let mut explained = unexplained_yet(question, records);
        let parts = match promql::parse(&explained.expression) {
            Ok(expression) => Parts::parse(&expression),
            Err(why) => {
                explained.unexplained.push(format!("it could not be parsed: {why}"));
                return Ok(explained);
            }
        };
        let reach = parts.selectors.iter().map(|part| part.reach).max().unwrap_or_default();
        let window = Window::new(self.clock.there(from) - reach, self.clock.there(to));
        let selectors = stream::iter(&parts.selectors).map(|part| self.selector(part, &window));
        for (selector, trouble) in selectors.buffered(MAX_IN_FLIGHT).try_collect::<Vec<_>>().await? {
            explained.selectors.extend(selector);
            explained.unexplained.extend(trouble);
        }
        let window = Window::new(self.clock.there(from), self.clock.there(to));
        let comparisons =
            stream::iter(&parts.comparisons).map(|part| self.comparison(part, &labels, &window));
        for (comparison, trouble) in comparisons.buffered(MAX_IN_FLIGHT).try_collect::<Vec<_>>().await? {
            explained.comparisons.push(comparison);
            explained.unexplained.extend(trouble);
        }
        Ok(explained)
    }

    /// What a selector selects; and, where that is nothing, what there is instead.
    async fn selector(
        &self,
        part: &SelectorPart,
        window: &Window,
    ) -> Result<(Option<Selector>, Vec<String>), Failure> {
        let alone = part.vector.to_string();
        let selected = match self.selected(&alone, window).await {
            Ok(selected) => selected,
            Err(unanswered) => return Ok((None, vec![refusal(&alone, unanswered)?])),
        };
        let metric = metric(&part.vector);
        let mut trouble = Vec::new();
        let (mut values, mut ruled_out, mut nearest) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        if let Some(metric) = metric.as_deref().filter(|_| selected == 0) {
            let named = format!("{{__name__=\"{}\"}}", escape_string(metric));
            match self.api.series(&named, (window.from, window.to), MAX_SERIES).await {
                Ok(series) if series.is_empty() => {
                    let names = near(metric, self.names(window).await?.iter().map(String::as_str));
                    nearest = names.into_iter().take(MAX_NEAREST).map(str::to_owned).collect();
                }
                Ok(series) => {
                    ruled_out = ruled_out_by(&part.vector.matchers.matchers, &series);
                    values = values_by_label(series);
                }
                Err(unanswered) => trouble.push(refusal(&named, unanswered)?),
            }
        }
        let range_ms = part.range.map(|range| u64::try_from(range.as_millis()).unwrap_or(u64::MAX));
        let selector = part.written.clone();
        let selector = Selector { selector, selected, range_ms, metric, values, ruled_out, nearest };
        Ok((Some(selector), trouble))
    }

    /// How many series a selector has at any moment that is looked at.
    async fn selected(&self, selector: &str, window: &Window) -> Result<u64, Unanswered> {
        // A subquery looks as an expression does: a series that has ended is gone, and one that was not
        // there at the end but before counts. The list of series that Prometheus keeps tells neither.
        let reach = window.to.since(window.from).unwrap_or_default().as_millis() + u128::from(window.step_ms);
        let query = format!("count(last_over_time(({selector})[{reach}ms:{}ms]))", window.step_ms);
        let counts = self.api.range(&query, (window.to, window.to), window.step_ms).await?;
        let count = counts.first().and_then(|series| series.samples.last()).map_or(0.0, |sample| sample.1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a count")]
        Ok(count as u64)
    }

    async fn names<'l>(&self, window: &'l Window) -> Result<&'l [String], Failure> {
        let names = window.names.get_or_try_init(|| self.api.names((window.from, window.to))).await?;
        Ok(names)
    }

    /// What both sides of a comparison were.
    async fn comparison(
        &self,
        part: &ComparisonPart,
        labels: &Labels,
        window: &Window,
    ) -> Result<(Comparison, Vec<String>), Failure> {
        let mut trouble = Vec::new();
        let mut sides = [None, None];
        for (side, was) in [&part.left, &part.right].into_iter().zip(&mut sides) {
            match self.extent(side, labels, window).await {
                Ok(extent) => *was = extent,
                Err(unanswered) => trouble.push(refusal(&side.to_string(), unanswered)?),
            }
        }
        let [left_was, right_was] = sides;
        let (left, right) = (part.left.to_string(), part.right.to_string());
        let operator = part.operator.to_string();
        let held = match self.held(part, labels, window).await {
            Ok(held) => held,
            Err(unanswered) => {
                trouble.push(refusal(&part.whole.to_string(), unanswered)?);
                None
            }
        };
        Ok((Comparison { left, operator, right, left_was, right_was, held }, trouble))
    }

    /// The share of the moments at which its left side had a value at which a comparison held.
    async fn held(
        &self,
        part: &ComparisonPart,
        labels: &Labels,
        window: &Window,
    ) -> Result<Option<f64>, Unanswered> {
        if part.is_bool || part.left.value_type() != ValueType::Vector {
            return Ok(None);
        }
        for about in [about(labels), String::new()] {
            let had = self.moments(&format!("count(({}){about})", part.left), window).await?;
            if had > 0 {
                let held = self.moments(&format!("count(({}){about})", part.whole), window).await?;
                #[expect(clippy::cast_precision_loss, reason = "some hundreds of moments")]
                return Ok(Some(held as f64 / had as f64));
            }
        }
        Ok(None)
    }

    /// At how many moments a query of one series had a value.
    async fn moments(&self, query: &str, window: &Window) -> Result<usize, Unanswered> {
        let series = self.api.range(query, (window.from, window.to), window.step_ms).await?;
        Ok(series.first().map_or(0, |series| series.samples.len()))
    }

    /// The least and the most of what an expression gave.
    async fn extent(
        &self,
        side: &Expr,
        labels: &Labels,
        window: &Window,
    ) -> Result<Option<Extent>, Unanswered> {
        if let Expr::NumberLiteral(number) = side {
            return Ok(Some(Extent { least: number.val, most: number.val }));
        }
        // Many series become two, of which each is of one line.
        let of = |about: &str| vec![format!("min(({side}){about})"), format!("max(({side}){about})")];
        match side.value_type() {
            ValueType::Vector => match self.extent_of(of(&about(labels)), window).await? {
                None if !labels.is_empty() => self.extent_of(of(""), window).await,
                extent => Ok(extent),
            },
            ValueType::Scalar | ValueType::Matrix | ValueType::String => {
                self.extent_of(vec![side.to_string()], window).await
            }
        }
    }

    /// The least and the most of what these queries gave.
    async fn extent_of(&self, queries: Vec<String>, window: &Window) -> Result<Option<Extent>, Unanswered> {
        let mut extent: Option<Extent> = None;
        for query in queries {
            let series = self.api.range(&query, (window.from, window.to), window.step_ms).await?;
            for value in series.iter().flat_map(|series| &series.samples).map(|sample| sample.1) {
                let was = extent.unwrap_or(Extent { least: value, most: value });
                // Of a number and NaN, the number is both the least and the most.
                extent = Some(Extent { least: was.least.min(value), most: was.most.max(value) });
            }
        }
        Ok(extent)
    }
}

impl Window {
    fn new(from: Time, to: Time) -> Self {
        let lasts = to.since(from).unwrap_or_default().as_millis();
        let step_ms = u64::try_from(lasts).unwrap_or(u64::MAX).div_ceil(MAX_POINTS).max(1_000);
        Self { from, to, step_ms, names: OnceCell::new() }
    }
}

fn unexplained_yet(question: &Explain, records: Option<String>) -> Explained {
    Explained {
        expression: question.expression.clone(),
        records,
        from: question.from,
        to: question.to,
        selectors: Vec::new(),
        comparisons: Vec::new(),
        unexplained: Vec::new(),
    }
}

/// What limits an expression before it to series with these labels.
fn about(labels: &Labels) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let one = labels.iter().fold("vector(1)".to_owned(), |one, (name, value)| {
        // A dollar sign stands for a group of the empty regular expression.
        let value = escape_string(&value.replace('$', "$$"));
        format!("label_replace({one}, \"{name}\", \"{value}\", \"\", \"\")")
    });
    format!(" and on ({}) {one}", labels.keys().cloned().collect::<Vec<_>>().join(", "))
}

/// A sentence about a part that could not be asked about.
fn refusal(part: &str, unanswered: Unanswered) -> Result<String, Failure> {
    Ok(format!("{part} could not be looked at: {}", unanswered.refusal()?))
}

/// The metric that a selector names.
fn metric(vector: &VectorSelector) -> Option<String> {
    let matched = || {
        let matchers = vector.matchers.matchers.iter();
        let mut equal = matchers.filter(|matcher| matcher.name == "__name__" && matcher.op == MatchOp::Equal);
        equal.next().map(|matcher| matcher.value.clone())
    };
    vector.name.clone().or_else(matched)
}

fn values_by_label(series: Vec<Labels>) -> BTreeMap<String, Vec<String>> {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (label, value) in series.into_iter().flatten().filter(|(label, _)| label != "__name__") {
        values.entry(label).or_default().insert(value);
    }
    values.into_iter().map(|(label, values)| (label, values.into_iter().collect())).collect()
}

/// The labels of which one matcher alone rules out series that all others select, with their values there.
fn ruled_out_by(matchers: &[Matcher], series: &[Labels]) -> BTreeMap<String, Vec<String>> {
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for labels in series {
        // A label that is missing is an empty one.
        let value = |name: &str| labels.get(name).map(String::as_str).unwrap_or_default();
        let mut against = matchers.iter().filter(|matcher| !matcher.is_match(value(&matcher.name)));
        if let (Some(matcher), None) = (against.next(), against.next()) {
            values.entry(matcher.name.clone()).or_default().insert(value(&matcher.name).to_owned());
        }
    }
    values.into_iter().map(|(label, values)| (label, values.into_iter().collect())).collect()
}
