//! The HTTP API of Prometheus (<https://prometheus.io/docs/prometheus/latest/querying/api/>).

#[cfg(any(test, feature = "testing"))]
pub(in crate::evidence) mod fuzz;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::evidence::{QueryResult, Rule, Value};
use crate::evidence::series::{Labels, Series};
use firedrill_contract::Time;
use firedrill_net::client::{Answer, Client, Failure, Question};
use wire::{Element, Envelope, Groups, Point, QueryData, Target, Targets};

/// Questions under way at a time.
pub(in crate::evidence) const MAX_IN_FLIGHT: usize = 4;

/// Asks one Prometheus.
#[derive(Debug, Clone, Copy)]
pub(in crate::evidence) struct Api<'a>(pub(in crate::evidence) &'a Client);

/// Why a question has no answer.
#[derive(Debug)]
pub(in crate::evidence) enum Unanswered {
    /// The query is the reason: another one may be answered.
    Refused(String),
    /// The source is the reason.
    Failed(Failure),
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Unanswered {
    /// Why the query was refused.
    ///
    /// # Errors
    /// Where the source is the reason.
    pub(in crate::evidence) fn refusal(self) -> Result<String, Failure> {
        match self {
            Self::Refused(why) => Ok(why),
            Self::Failed(failure) => Err(failure),
        }
    }
}

/// Raw samples, and how large the answer was that brought them.
pub(super) struct Raw {
    pub(super) series: Vec<Series>,
    pub(super) bytes: usize,
}

impl Api<'_> {
    /// The version that it says it is.
    pub(in crate::evidence) async fn version(self) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Build {
            version: String,
        }
        let build: Build = self.data(&Question::get("/api/v1/status/buildinfo")).await?;
        Ok(build.version)
    }

    /// Its clock.
    pub(super) async fn time(self) -> Result<Time, Failure> {
        let question = Question::form("/api/v1/query").with("query", "time()");
        moment(&self.0.ask(&question).await?)
    }

    /// The time between two scrapes of a target, by job, in milliseconds; the longest, where a job has several.
    pub(in crate::evidence) async fn scrape_intervals(self) -> Result<BTreeMap<String, u64>, Failure> {
        let answer = self.0.ask(&Question::get("/api/v1/targets").with("state", "active")).await?;
        intervals(&answer)
    }

    /// Every rule.
    pub(super) async fn rules(self) -> Result<Vec<Rule>, Failure> {
        let groups: Groups = self.data(&Question::get("/api/v1/rules")).await?;
        Ok(groups.into())
    }

    /// What an expression gives at a moment of Prometheus' clock; now, where there is none.
    pub(super) async fn instant(self, query: &str, at: Option<Time>) -> Result<QueryResult, Failure> {
        query_result(&self.0.ask(&instant(query, at)).await?)
    }

    /// The raw samples that a selector selects in a range that ends at this moment of Prometheus' clock; now, where there is none.
    pub(super) async fn raw(self, selector: &str, range: Duration, at: Option<Time>) -> Result<Raw, Failure> {
        let question = instant(&format!("{selector}[{}ms]", range.as_millis()), at);
        let answer = self.0.ask(&question).await?;
        let series = match matrix(&answer) {
            Err(Unanswered::Refused(why)) if why.contains("too many samples") => {
                Err(answer.failure(&format!("refused: {why}")).too_large())
            }
            read => sure(read, &answer),
        };
        Ok(Raw { series: series?, bytes: answer.size() })
    }

    /// That a selector selects more than is kept.
    pub(super) fn too_many(self, selector: &str, most: usize) -> Failure {
        let found = format!("more than {most} samples: select fewer series, or drill for a shorter time");
        self.0.failure(format!("raw samples of {selector}"), &found)
    }

    /// What an expression gave between two moments of Prometheus' clock, once each step.
    pub(in crate::evidence) async fn range(
        self,
        query: &str,
        (from, to): (Time, Time),
        step_ms: u64,
    ) -> Result<Vec<Series>, Unanswered> {
        let question = Question::form("/api/v1/query_range")
            .with("query", query)
            .with("start", seconds(from))
            .with("end", seconds(to))
            .with("step", format!("{step_ms}ms"));
        matrix(&self.0.ask(&question).await?)
    }

    /// The series that a selector selects, with samples at any time around these moments.
    pub(super) async fn series(
        self,
        selector: &str,
        (from, to): (Time, Time),
        at_most: u32,
    ) -> Result<Vec<Labels>, Unanswered> {
        let question = Question::form("/api/v1/series")
            .with("match[]", selector)
            .with("start", seconds(from))
            .with("end", seconds(to))
            .with("limit", at_most.to_string());
        let answer = self.0.ask(&question).await?;
        data(&answer)
    }

    /// The names of all metrics between these moments.
    pub(super) async fn names(self, (from, to): (Time, Time)) -> Result<Vec<String>, Failure> {
        let question = Question::get("/api/v1/label/__name__/values")
            .with("start", seconds(from))
            .with("end", seconds(to));
        self.data(&question).await
    }

    async fn data<T: DeserializeOwned>(self, question: &Question) -> Result<T, Failure> {
        let answer = self.0.ask(question).await?;
        sure(data(&answer), &answer)
    }
}

