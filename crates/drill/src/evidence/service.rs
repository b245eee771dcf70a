//! The drill's own scrapes of what a service exposes, for where no Prometheus is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use promql_parser::label::Matcher;
use promql_parser::parser::Expr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exposition::{self, Exposed as Sampled};
use super::series::{Labels, Sample, Selected, Series};
use super::source::{Context, Missing, Now, Setup, Source};
use super::watched::{Watched, ticks};
use crate::promql;
use firedrill_contract::Time;
use firedrill_net::client::{Client, Failure, Question};

/// What the service itself exposed, scraped by the drill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exposed {
    /// The time between two scrapes, in milliseconds.
    pub interval_ms: u64,
    /// When each scrape was begun, and what it failed with.
    pub scrapes: Vec<Scrape>,
    /// Raw samples, by selector.
    pub samples: Vec<Selected>,
    /// The names of all metrics of the last scrape.
    pub metrics: Vec<String>,
}

/// One scrape by the drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scrape {
    /// When it was begun.
    pub at: Time,
    /// What it failed with.
    pub error: Option<String>,
}

/// The format that is asked for, which is the one that is read.
const FORMAT: &str = "text/plain;version=0.0.4";

/// How many series are kept, and how many samples of them all. A service that exposes new ones at each scrape
/// would otherwise fill the memory.
const MOST_SERIES: usize = 100_000;
const MOST_SAMPLES: usize = 10_000_000;

/// A service with `/metrics`.
pub(super) struct Backend {
    client: Client,
    poll_interval: Duration,
    now: Now,
    /// Whether nobody else scrapes it: where there is a Prometheus, what the service exposes only helps to explain.
    alone: bool,
    scraped: Watched<Scraped>,
}

impl Source for Backend {
    type Evidence = Exposed;

    const NAME: &'static str = "the service";

    fn open(setup: &Setup<'_>) -> Result<Option<Self>, String> {
        let Some(client) = setup.sources.service.clone() else { return Ok(None) };
        Ok(Some(Self {
            client,
            poll_interval: setup.poll_interval,
            now: setup.now.clone(),
            alone: setup.sources.prometheus.is_none(),
            scraped: Watched::new(Scraped::new(setup.poll_interval, &setup.questions.selectors)?),
        }))
    }

    async fn preflight(&self) -> Result<(), Failure> {
        if self.alone { scrape(&self.client, |_| ()).await } else { Ok(()) }
    }

    async fn watch(&self) {
        if !self.alone {
            return;
        }
        let mut ticks = ticks(self.poll_interval);
        loop {
            ticks.tick().await;
            self.scrape().await;
        }
    }

    async fn poll(&self, _context: &Context<'_>, known: Option<Exposed>) -> Result<Option<Exposed>, Missing> {
        if self.alone { Ok(Some(self.scraped.written().await.exposed())) } else { Ok(known) }
    }

    async fn collect(&self, _context: &Context<'_>) -> Result<Option<Exposed>, Missing> {
        if !self.alone {
            self.scrape().await;
        }
        Ok(Some(self.scraped.written().await.exposed()))
    }
}

impl Backend {
    async fn scrape(&self) {
        let at = (self.now)();
        let taken = scrape(&self.client, |samples| self.scraped.lock().keep(at, samples)).await;
        self.scraped.lock().note(at, taken.err().map(|failure| failure.to_string()));
        self.scraped.set_written();
    }
}

/// What was scraped so far: of each selector the series that it selects, and nothing else.
#[derive(Debug)]
pub(super) struct Scraped {
    interval_ms: u64,
    scrapes: Vec<Scrape>,
    selected: Vec<Selection>,
    metrics: BTreeSet<String>,
    /// How many of each are kept.
    series: usize,
    samples: usize,
}

/// A selector and what it selected.
#[derive(Debug)]
struct Selection {
    selector: String,
    matchers: Vec<Matcher>,
    series: BTreeMap<Labels, Vec<Sample>>,
}

