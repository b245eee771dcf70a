//! What Prometheus knows: its clock, targets, rules and alerts, raw samples, answers to queries.
//!
//! Moments in questions are by the drill's clock and are asked in Prometheus' own; moments in answers
//! are by Prometheus' clock, as they came.

mod alerts;
pub(super) mod api;
pub(super) mod evidence;
mod explain;
mod raw;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::interval;

use super::clock::Clock;
use super::history::AlertHistory;
use super::series::Selected;
use super::source::{Context, LOOKBACK, Missing, Now, Setup, Source};
use crate::question::Explain;
use api::{Api, MAX_IN_FLIGHT};
pub use evidence::{Answer, Comparison, Explained, Extent, Prometheus, QueryResult, Rule, Selector, Value};
use explain::Explainer;
use firedrill_contract::Time;
use firedrill_net::client::{Client, Failure};
use raw::Reader;

/// How often the clock is read: the quickest answer is the most exact one.
const CLOCK_READINGS: usize = 3;

/// A Prometheus, or what has its HTTP API.
pub(super) struct Backend {
    client: Client,
    poll_interval: Duration,
    now: Now,
    /// How its clock was as soon as it could be read.
    first_clock: Mutex<Option<Clock>>,
}

impl Source for Backend {
    type Evidence = Prometheus;

    const NAME: &'static str = "Prometheus";

    const ALERT_HISTORY: Option<fn(&Prometheus, Time) -> AlertHistory> = Some(Prometheus::alert_history);

    fn open(setup: &Setup<'_>) -> Result<Option<Self>, String> {
        Ok(setup.sources.prometheus.clone().map(|client| Self {
            client,
            poll_interval: setup.poll_interval,
            now: setup.now.clone(),
            first_clock: Mutex::default(),
        }))
    }

    async fn preflight(&self) -> Result<(), Failure> {
        self.api().version().await.map(drop)
    }

    async fn watch(&self) {
        let mut ticks = interval(self.poll_interval);
        while self.first_clock().is_none() {
            ticks.tick().await;
            let clock = self.clock().await.ok();
            *self.first_clock.lock().unwrap_or_else(PoisonError::into_inner) = clock;
        }
    }

    async fn poll(
        &self,
        context: &Context<'_>,
        known: Option<Prometheus>,
    ) -> Result<Option<Prometheus>, Missing> {
        let known_clock = known.as_ref().map(|known| known.clock).or_else(|| self.first_clock());
        let clock = match known_clock {
            Some(clock) => clock,
            None => self.clock().await?,
        };
        let (scrape_intervals, rules) = tokio::try_join!(self.api().scrape_intervals(), self.api().rules())?;
        // What was scraped or evaluated then may have come into being later.
        let from = known.as_ref().map_or(context.began, |_| context.known_until) - LOOKBACK;
        let mut prometheus = known.unwrap_or_else(|| Prometheus::none(clock));
        let up = prometheus.samples.iter_mut().find(|selected| selected.selector == UP);
        let up = match up {
            Some(up) => up,
            None => prometheus.samples.push_mut(Selected { selector: UP.to_owned(), series: Vec::new() }),
        };
        let reader = self.reader(clock);
        tokio::try_join!(
            reader.update(&mut prometheus.alerts, ALERTS, from),
            reader.update(&mut up.series, UP, from)
        )?;
        Ok(Some(Prometheus { scrape_intervals, rules, ..prometheus }))
    }

    async fn collect(&self, context: &Context<'_>) -> Result<Option<Prometheus>, Missing> {
        let clock = self.clock().await?;
        let clock = self.first_clock().map_or(clock, |first| clock.since(first));
        let (scrape_intervals, rules) = tokio::try_join!(self.api().scrape_intervals(), self.api().rules())?;
        let (reader, from) = (self.reader(clock), context.began - LOOKBACK);
        let alerts = reader.since(ALERTS, from).await?;
        let mut selectors: Vec<_> = context.questions.selectors.iter().map(String::as_str).collect();
        selectors.push(UP);
        selectors.sort_unstable();
        selectors.dedup();
        let samples = stream::iter(selectors)
            .map(async |selector| {
                let series = reader.since(selector, from).await?;
                Ok::<_, Failure>(Selected { selector: selector.to_owned(), series })
            })
            .buffered(MAX_IN_FLIGHT)
            .try_collect()
            .await?;
        let answers = stream::iter(&context.questions.queries)
            .map(async |question| {
                let result = self.api().instant(&question.query, Some(clock.there(question.at))).await?;
                Ok::<_, Failure>(Answer { query: question.query.clone(), at: question.at, result })
            })
            .buffered(MAX_IN_FLIGHT)
            .try_collect()
            .await?;
        let explained = Vec::new();
        Ok(Some(Prometheus { clock, scrape_intervals, rules, alerts, samples, answers, explained }))
    }

