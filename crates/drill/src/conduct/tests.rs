//! A whole drill, against a service and a Prometheus that answer as real ones do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZero;
use std::sync::Mutex;

use jiff::Timestamp;

use super::*;
use crate::judge::Verdict;
use firedrill_load::load::Bounds;
use firedrill_net::Client;
use firedrill_net::fake::{Fake, answer};
use firedrill_net::shutdown;

const POLL_INTERVAL: Duration = Duration::from_millis(200);

const DRILL: &str = r#"{
    "name": "requests", "job": "app", "workload": "drill",
    "phases": { "a": { "for": "4s", "rate": "10/s", "request": { "path": "/x" } } },
    "expect": [
        { "scrapes": "no gaps" },
        { "counts": "all phases", "series": "counted_total" },
        { "query": "sum(counted)", "equals": 7 },
        { "panels": "DASHBOARD" }
    ]
}"#;

const PANELS: usize = 5;

fn now() -> Time {
    Timestamp::now().into()
}

/// When each request came.
type Arrived = Arc<Mutex<Vec<Time>>>;

async fn service(arrived: &Arrived) -> Fake {
    let arrived = Arc::clone(arrived);
    Fake::start(move |request| {
        if request.starts_with("GET /x ") {
            arrived.lock().unwrap().push(now());
        }
        Some(answer("200 OK", "text/plain", b""))
    })
    .await
}

/// A Prometheus that scrapes the service once a second.
async fn prometheus(arrived: &Arrived) -> Fake {
    let arrived = Arc::clone(arrived);
    Fake::start(move |request| {
        let path = request.split([' ', '?']).nth(1).unwrap();
        let query = request.rsplit("query=").next().unwrap().split('&').next().unwrap();
        let data = match path {
            "/api/v1/status/buildinfo" => r#"{"version":"3.5.3"}"#.to_owned(),
            "/api/v1/rules" => r#"{"groups":[]}"#.to_owned(),
            "/api/v1/targets" => {
                r#"{"activeTargets":[{"labels":{"job":"app"},"scrapeInterval":"1s"}]}"#.to_owned()
            }
            "/api/v1/query_range" => matrix("any", |_| 1),
            "/api/v1/query" if query == "time%28%29" => {
                let now = now().seconds();
                format!(r#"{{"resultType":"scalar","result":[{now},"{now}"]}}"#)
            }
            "/api/v1/query" if query.starts_with("up%5B") => matrix("up", |_| 1),
            "/api/v1/query" if query.starts_with("counted_total%5B") => matrix("counted_total", |at| {
                arrived.lock().unwrap().iter().filter(|time| **time < at).count()
            }),
            "/api/v1/query" if query.contains("%5B") => r#"{"resultType":"matrix","result":[]}"#.to_owned(),
            "/api/v1/query" => {
                r#"{"resultType":"vector","result":[{"metric":{},"value":[1,"7"]}]}"#.to_owned()
            }
            path => panic!("{path}"),
        };
        let json = format!(r#"{{"status":"success","data":{data}}}"#);
        Some(answer("200 OK", "application/json", json.as_bytes()))
    })
    .await
}

/// One series of the target, with a sample at each full second of the last minute.
fn matrix(name: &str, value: impl Fn(Time) -> usize) -> String {
    let second = now().millis() / 1_000;
    let samples = (second - 60..=second)
        .map(|second| format!(r#"[{second},"{}"]"#, value(Time::from_millis(second * 1_000))));
    let samples = samples.collect::<Vec<_>>().join(",");
    let labels = format!(r#"{{"__name__":"{name}","job":"app","instance":"a:1"}}"#);
    format!(r#"{{"resultType":"matrix","result":[{{"metric":{labels},"values":[{samples}]}}]}}"#)
}

/// A dashboard with a query in each of its panels.
fn dashboard() -> String {
    let panel = |nth: usize| {
        format!(
            r#"{{"title":"{nth}","type":"timeseries","datasource":{{"type":"prometheus"}},"targets":[{{"refId":"A","expr":"panel_{nth}"}}]}}"#
        )
    };
    let panels = (0..PANELS).map(panel).collect::<Vec<_>>().join(",");
    format!(r#"{{"title":"D","panels":[{panels}]}}"#)
}

/// How often each question was asked, by its path and query.
fn questions(fake: &Fake) -> BTreeMap<String, usize> {
    let mut questions = BTreeMap::new();
    for request in fake.asked() {
        let path = request.split([' ', '?']).nth(1).unwrap();
        let query = request.split("query=").nth(1).unwrap_or_default();
        let query = query.split(['&', '%']).next().unwrap();
        *questions.entry(format!("{path} {query}").trim_end().to_owned()).or_default() += 1;
    }
    questions
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_change_is_asked_once() {
    let arrived = Arrived::default();
    let (service, prometheus) = (service(&arrived).await, prometheus(&arrived).await);
    let path = std::env::temp_dir().join(format!("firedrill-conduct-{}.json", std::process::id()));
    std::fs::write(&path, dashboard()).unwrap();
    let file: DrillFile = serde_json::from_str(&DRILL.replace("DASHBOARD", path.to_str().unwrap())).unwrap();
    let target = Target::parse(&service.url).unwrap();
    let plan = file.plan(7).unwrap();
    let bounds = Bounds { timeout: Duration::from_secs(10), in_flight: NonZero::new(100).unwrap() };
    let load = Load::new(vec![target.clone()], plan, bounds).unwrap();
    let client = |url: &str| Some(Client::new(Target::parse(url).unwrap(), None));
    let sources =
        Sources { prometheus: client(&prometheus.url), service: client(&service.url), ..Sources::default() };
    let drill = Drill { file, seed: 7, target, load, sources, poll_interval: POLL_INTERVAL };
    let (stages, _watched) = watch::channel(Stage::Asking);
    let (_stopper, stopping) = shutdown::channel();
    let clock: Now = Arc::new(now);
    let run = drill.conduct(&clock, &stages, stopping).await.unwrap();
    std::fs::remove_file(&path).unwrap();

    let findings = judge(&run);
    assert_eq!(Verdict::from_findings(&findings), Verdict::Pass, "{findings:#?}");
    let questions = questions(&prometheus);
    let mut told = String::new();
    for (question, times) in &questions {
        writeln!(told, "{times:4} {question}").unwrap();
    }
    for nth in 0..PANELS {
        assert_eq!(questions[&format!("/api/v1/query_range panel_{nth}")], 1, "{told}");
    }
    for query in ["counted_total", "process_start_time_seconds", "sum"] {
        assert_eq!(questions[&format!("/api/v1/query {query}")], 1, "{told}");
    }
}