/// Asks the service for what it exposes, and hands that on.
///
/// # Errors
/// When there is no answer, or one that is not in the format.
async fn scrape(client: &Client, take: impl FnOnce(&[Sampled<'_>]) + Send) -> Result<(), Failure> {
    let answer = client.fetch(&Question::get("/metrics").accepting(FORMAT)).await?;
    let kind = answer.content_type().unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("text/plain") {
        return Err(answer.failure(&format!("expected the media type {FORMAT}, found {kind:?}")));
    }
    let samples = exposition::parse(answer.text()?).map_err(|wrong| answer.failure(&wrong.to_string()))?;
    take(&samples);
    Ok(())
}

impl Scraped {
    /// Nothing yet, of these selectors.
    ///
    /// # Errors
    /// When one is no selector of series.
    pub(super) fn new(interval: Duration, selectors: &[String]) -> Result<Self, String> {
        let distinct: BTreeSet<_> = selectors.iter().collect();
        let selected: Result<_, _> = distinct.into_iter().map(|selector| Selection::new(selector)).collect();
        Ok(Self {
            interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
            scrapes: Vec::new(),
            selected: selected?,
            metrics: BTreeSet::new(),
            series: 0,
            samples: 0,
        })
    }

    /// Takes down that a scrape was begun then, and what it failed with.
    pub(super) fn note(&mut self, at: Time, error: Option<String>) {
        let full = || {
            format!(
                "it has exposed more than {MOST_SERIES} series or {MOST_SAMPLES} samples, and no more are kept"
            )
        };
        let error = error.or_else(|| self.is_full().then(full));
        self.scrapes.push(Scrape { at, error });
    }

    const fn is_full(&self) -> bool {
        self.series >= MOST_SERIES || self.samples >= MOST_SAMPLES
    }

    /// Keeps what is selected of what a scrape that was begun then brought.
    pub(super) fn keep(&mut self, at: Time, samples: &[Sampled<'_>]) {
        self.metrics = samples.iter().map(|sample| sample.name.to_owned()).collect();
        for sample in samples {
            if self.is_full() {
                return;
            }
            let at = sample.at.map_or(at, Time::from_millis);
            for watched in self.selected.iter_mut().filter(|watched| watched.selects(sample)) {
                let series = watched.series.entry(labels(sample)).or_default();
                self.series += usize::from(series.is_empty());
                self.samples += 1;
                series.push(Sample(at, sample.value));
            }
        }
    }

    pub(super) fn exposed(&self) -> Exposed {
        let selected = |selection: &Selection| {
            let series = selection.series.iter();
            let series =
                series.map(|(labels, samples)| Series { labels: labels.clone(), samples: samples.clone() });
            Selected { selector: selection.selector.clone(), series: series.collect() }
        };
        Exposed {
            interval_ms: self.interval_ms,
            scrapes: self.scrapes.clone(),
            samples: self.selected.iter().map(selected).collect(),
            metrics: self.metrics.iter().cloned().collect(),
        }
    }
}

impl Selection {
    fn new(selector: &str) -> Result<Self, String> {
        let parsed = promql::parse(selector).map_err(|why| format!("{selector}: {why}"))?;
        let Expr::VectorSelector(vector) = parsed else {
            return Err(format!("{selector}: expected a selector of series such as up{{job=\"app\"}}"));
        };
        if vector.offset.is_some() || vector.at.is_some() || !vector.matchers.or_matchers.is_empty() {
            return Err(format!("{selector}: expected a selector without offset, @ and or"));
        }
        let name =
            vector.name.map(|name| Matcher::new(promql_parser::label::MatchOp::Equal, "__name__", &name));
        let matchers = name.into_iter().chain(vector.matchers.matchers).collect();
        Ok(Self { selector: selector.to_owned(), matchers, series: BTreeMap::new() })
    }

    /// Whether it selects the series of this sample: a label that is not there matches as an empty one.
    fn selects(&self, sample: &Sampled<'_>) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = match matcher.name.as_str() {
                "__name__" => sample.name,
                name => sample.labels.iter().find(|(label, _)| *label == name).map_or("", |(_, value)| value),
            };
            matcher.is_match(value)
        })
    }
}