    async fn explain(&self, wanted: &[Explain], known: &mut Prometheus) {
        let explainer = Explainer::new(self.api(), &known.rules, known.clock);
        known.explained = explainer.all(wanted).await;
    }
}

/// The series that tell how each scrape went.
const UP: &str = "up";

/// The series that tell what state each alert has.
const ALERTS: &str = "ALERTS";

impl Backend {
    const fn api(&self) -> Api<'_> {
        Api(&self.client)
    }

    const fn reader(&self, clock: Clock) -> Reader<'_> {
        Reader { api: self.api(), clock, now: &self.now }
    }

    fn first_clock(&self) -> Option<Clock> {
        *self.first_clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its clock against the drill's.
    async fn clock(&self) -> Result<Clock, Failure> {
        let read = async || {
            let before = (self.now)();
            let there = self.api().time().await?;
            Ok::<_, Failure>(Clock::measured(there, before, (self.now)()))
        };
        let mut best = read().await?;
        for _ in 1..CLOCK_READINGS {
            let clock = read().await?;
            if clock.give_or_take_ms < best.give_or_take_ms {
                best = clock;
            }
        }
        Ok(best)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::evidence::prometheus::evidence::QueryResult;
    use crate::evidence::reply::Reply;
    use crate::evidence::source::Sources;
    use crate::question::{Instant, Questions};
    use firedrill_net::Target;
    use firedrill_net::fake::{Fake, answer};

    const RULES: &str = include_str!("../../../../tests/data/prometheus/rules.json");
    const TARGETS: &str = include_str!("../../../../tests/data/prometheus/targets.json");
    const MATRIX: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    const NOW: i64 = 1_763_844_000_000;

    /// A Prometheus that answers as a real one did, but for what the test says of a request.
    async fn fake(other: impl Fn(&str) -> Option<Option<Vec<u8>>> + Send + Sync + 'static) -> Fake {
        Fake::start(move |request| {
            if let Some(answer) = other(request) {
                return answer;
            }
            let path = request.split(' ').nth(1).unwrap().split('?').next().unwrap();
            let json = match path {
                "/api/v1/rules" => RULES.to_owned(),
                "/api/v1/targets" => TARGETS.to_owned(),
                "/api/v1/query" if request.ends_with("query=time%28%29") => {
                    let data = r#"{"resultType":"scalar","result":[1763844060.5,"1763844060.5"]}"#;
                    format!(r#"{{"status":"success","data":{data}}}"#)
                }
                "/api/v1/query" => MATRIX.to_owned(),
                path => panic!("{path}"),
            };
            Some(answer("200 OK", "application/json", json.as_bytes()))
        })
        .await
    }

    async fn collected(fake: &Fake, queries: &[&str]) -> Reply<Prometheus> {
        let client = Client::new(Target::parse(&fake.url).unwrap(), None).within(Duration::from_millis(500));
        let now: Now = Arc::new(|| Time::from_millis(NOW));
        let sources = Sources { prometheus: Some(client), ..Sources::default() };
        let query = |query: &&str| Instant { query: (*query).to_owned(), at: Time::from_millis(NOW) };
        let questions = Questions { queries: queries.iter().map(query).collect(), ..Questions::default() };
        let poll_interval = Duration::from_secs(1);
        let setup = Setup { sources: &sources, questions: &questions, poll_interval, now };
        let backend = Backend::open(&setup).unwrap().unwrap();
        let (began, now) = (Time::from_millis(NOW - 60_000), Time::from_millis(NOW));
        backend.collect(&Context { questions: &questions, began, known_until: began, now }).await.into()
    }

    #[tokio::test]
    async fn moments_are_asked_in_the_clock_of_prometheus() {
        let fake = fake(|request| {
            let vector = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"NaN"]},{"metric":{},"value":[1,"-Inf"]}]}}"#;
            request.contains("query=mine").then(|| Some(answer("200 OK", "application/json", vector.as_bytes())))
        })
        .await;
        let Reply::Received(prometheus) = collected(&fake, &["mine"]).await else { panic!() };
        assert_eq!(prometheus.clock, Clock { ahead_ms: 60_500, give_or_take_ms: 1, moved_ms: 0 });
        let QueryResult::Values(values) = &prometheus.answers[0].result else {
            panic!("{:?}", prometheus.answers)
        };
        assert!(values[0].value.is_nan() && values[0].labels["a"] == "b", "{values:?}");
        assert_eq!(values[1].value, f64::NEG_INFINITY);
        let asked = fake.asked();
        assert!(
            asked.iter().any(|request| request.ends_with("query=mine&time=1763844060.500")),
            "{asked:#?}"
        );
        // A minute of drill, five before it, a clock that is a minute ahead, and a second.
        assert!(asked.iter().any(|request| request.ends_with("query=up%5B421500ms%5D")), "{asked:#?}");
        assert!(asked.iter().any(|request| request.ends_with("query=ALERTS%5B421500ms%5D")), "{asked:#?}");
        assert_eq!(prometheus.scrape_intervals, [("app".to_owned(), 1_000)].into());
        assert_eq!(
            prometheus.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(),
            ["Busy", "workload:requests:rate10s", "requests:rate10s"]
        );
    }

    #[tokio::test]
    async fn a_query_that_is_refused_spoils_no_other() {
        let refusal = r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error"}"#;
        let fake = fake(move |request| {
            let json = |status: &str, json: &str| Some(Some(answer(status, "application/json", json.as_bytes())));
            if request.contains("query=wrong") {
                return json("400 Bad Request", refusal);
            }
            let partly = r#"{"status":"success","warnings":["store is away"],"data":{"resultType":"vector","result":[]}}"#;
            request.contains("query=partly").then(|| json("200 OK", partly)).flatten()
        })
        .await;
        let Reply::Received(prometheus) = collected(&fake, &["wrong", "partly", "ranges"]).await else {
            panic!()
        };
        let results: Vec<_> = prometheus.answers.into_iter().map(|answer| answer.result).collect();
        let refused = |why: &str| QueryResult::Refused(why.to_owned());
        let ranges = "it gives ranges of samples, not one value each";
        let partly = "only a part could be answered: store is away";
        assert_eq!(results, [refused("1:4: parse error"), refused(partly), refused(ranges)]);
    }

    #[tokio::test]
    async fn trouble_with_any_question_makes_all_of_it_missing() {
        type Answered = fn() -> Option<Vec<u8>>;
        let cases: [(&str, Answered, &str); 7] = [
            (
                "/api/v1/rules",
                || Some(answer("500 Oops", "text/plain", b"out of memory")),
                "found 500 Internal Server Error: out of memory",
            ),
            (
                "/api/v1/targets",
                || Some(answer("200 OK", "text/html", b"<html>Log in</html>")),
                "expected JSON (expected value at line 1 column 1), found 200 OK: <html>Log in</html>",
            ),
            ("query=time", || None, "no complete response within 500 ms"),
            (
                "query=up",
                || Some(answer("200 OK", "text/plain", b"{}")),
                "expected JSON (missing field `status`",
            ),
            (
                "query=ALERTS",
                || {
                    Some(answer(
                        "200 OK",
                        "text/plain",
                        br#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#,
                    ))
                },
                "expected a matrix",
            ),
            (
                "query=mine",
                || {
                    Some(answer(
                        "503 Busy",
                        "application/json",
                        br#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
                    ))
                },
                "query timed out",
            ),
            (
                "query=mine",
                || Some(answer("200 OK", "application/json", br#"{"status":"error"}"#)),
                "expected data",
            ),
        ];
        for (part, answered, expected) in cases {
            let fake = fake(move |request| request.contains(part).then(answered)).await;
            match collected(&fake, &["mine"]).await {
                Reply::Missing(why) => assert!(why.contains(expected), "{part}: {why}"),
                other => panic!("{part}: {other:?}"),
            }
        }
    }
}
