//! Whether each query of each panel of a dashboard has data.
//!
//! Dashboards come from files and are then asked of Prometheus, or from Grafana and are then asked
//! through Grafana, so that its data sources are part of what is tried.

mod dashboard;
#[cfg(any(test, feature = "testing"))]
pub(super) mod fuzz;
mod variables;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use promql_parser::parser::value::ValueType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::prometheus::api::{Api, MAX_IN_FLIGHT, Unanswered};
use super::source::{Context, Missing, Setup, Source, Sources};
use crate::promql;
use crate::question::Dashboards;
use dashboard::{Dashboard, Target};
use firedrill_contract::Time;
use firedrill_net::client::{Answer, Client, Failure, Question};
use variables::Variables;

/// The word for all dashboards that Grafana has.
const GRAFANA: &str = "grafana";

/// Moments at which a panel is looked at.
const MOMENTS: u64 = 600;

/// The time between two scrapes that Grafana assumes where nothing says it.
const ASSUMED_INTERVAL_MS: u64 = 15_000;

/// A query of a dashboard's panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Which expectation asked.
    pub expectation: usize,
    /// The dashboard's title.
    pub dashboard: String,
    /// The panel's title.
    pub panel: String,
    /// The query's letter in the panel.
    pub query: String,
    /// Its expression, the variables replaced.
    pub expression: String,
    /// How many series it gave over the drill; or what it was refused with.
    pub series: Result<u64, String>,
}

/// Prometheus, Grafana, or both.
pub(super) struct Backend {
    prometheus: Option<Client>,
    grafana: Option<Client>,
}

impl Source for Backend {
    type Evidence = Vec<Panel>;

    const NAME: &'static str = "Grafana";

    fn open(setup: &Setup<'_>) -> Result<Option<Self>, String> {
        let Sources { prometheus, grafana, .. } = setup.sources.clone();
        Ok(Some(Self { prometheus, grafana }))
    }

    async fn preflight(&self) -> Result<(), Failure> {
        let Some(grafana) = &self.grafana else { return Ok(()) };
        grafana.fetch(&Question::get("/api/health")).await?.json::<Health>().map(drop)
    }

    async fn collect(&self, context: &Context<'_>) -> Result<Option<Vec<Panel>>, Missing> {
        let (prometheus, grafana) = (self.prometheus.as_ref(), self.grafana.as_ref());
        let ask = Ask { prometheus, grafana, from: context.began, to: context.now };
        let wanted = &context.questions.panels;
        if wanted.is_empty() {
            return Ok(None);
        }
        let mut panels = Vec::new();
        for wanted in wanted {
            panels.extend(ask.all(wanted).await?);
        }
        Ok(Some(panels))
    }
}

/// Whom to ask, and about which time.
#[derive(Debug, Clone, Copy)]
struct Ask<'a> {
    prometheus: Option<&'a Client>,
    grafana: Option<&'a Client>,
    from: Time,
    to: Time,
}

/// A query of a panel with its variables replaced, or why they could not be.
struct Asked {
    panel: Panel,
    target: Target,
}

const NO_GRAFANA: &str = "dashboards in Grafana cannot be queried without it: give its address by --grafana";

const NO_PROMETHEUS: &str =
    "dashboards in files cannot be queried without Prometheus: give its address by --prometheus";