fn labels(sample: &Sampled<'_>) -> Labels {
    let name = ("__name__".to_owned(), sample.name.to_owned());
    let labels = sample.labels.iter().filter(|(_, value)| !value.is_empty());
    labels.map(|(name, value)| ((*name).to_owned(), value.clone().into_owned())).chain([name]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scraped(selectors: &[&str], texts: &[Result<&str, &str>]) -> Exposed {
        let selectors: Vec<_> = selectors.iter().map(|&selector| selector.to_owned()).collect();
        let mut scraped = Scraped::new(Duration::from_secs(1), &selectors).unwrap();
        for (text, second) in texts.iter().zip(1..) {
            let at = Time::from_millis(second * 1_000);
            if let Ok(text) = text {
                scraped.keep(at, &exposition::parse(text).unwrap());
            }
            scraped.note(at, text.err().map(str::to_owned));
        }
        scraped.exposed()
    }

    /// Each series that is selected from this text, by its labels without the name.
    fn selected(selector: &str, text: &str) -> Vec<String> {
        let exposed = scraped(&[selector], &[Ok(text)]);
        let labels = exposed.samples[0].series.iter().map(|series| {
            let labels: Vec<_> = series.labels.iter().filter(|(name, _)| *name != "__name__").collect();
            format!("{labels:?}")
        });
        labels.collect()
    }

    #[test]
    fn a_selector_selects_as_in_prometheus() {
        let text = "a{b=\"1\"} 1\na{b=\"12\"} 1\na{b=\"\",c=\"x\"} 1\na 1\nab{b=\"1\"} 1\n";
        for (selector, count) in [
            ("a", 4),
            ("a{b=\"1\"}", 1),
            ("a{b!=\"1\"}", 3),
            ("a{b=~\"1\"}", 1),
            ("a{b=~\"1.*\"}", 2),
            ("a{b=~\"1|12\"}", 2),
            ("a{b!~\"1.*\"}", 2),
            ("a{b=\"\"}", 2),
            ("a{c=\"x\",b=\"\"}", 1),
            ("{__name__=~\"a.*\",b=\"1\"}", 2),
            ("b", 0),
        ] {
            assert_eq!(selected(selector, text).len(), count, "{selector}: {:?}", selected(selector, text));
        }
        assert_eq!(selected("a{c=\"x\"}", text), ["[(\"c\", \"x\")]"], "an empty label is none");
    }

    #[test]
    fn each_scrape_has_its_time_and_a_bad_one_its_reason() {
        let exposed = scraped(&["a"], &[Ok("a 1\n"), Err("refused"), Ok("a 2\nc 1\n")]);
        let errors: Vec<_> = exposed.scrapes.iter().map(|scrape| scrape.error.as_deref()).collect();
        assert_eq!(errors, [None, Some("refused"), None]);
        let at = |second: i64, value| Sample(Time::from_millis(second * 1_000), value);
        assert_eq!(exposed.samples[0].series[0].samples, [at(1, 1.0), at(3, 2.0)]);
        assert_eq!(exposed.metrics, ["a", "c"]);
        assert_eq!(exposed.interval_ms, 1_000);
    }

    #[test]
    fn a_service_that_exposes_without_end_is_kept_up_to_a_bound_and_told() {
        let text =
            |from: usize| (from..from + 60_000).map(|n| format!("a{{b=\"{n}\"}} 1\n")).collect::<String>();
        let exposed = scraped(&["a"], &[Ok(&text(0)), Ok(&text(60_000)), Ok(&text(120_000))]);
        assert_eq!(exposed.samples[0].series.len(), MOST_SERIES);
        let errors: Vec<_> = exposed.scrapes.iter().map(|scrape| scrape.error.as_deref()).collect();
        let full = Some("it has exposed more than 100000 series or 10000000 samples, and no more are kept");
        assert_eq!(errors, [None, full, full]);
    }

    #[test]
    fn the_time_of_a_sample_is_what_the_service_says_where_it_does() {
        let exposed = scraped(&["a"], &[Ok("a 1 500\n")]);
        assert_eq!(exposed.samples[0].series[0].samples, [Sample(Time::from_millis(500), 1.0)]);
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for selector in ["rate(a[1m])", "a[1m]", "a offset 1m", "a @ 5", "a{"] {
            assert!(Scraped::new(Duration::from_secs(1), &[selector.to_owned()]).is_err(), "{selector}");
        }
    }
}