/// What an answer holds, or why it holds nothing.
fn data<T: DeserializeOwned>(answer: &Answer<'_>) -> Result<T, Unanswered> {
    // An error that does not come from Prometheus, such as a proxy's, need not be JSON.
    let envelope = answer.json::<Envelope<T>>();
    if !answer.status().is_success() {
        return Err(match envelope {
            Ok(Envelope { error_type, error, .. })
                if answer.status().is_client_error()
                    && matches!(error_type.as_str(), "bad_data" | "execution") =>
            {
                Unanswered::Refused(error)
            }
            _ => answer.unexpected("an answer").into(),
        });
    }
    let envelope = envelope?;
    // Annotations of the query's own language say what may be unwise in it; any other warning says
    // that a part of the answer is missing.
    if let Some(warning) = envelope.warnings.iter().find(|warning| !warning.starts_with("PromQL")) {
        return Err(Unanswered::Refused(format!("only a part could be answered: {warning}")));
    }
    match envelope.data {
        Some(data) if envelope.status == "success" => Ok(data),
        _ => Err(answer.unexpected("data").into()),
    }
}

/// For what cannot be refused with good reason.
fn sure<T>(answered: Result<T, Unanswered>, answer: &Answer<'_>) -> Result<T, Failure> {
    answered.map_err(|unanswered| match unanswered {
        Unanswered::Refused(why) => answer.failure(&format!("refused: {why}")),
        Unanswered::Failed(failure) => failure,
    })
}

/// The moment that a scalar is.
fn moment(answer: &Answer<'_>) -> Result<Time, Failure> {
    match sure(data(answer), answer)? {
        QueryData::Scalar(Point(_, seconds)) => Ok(Time::from_seconds(seconds)),
        QueryData::Vector(_) | QueryData::Matrix(_) | QueryData::String(_) => {
            Err(answer.unexpected("a scalar"))
        }
    }
}

/// By job, the longest interval of its targets, in milliseconds.
fn intervals(answer: &Answer<'_>) -> Result<BTreeMap<String, u64>, Failure> {
    let targets: Targets = sure(data(answer), answer)?;
    let mut intervals = BTreeMap::new();
    for Target { mut labels, interval } in targets.active {
        let parsed = promql_parser::util::parse_duration(&interval);
        let interval = parsed.map_err(|_| answer.unexpected("scrape intervals such as 15s"))?;
        let longest: &mut u64 = intervals.entry(labels.remove("job").unwrap_or_default()).or_default();
        *longest = (*longest).max(u64::try_from(interval.as_millis()).unwrap_or(u64::MAX));
    }
    Ok(intervals)
}

/// What a query gave, or why it gives no numbers.
fn query_result(answer: &Answer<'_>) -> Result<QueryResult, Failure> {
    match data(answer) {
        Ok(QueryData::Vector(elements)) => Ok(values(elements)),
        Ok(QueryData::Scalar(Point(_, value))) => {
            Ok(QueryResult::Values(vec![Value { labels: Labels::new(), value }]))
        }
        Ok(QueryData::Matrix(_)) => {
            Ok(QueryResult::Refused("it gives ranges of samples, not one value each".to_owned()))
        }
        Ok(QueryData::String(_)) => Ok(QueryResult::Refused("it gives a text, not a number".to_owned())),
        Err(Unanswered::Refused(why)) => Ok(QueryResult::Refused(why)),
        Err(Unanswered::Failed(failure)) => Err(failure),
    }
}

fn matrix(answer: &Answer<'_>) -> Result<Vec<Series>, Unanswered> {
    match data(answer)? {
        QueryData::Matrix(rows) => Ok(rows.into_iter().map(Series::from).collect()),
        QueryData::Vector(_) | QueryData::Scalar(_) | QueryData::String(_) => {
            Err(answer.unexpected("a matrix").into())
        }
    }
}

fn values(elements: Vec<Element>) -> QueryResult {
    let values = elements
        .into_iter()
        .map(|Element { metric, value }| value.map(|Point(_, value)| Value { labels: metric, value }));
    match values.collect() {
        Some(values) => QueryResult::Values(values),
        None => {
            let why =
                "it gives native histograms, which are no numbers: expected one such as histogram_count(...)";
            QueryResult::Refused(why.to_owned())
        }
    }
}

/// A query about one moment; now, where there is none.
fn instant(query: &str, at: Option<Time>) -> Question {
    let question = Question::form("/api/v1/query").with("query", query);
    match at {
        Some(at) => question.with("time", seconds(at)),
        None => question,
    }
}

fn seconds(time: Time) -> String {
    format!("{:.3}", time.seconds())
}
