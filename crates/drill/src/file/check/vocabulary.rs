//! The names of metrics and labels that there are, where a drill is of this project's own service.

use std::collections::BTreeSet;

use promql_parser::label::{METRIC_NAME, MatchOp};
use promql_parser::parser::{AggregateExpr, BinaryExpr, Expr, LabelModifier, VectorSelector, token};

use crate::promql::{matchers, metric};
use firedrill_contract::metric::{METRICS, Metric, MetricType};
use firedrill_contract::{nearest, suggest};

/// What Prometheus says of each scrape, for any target.
const OF_SCRAPES: [&str; 8] = [
    "up",
    "scrape_body_size_bytes",
    "scrape_duration_seconds",
    "scrape_sample_limit",
    "scrape_samples_post_metric_relabeling",
    "scrape_samples_scraped",
    "scrape_series_added",
    "scrape_timeout_seconds",
];
/// What it says of alerts, whose labels are those of any rule.
const OF_ALERTS: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];
/// The labels that a scrape adds.
const OF_TARGETS: [&str; 2] = ["instance", "job"];
/// The parts of a classic histogram.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_count", "_sum"];
/// Functions whose answers have labels that their arguments have not.
const RELABELLING: [&str; 5] = ["absent", "absent_over_time", "info", "label_join", "label_replace"];

/// Reads expressions, and notes which names in them do not exist.
pub(crate) struct Vocabulary<'a> {
    /// Whether the metrics are known.
    pub(crate) ours: bool,
    /// The job of the drill's target; metrics of any other are not known.
    pub(crate) job: Option<&'a str>,
    /// Each with the name that it is about.
    pub(crate) problems: Vec<(String, String)>,
    /// Whether any series are read.
    pub(crate) reads: bool,
}

/// The labels that an expression's answer may have; nothing where they cannot be known.
type Labels = Option<BTreeSet<String>>;

impl Vocabulary<'_> {
    /// The labels of an expression's answer; notes the names in it that do not exist.
    pub(crate) fn labels(&mut self, expression: &Expr) -> Labels {
        match expression {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(range) => self.selector(&range.vs),
            Expr::Subquery(subquery) => self.labels(&subquery.expr),
            Expr::Paren(paren) => self.labels(&paren.expr),
            Expr::Unary(unary) => self.labels(&unary.expr),
            Expr::Aggregate(aggregation) => self.aggregation(aggregation),
            Expr::Binary(operation) => self.operation(operation),
            Expr::Call(call) => {
                let labels = call.args.args.iter().map(|argument| self.labels(argument)).collect::<Vec<_>>();
                if RELABELLING.contains(&call.func.name) { None } else { union(labels) }
            }
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Some(BTreeSet::new()),
            Expr::Extension(_) => None,
        }
    }

    fn selector(&mut self, selector: &VectorSelector) -> Labels {
        self.reads = true;
        // The parser takes it from a dialect of PromQL.
        if !selector.matchers.or_matchers.is_empty() {
            let message = r#"Prometheus has no `or` between matchers: write a=~"1|2", or put `or` between two selectors"#;
            self.problems.push(("or".to_owned(), message.to_owned()));
            return None;
        }
        if !self.is_about_target(selector) {
            return None;
        }
        let name = metric(selector)?;
        if name.contains(':') || OF_ALERTS.contains(&name) {
            return None;
        }
        let Some(known) = Known::of(name) else {
            self.problems.push((name.to_owned(), unknown_metric(name)));
            return None;
        };
        let labels: BTreeSet<_> = known.labels().map(str::to_owned).collect();
        for matcher in matchers(selector).filter(|matcher| matcher.name != METRIC_NAME) {
            self.exists(&matcher.name, Some(&labels), &format!("`{name}` has"));
        }
        Some(labels)
    }

    /// The metric that is selected, where it is one of those that are known.
    pub(crate) fn known(&self, selector: &VectorSelector) -> Option<Known> {
        if self.is_about_target(selector) { metric(selector).and_then(Known::of) } else { None }
    }

    fn is_about_target(&self, selector: &VectorSelector) -> bool {
        let of_another = matchers(selector).any(|matcher| {
            let is = matches!(matcher.op, MatchOp::Equal | MatchOp::Re(_));
            matcher.name == "job" && is && Some(matcher.value.as_str()) != self.job
        });
        self.ours && !of_another
    }

    fn aggregation(&mut self, aggregation: &AggregateExpr) -> Labels {
        if let Some(parameter) = &aggregation.param {
            self.labels(parameter);
        }
        let inner = self.labels(&aggregation.expr);
        match &aggregation.modifier {
            // It has a label of its own.
            _ if aggregation.op.id() == token::T_COUNT_VALUES => None,
            None => Some(BTreeSet::new()),
            Some(LabelModifier::Include(by)) => {
                by.labels
                    .iter()
                    .for_each(|label| self.exists(label, inner.as_ref(), "the grouped series have"));
                Some(by.labels.iter().cloned().collect())
            }
            Some(LabelModifier::Exclude(without)) => {
                without
                    .labels
                    .iter()
                    .for_each(|label| self.exists(label, inner.as_ref(), "the grouped series have"));
                inner.map(|inner| inner.into_iter().filter(|label| !without.labels.contains(label)).collect())
            }
        }
    }

    fn operation(&mut self, operation: &BinaryExpr) -> Labels {
        let sides = vec![self.labels(&operation.lhs), self.labels(&operation.rhs)];
        let labels = union(sides);
        let modifier = operation.modifier.iter();
        let matching =
            modifier.clone().filter_map(|modifier| modifier.matching.as_ref()).map(LabelModifier::labels);
        let grouped = modifier.filter_map(|modifier| modifier.card.labels());
        for label in matching.chain(grouped).flat_map(|labels| &labels.labels) {
            self.exists(label, labels.as_ref(), "the two sides have");
        }
        labels
    }

    fn exists(&mut self, label: &str, labels: Option<&BTreeSet<String>>, series: &str) {
        let Some(labels) = labels.filter(|labels| !labels.contains(label)) else { return };
        let suggestion = match labels.is_empty() {
            true => "remove it".to_owned(),
            false => suggest(label, labels.iter().map(String::as_str)),
        };
        self.problems.push((label.to_owned(), format!("{series} no label `{label}`: {suggestion}")));
    }
}