impl Ask<'_> {
    async fn all(self, wanted: &Dashboards) -> Result<Vec<Panel>, Missing> {
        let mut panels = Vec::new();
        for from in &wanted.from {
            panels.extend(if from == GRAFANA {
                let client = self.grafana.ok_or_else(|| NO_GRAFANA.to_owned())?;
                self.through_grafana(client, wanted, in_grafana(client).await?).await?
            } else {
                let client = self.prometheus.ok_or_else(|| NO_PROMETHEUS.to_owned())?;
                self.of_prometheus(client, wanted, dashboard::files(from)?).await?
            });
        }
        Ok(panels)
    }

    fn step_ms(self) -> u64 {
        let lasts = self.to.since(self.from).unwrap_or_default().as_millis();
        u64::try_from(lasts).unwrap_or(u64::MAX).div_ceil(MOMENTS).max(1_000)
    }

    async fn of_prometheus(
        self,
        client: &Client,
        wanted: &Dashboards,
        dashboards: Vec<Dashboard>,
    ) -> Result<Vec<Panel>, Failure> {
        let api = Api(client);
        let built_in = self.built_in(&api.scrape_intervals().await?, wanted);
        let asked = dashboards.into_iter().flat_map(|dashboard| asked(dashboard, wanted, &built_in));
        stream::iter(asked.collect::<Vec<_>>())
            .map(async |Asked { mut panel, target }| {
                if panel.series.is_ok() {
                    panel.series = match &target.foreign {
                        Some(kind) => Err(format!("its data source is {kind}, not Prometheus")),
                        None => self.series(api, &panel.expression).await?,
                    };
                }
                Ok(panel)
            })
            .buffered(MAX_IN_FLIGHT)
            .try_collect()
            .await
    }

    /// How many series have a number, or a native histogram, at any time.
    async fn series(self, api: Api<'_>, expression: &str) -> Result<Result<u64, String>, Failure> {
        let range = async |query| api.range(query, (self.from, self.to), self.step_ms()).await;
        match range(expression).await {
            Ok(series) => {
                let drawn = series.iter().filter(|one| one.samples.iter().any(|sample| !sample.1.is_nan()));
                Ok(Ok(u64::try_from(drawn.count()).unwrap_or(u64::MAX)))
            }
            // Of what is too much to be read, how much it is.
            Err(Unanswered::Failed(failure)) if failure.is_too_large() => {
                match range(&counting(expression)).await {
                    Ok(counts) => {
                        Ok(Ok(most(counts.iter().flat_map(|one| &one.samples).map(|sample| sample.1))))
                    }
                    Err(unanswered) => unanswered.refusal().map(Err),
                }
            }
            Err(unanswered) => unanswered.refusal().map(Err),
        }
    }

    async fn through_grafana(
        self,
        client: &Client,
        wanted: &Dashboards,
        dashboards: Vec<Dashboard>,
    ) -> Result<Vec<Panel>, Failure> {
        let mut built_in = self.built_in(&BTreeMap::new(), wanted);
        // Grafana knows how often its data source scrapes, and replaces these itself.
        for name in ["__interval", "__rate_interval", "__range"] {
            built_in.insert(name.to_owned(), format!("${{{name}}}"));
        }
        let asked = dashboards.into_iter().flat_map(|dashboard| asked(dashboard, wanted, &built_in));
        stream::iter(asked.collect::<Vec<_>>())
            .map(async |Asked { mut panel, target }| {
                if panel.series.is_ok() {
                    panel.series = self.frames(client, &panel.expression, target).await?;
                }
                Ok(panel)
            })
            .buffered(MAX_IN_FLIGHT)
            .try_collect()
            .await
    }

    /// How many series Grafana finds.
    async fn frames(
        self,
        client: &Client,
        expression: &str,
        target: Target,
    ) -> Result<Result<u64, String>, Failure> {
        let answer =
            client.ask(&Question::json("/api/ds/query", self.query(expression, &target).to_string())).await?;
        shown(&answer, &target)
    }

    /// What Grafana is asked: how many series there are, where its data source is Prometheus.
    fn query(self, expression: &str, target: &Target) -> Value {
        let mut query = target.json.clone();
        if target.foreign.is_none() {
            query["expr"] = counting(expression).into();
            (query["range"], query["instant"]) = (true.into(), false.into());
            query["format"] = "time_series".into();
        }
        query["intervalMs"] = self.step_ms().into();
        query["maxDataPoints"] = MOMENTS.into();
        json!({
            "from": self.from.millis().to_string(),
            "to": self.to.millis().to_string(),
            "queries": [query],
        })
    }

    /// The variables that Grafana itself sets.
    fn built_in(self, intervals: &BTreeMap<String, u64>, wanted: &Dashboards) -> BTreeMap<String, String> {
        let job = wanted.variables.iter().find(|(name, _)| name == "job").map(|(_, job)| job);
        let of_job = job.and_then(|job| intervals.get(job));
        let interval = of_job.or_else(|| intervals.values().max()).copied().unwrap_or(ASSUMED_INTERVAL_MS);
        let (step, lasts) =
            (self.step_ms(), self.to.since(self.from).unwrap_or(Duration::ZERO).as_millis().max(1));
        let rate = (step + interval).max(4 * interval);
        [
            ("__interval", format!("{step}ms")),
            ("__interval_ms", step.to_string()),
            ("__rate_interval", format!("{rate}ms")),
            ("__rate_interval_ms", rate.to_string()),
            ("__range", format!("{lasts}ms")),
            ("__range_ms", lasts.to_string()),
            ("__range_s", lasts.div_ceil(1_000).to_string()),
            ("__from", self.from.millis().to_string()),
            ("__to", self.to.millis().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

/// Each query of a dashboard that is wanted.
fn asked(dashboard: Dashboard, wanted: &Dashboards, built_in: &BTreeMap<String, String>) -> Vec<Asked> {
    let given = wanted.variables.iter().cloned();
    let variables = Variables::of(&dashboard.json, built_in.clone(), given.collect());
    let targets = dashboard.targets.into_iter().filter(|target| !wanted.except.contains(&target.panel));
    let asked = targets.map(|mut target| {
        let replaced = target.expression.clone().and_then(|expression| variables.replace(&expression));
        let source = variables.replace(target.json["datasource"]["uid"].as_str().unwrap_or_default());
        if let Ok(uid) = source
            && !uid.is_empty()
        {
            target.json["datasource"]["uid"] = uid.into();
        }
        let panel = Panel {
            expectation: wanted.expectation,
            dashboard: dashboard.title.clone(),
            panel: target.panel.clone(),
            query: target.letter.clone(),
            expression: replaced.clone().or_else(|_| target.expression.clone()).unwrap_or_default(),
            series: replaced.map(|_| 0),
        };
        Asked { panel, target }
    });
    asked.collect()
}

/// The part of `/api/health` that only Grafana has.
#[derive(Deserialize)]
struct Health {
    #[serde(rename = "database")]
    _database: String,
}

/// A dashboard that was found.
#[derive(Deserialize)]
struct Hit {
    uid: String,
}

/// A dashboard with all that is in it.
#[derive(Deserialize)]
struct Whole {
    dashboard: Map<String, Value>,
}

/// A panel of the library.
#[derive(Deserialize)]
struct Element {
    result: Shared,
}

#[derive(Deserialize)]
struct Shared {
    model: Map<String, Value>,
}

/// All dashboards that Grafana has, with the panels of its library put in.
async fn in_grafana(client: &Client) -> Result<Vec<Dashboard>, Failure> {
    let question = Question::get("/api/search").with("type", "dash-db").with("limit", "5000");
    let hits: Vec<Hit> = client.fetch(&question).await?.json()?;
    let mut dashboards = Vec::new();
    for Hit { uid } in hits {
        let question = Question::get("/api/dashboards/uid/").below(&uid);
        let whole: Whole = client.fetch(&question).await?.json()?;
        let mut json = whole.dashboard.into();
        for (library, panel) in dashboard::from_library(&mut json) {
            let question = Question::get("/api/library-elements/").below(&library);
            let element: Element = client.fetch(&question).await?.json()?;
            dashboard::put_in(panel, element.result.model);
        }
        dashboards.push(Dashboard::of(json));
    }
    Ok(dashboards)
}

/// How many series Grafana found; of a data source that is not Prometheus, whether there is any.
fn shown(answer: &Answer<'_>, target: &Target) -> Result<Result<u64, String>, Failure> {
    let results: Value = match answer.json() {
        Ok(results) => results,
        Err(_) => return Err(answer.unexpected("results")),
    };
    let result = &results["results"][&target.letter];
    if let Some(error) = result["error"].as_str() {
        return Ok(Err(error.to_owned()));
    }
    let frames = result["frames"].as_array().ok_or_else(|| answer.unexpected("frames"))?;
    let numbers = frames.iter().flat_map(numbers);
    Ok(Ok(if target.foreign.is_none() { most(numbers) } else { u64::from(numbers.count() > 0) }))
}

/// An expression of how many series an expression has, those that are not a number left out.
fn counting(expression: &str) -> String {
    // For the parser, which does not know Grafana's variables, any length will do.
    let plain =
        ["$__rate_interval", "${__rate_interval}", "$__interval", "${__interval}", "$__range", "${__range}"];
    let parsed =
        promql::parse(&plain.iter().fold(expression.to_owned(), |text, name| text.replace(name, "1m")));
    let vector = match parsed {
        Ok(parsed) if parsed.value_type() == ValueType::Scalar => format!("vector({expression}\n)"),
        _ => expression.to_owned(),
    };
    // Each ends its line, since a comment goes on to the end of one.
    format!("count(({vector}\n) >= -Inf or histogram_count({vector}\n))")
}

/// The numbers of a frame, which JSON has `null` for where they are none.
fn numbers(frame: &Value) -> impl Iterator<Item = f64> {
    let fields = frame["schema"]["fields"].as_array().into_iter().flatten();
    let columns = frame["data"]["values"].as_array().into_iter().flatten();
    let numeric = fields.zip(columns).filter(|(field, _)| field["type"] == "number");
    numeric.flat_map(|(_, column)| column.as_array().into_iter().flatten()).filter_map(Value::as_f64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "these are counts")]
fn most(counts: impl Iterator<Item = f64>) -> u64 {
    counts.fold(0.0, f64::max) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::reply::Reply;
    use crate::question::Questions;
    use firedrill_contract::quantity::Size;
    use firedrill_net::Target as Address;
    use firedrill_net::fake::{Fake, answer};

    const fn time(seconds: i64) -> Time {
        Time::from_millis(seconds * 1_000)
    }

    fn wanted(from: &str) -> Dashboards {
        Dashboards {
            expectation: 3,
            from: vec![from.to_owned()],
            except: vec!["Left out".to_owned()],
            variables: vec![("job".to_owned(), "app".to_owned())],
        }
    }

    async fn collect(
        prometheus: Option<&Client>,
        grafana: Option<&Client>,
        panels: Vec<Dashboards>,
    ) -> Reply<Vec<Panel>> {
        let questions = Questions { panels, ..Questions::default() };
        let backend = Backend { prometheus: prometheus.cloned(), grafana: grafana.cloned() };
        let (began, now) = (time(60), time(120));
        backend.collect(&Context { questions: &questions, began, known_until: began, now }).await.into()
    }

    fn client(fake: &Fake) -> Client {
        Client::new(Address::parse(&fake.url).unwrap(), None)
    }

    fn json_answer(status: &str, json: &Value) -> Option<Vec<u8>> {
        Some(answer(status, "application/json", json.to_string().as_bytes()))
    }

    fn counted(vector: &str) -> String {
        format!("count(({vector}\n) >= -Inf or histogram_count({vector}\n))")
    }

    fn frames(values: &[Value]) -> Value {
        let fields = json!([{ "type": "time" }, { "type": "number" }]);
        json!([{ "schema": { "fields": fields }, "data": { "values": [[1, 2], values] } }])
    }

    /// A Grafana with one dashboard, one of whose panels is in the library.
    fn grafana(request: &str) -> Option<Vec<u8>> {
        let path = request.split(' ').nth(1).unwrap();
        let body = request.split("\r\n\r\n").nth(1).unwrap();
        let source = json!({ "type": "prometheus", "uid": "$source" });
        let target = |expression: &str| json!([{ "refId": "A", "expr": expression }]);
        match path.split('?').next().unwrap() {
            "/api/search" => json_answer("200 OK", &json!([{ "uid": "d 1" }])),
            "/api/dashboards/uid/d%201" => {
                let dashboard = json!({
                    "title": "D",
                    "templating": { "list": [{ "name": "source", "type": "datasource", "current": { "value": "p" } }] },
                    "panels": [
                        { "title": "Full", "datasource": source, "targets": target("rate(a{job=\"$job\"}[$__rate_interval])") },
                        { "title": "Empty", "datasource": source, "targets": target("b") },
                        { "title": "Wrong", "datasource": source, "targets": target("c(") },
                        { "title": "Unknown", "datasource": source, "targets": target("d{e=\"$f\"}") },
                        { "title": "Left out", "datasource": source, "targets": target("g") },
                        { "title": "Shared", "libraryPanel": { "uid": "l" } },
                        { "title": "Words", "libraryPanel": { "uid": "w" } },
                        { "title": "Logs", "datasource": { "type": "loki", "uid": "l" }, "targets": target("{}") },
                    ],
                });
                json_answer("200 OK", &json!({ "dashboard": dashboard }))
            }
            "/api/library-elements/l" => {
                let model = json!({ "datasource": source, "targets": target("shared") });
                json_answer("200 OK", &json!({ "result": { "model": model } }))
            }
            "/api/library-elements/w" => {
                json_answer("200 OK", &json!({ "result": { "model": { "type": "text" } } }))
            }
            "/api/ds/query" => {
                let asked: Value = serde_json::from_str(body).unwrap();
                let query = &asked["queries"][0];
                assert_eq!((&asked["from"], &asked["to"]), (&json!("60000"), &json!("120000")));
                let expression = query["expr"].as_str().unwrap();
                let rate = "rate(a{job=\"app\"}[${__rate_interval}])";
                let (status, result) = if expression == counted(rate) {
                    assert_eq!((&query["datasource"]["uid"], &query["range"]), (&json!("p"), &json!(true)));
                    ("200 OK", json!({ "frames": frames(&[json!(2), json!(3)]) }))
                } else if expression == counted("b") {
                    ("200 OK", json!({ "frames": [] }))
                } else if expression == counted("shared") {
                    ("200 OK", json!({ "frames": frames(&[Value::Null, json!(1)]) }))
                } else if expression == "{}" {
                    ("200 OK", json!({ "frames": frames(&[Value::Null, json!(7)]) }))
                } else {
                    ("400 Bad Request", json!({ "error": "parse error" }))
                };
                json_answer(status, &json!({ "results": { "A": result } }))
            }
            path => panic!("{path}"),
        }
    }

    #[tokio::test]
    async fn every_query_that_grafana_has_is_asked_through_it() {
        let fake = Fake::start(grafana).await;
        let client = client(&fake);
        let Reply::Received(panels) = collect(None, Some(&client), vec![wanted("grafana")]).await else {
            panic!()
        };
        let told = panels.iter().map(|panel| {
            assert_eq!((panel.expectation, panel.dashboard.as_str()), (3, "D"));
            (panel.panel.as_str(), panel.expression.as_str(), panel.series.clone())
        });
        let unknown = "the variable $f has no value: give it one under variables";
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("Full", "rate(a{job=\"app\"}[${__rate_interval}])", Ok(3)),
                ("Empty", "b", Ok(0)),
                ("Wrong", "c(", Err("parse error".to_owned())),
                ("Unknown", "d{e=\"$f\"}", Err(unknown.to_owned())),
                ("Shared", "shared", Ok(1)),
                ("Logs", "{}", Ok(1)),
            ]
        );
    }

    #[tokio::test]
    async fn what_cannot_be_asked_is_missing_and_not_empty() {
        let fake = Fake::start(|_| json_answer("502 Bad Gateway", &json!("no"))).await;
        let client = client(&fake);
        let files = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/grafana/dashboards/*.json");
        let (none, broken) = (None, Some(&client));
        for (source, from, expected) in [
            (
                none,
                files,
                "dashboards in files cannot be queried without Prometheus: give its address by --prometheus",
            ),
            (
                none,
                "grafana",
                "dashboards in Grafana cannot be queried without it: give its address by --grafana",
            ),
            (broken, files, "expected an answer, found 502 Bad Gateway"),
            (broken, "grafana", "expected an answer, found 502 Bad Gateway"),
            (broken, "no/such/file", "no/such/file matches no file"),
        ] {
            match collect(source, source, vec![wanted(from)]).await {
                Reply::Missing(why) => assert!(why.contains(expected), "{why}"),
                other => panic!("{from}: {other:?}"),
            }
        }
        assert_eq!(collect(none, none, Vec::new()).await, Reply::NotAsked);
    }

    #[tokio::test]
    async fn of_series_that_do_not_fit_an_answer_it_is_asked_how_many_there_are() {
        let fake = Fake::start(|request| {
            let data = if request.contains("/api/v1/targets") {
                json!({ "activeTargets": [] })
            } else if request.contains("query=count") {
                json!({ "resultType": "matrix", "result": [{ "metric": {}, "values": [[60, "7000"], [61, "8000"]] }] })
            } else {
                json!({ "resultType": "matrix", "result": [{ "metric": { "a": "b".repeat(5_000) }, "values": [] }] })
            };
            json_answer("200 OK", &json!({ "status": "success", "data": data }))
        })
        .await;
        let client = client(&fake).up_to(Size(1_000));
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/grafana/dashboards/service.json");
        let Reply::Received(panels) = collect(Some(&client), None, vec![wanted(file)]).await else {
            panic!()
        };
        assert!(panels.iter().any(|panel| panel.series == Ok(8_000)), "{panels:#?}");
        assert!(panels.iter().all(|panel| panel.series != Ok(0)), "{panels:#?}");
    }

    #[test]
    fn what_counts_is_a_vector() {
        for (expression, vector) in [("a + b", "a + b"), ("1 / 0", "vector(1 / 0\n)"), ("a # b", "a # b")] {
            let counting = counting(expression);
            assert_eq!(counting, counted(vector));
            assert!(promql::parse(&counting).is_ok(), "{counting}");
        }
    }
}