fn union(all: Vec<Labels>) -> Labels {
    all.into_iter().try_fold(BTreeSet::new(), |mut sum, labels| {
        sum.extend(labels?);
        Some(sum)
    })
}

fn unknown_metric(name: &str) -> String {
    let parts = |metric: &Metric| match metric.kind {
        MetricType::Histogram => OF_HISTOGRAMS.map(|part| format!("{}{part}", metric.name)).to_vec(),
        MetricType::Counter | MetricType::Gauge => Vec::new(),
    };
    let all: Vec<String> = METRICS
        .iter()
        .flat_map(|metric| [vec![metric.name.to_owned()], parts(metric)].concat())
        .chain(OF_SCRAPES.into_iter().chain(OF_ALERTS).map(str::to_owned))
        .collect();
    let near = nearest(name, all.iter().map(String::as_str));
    let suggestion = near.map_or_else(String::new, |near| format!("did you mean `{near}`? If not, "));
    format!("unknown metric `{name}`: {suggestion}add a matcher for the job that has it")
}

/// A metric that is known, or a part of one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    /// One of the service's, and which part of a histogram it is.
    Ours(&'static Metric, &'static str),
    /// One that Prometheus has of any target.
    OfScrapes(&'static str),
}

impl Known {
    fn of(name: &str) -> Option<Self> {
        let part_of = |metric: &'static Metric| match (name.strip_prefix(metric.name)?, metric.kind) {
            ("", _) => Some(Self::Ours(metric, "")),
            (suffix, MetricType::Histogram) => {
                OF_HISTOGRAMS.into_iter().find(|part| *part == suffix).map(|part| Self::Ours(metric, part))
            }
            _ => None,
        };
        let of_scrapes = || OF_SCRAPES.into_iter().find(|known| *known == name).map(Self::OfScrapes);
        METRICS.iter().find_map(part_of).or_else(of_scrapes)
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Ours(metric, part) => format!("{}{part}", metric.name),
            Self::OfScrapes(name) => name.to_owned(),
        }
    }

    /// Every label that it may have.
    pub(crate) fn labels(self) -> impl Iterator<Item = &'static str> {
        let (own, le): (&[_], _) = match self {
            Self::Ours(metric, part) => (metric.labels, (part == "_bucket").then_some("le")),
            Self::OfScrapes(_) => (&[], None),
        };
        own.iter().copied().chain(OF_TARGETS).chain(le)
    }

    /// Whether it counts what happened; otherwise what it is instead.
    pub(crate) fn counts(self) -> Result<(), MetricType> {
        match self {
            Self::Ours(Metric { kind: MetricType::Counter, .. }, _) | Self::Ours(_, "_count") => Ok(()),
            Self::Ours(Metric { kind, .. }, _) => Err(*kind),
            Self::OfScrapes(_) => Err(MetricType::Gauge),
        }
    }

    /// Whether it is the cumulative buckets of a histogram.
    pub(crate) fn is_of_buckets(self) -> bool {
        matches!(self, Self::Ours(_, "_bucket"))
    }

    /// Whether it is a histogram as a whole.
    pub(crate) fn is_family_of_histogram(self) -> bool {
        matches!(self, Self::Ours(Metric { kind: MetricType::Histogram, .. }, ""))
    }
}
