//! A real Prometheus is asked.

use std::time::Duration;

use firedrill_contract::Time;
use firedrill_drill::evidence::{Evidence, Explained, Extent, Prometheus, QueryResult, Sources};
use firedrill_drill::question::{Dashboards, Explain, Instant, Questions};

use super::{client, collector, now};
use crate::support::eventually::eventually;
use crate::support::prometheus::server::Server;
use crate::support::repository;
use crate::support::service::Service;

const LIMIT: Duration = Duration::from_secs(30);

const RULES: &str = r#"
groups:
  - name: recorded
    interval: 1s
    rules:
      - record: workload:requests:rate10s
        expr: sum by (workload) (rate(firedrill_injected_requests_total{job="app"}[10s]))
      - record: requests:rate10s
        expr: sum(workload:requests:rate10s{workload="drill"})
  - name: alerts
    interval: 1s
    rules:
      - alert: Busy
        expr: requests:rate10s > 0.01
        for: 1s
        keep_firing_for: 2s
        labels: { severity: page }
        annotations: { summary: "{{ $value }} a second" }
"#;

/// A service, and a Prometheus that scrapes it and has the rules.
async fn scraped() -> (Service, Server) {
    let service = Service::start(&[]).await;
    let configuration = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yml]\n\
         scrape_configs:\n  - {{ job_name: app, static_configs: [{{ targets: ['{}'] }}] }}\n",
        service.address
    );
    let prometheus = Server::start_with(&configuration, RULES).await;
    eventually(LIMIT, async || prometheus.api.up("app", 1).await).await;
    (service, prometheus)
}

async fn collect(prometheus: &Server, questions: &Questions, began: Time) -> Evidence {
    let sources = Sources { prometheus: Some(client(&prometheus.api.url)), ..Sources::default() };
    collector(&sources, questions).await.collect(questions, began).await
}

/// Sends requests until Busy fires.
async fn until_busy(service: &Service, prometheus: &Server) {
    eventually(LIMIT, async || {
        for _ in 0..3 {
            service.get("/work?workload=drill&latency=0").await;
        }
        let firing = prometheus.api.query("ALERTS{alertstate='firing'}").await?;
        if firing.is_empty() { Err("it does not fire yet".to_owned()) } else { Ok(()) }
    })
    .await;
}

fn said(evidence: &Evidence) -> &Prometheus {
    evidence.prometheus.received().unwrap_or_else(|| panic!("{:?}", evidence.prometheus))
}

#[tokio::test]
#[ignore = "needs prometheus on PATH; cargo test -- --ignored"]
async fn what_prometheus_knows_is_found() {
    let (service, prometheus) = scraped().await;
    let began = now();
    until_busy(&service, &prometheus).await;
    let questions = Questions {
        selectors: vec!["firedrill_injected_requests_total{workload=\"drill\"}".to_owned()],
        queries: vec![
            Instant { query: "sum(up)".to_owned(), at: now() },
            Instant { query: "1/0".to_owned(), at: now() },
            Instant { query: "no_such_metric".to_owned(), at: now() },
            Instant { query: "sum(".to_owned(), at: now() },
            Instant { query: "up[1m]".to_owned(), at: now() },
        ],
        ..Questions::default()
    };
    let evidence = collect(&prometheus, &questions, began).await;
    let said = said(&evidence);

    assert!(
        said.clock.ahead_ms.abs() <= said.clock.give_or_take_ms,
        "it is this machine's: {:?}",
        said.clock
    );
    assert_eq!(said.scrape_intervals, [("app".to_owned(), 1_000)].into());

    let [busy, workloads, all] = &said.rules[..] else { panic!("{:#?}", said.rules) };
    assert_eq!((workloads.name.as_str(), workloads.alerting), ("workload:requests:rate10s", false));
    assert_eq!((all.group.as_str(), all.interval_ms), ("recorded", 1_000));
    assert_eq!(
        (busy.name.as_str(), busy.alerting, busy.query.as_str()),
        ("Busy", true, "requests:rate10s > 0.01")
    );
    assert_eq!((busy.for_ms, busy.keep_firing_for_ms), (1_000, 2_000));
    assert_eq!((busy.labels["severity"].as_str(), busy.last_error.as_str()), ("page", ""));
    assert_eq!(busy.annotations["summary"], "{{ $value }} a second");

    // Each evaluation left a sample of the alert in its state.
    for state in ["pending", "firing"] {
        let alert = said.alerts.iter().find(|series| series.labels["alertstate"] == state);
        let alert = alert.unwrap_or_else(|| panic!("no {state} alert: {:#?}", said.alerts));
        assert_eq!((alert.labels["alertname"].as_str(), alert.labels["severity"].as_str()), ("Busy", "page"));
        assert!(!alert.samples.is_empty() && alert.samples.iter().all(|sample| sample.1 == 1.0));
        assert!(alert.samples.iter().all(|sample| began < sample.0 && sample.0 < now()), "{alert:?}");
    }

    let [counted, up] = &said.samples[..] else { panic!("{:#?}", said.samples) };
    assert_eq!(up.selector, "up");
    assert!(up.series.iter().all(|series| series.samples.iter().all(|sample| sample.1 == 1.0)));
    let [series] = &counted.series[..] else { panic!("{counted:#?}") };
    assert_eq!(series.labels["__name__"], "firedrill_injected_requests_total");
    assert_eq!(series.samples[0].1, 0.0, "it was there before the first request");
    assert!(series.samples.last().unwrap().1 >= 3.0, "{series:?}");
    assert!(series.samples.is_sorted_by_key(|sample| sample.0));

    let [sum, infinite, none, malformed, range] = &said.answers[..] else { panic!("{:#?}", said.answers) };
    let QueryResult::Values(values) = &sum.result else { panic!("{sum:?}") };
    assert_eq!(values[0].value, 1.0);
    let QueryResult::Values(values) = &infinite.result else { panic!("{infinite:?}") };
    assert_eq!((values[0].value, values[0].labels.len()), (f64::INFINITY, 0));
    assert_eq!(none.result, QueryResult::Values(vec![]));
    for refused in [malformed, range] {
        assert!(matches!(&refused.result, QueryResult::Refused(why) if !why.is_empty()), "{refused:?}");
    }
}

#[tokio::test]
#[ignore = "needs prometheus on PATH; cargo test -- --ignored"]
async fn what_an_expression_gave_is_explained() {
    let (service, prometheus) = scraped().await;
    let began = now();
    let expressions = [
        "sum(rate(firedrill_injected_requests_total{worklaod=\"drill\"}[10s])) > 0",
        "rate(firedrill_injected_requests_totl[10s]) > 0",
        "requests:rate10s > 100",
        "xyz_nothing_like_it > on () group_left () up",
        "0 * up / 0 > 1",
        "sum(",
    ];
    let explain = |expression: &&str| Explain {
        expression: (*expression).to_owned(),
        labels: [].into(),
        from: began,
        to: now(),
    };
    until_busy(&service, &prometheus).await;
    let sources = Sources { prometheus: Some(client(&prometheus.api.url)), ..Sources::default() };
    let collector = collector(&sources, &Questions::default()).await;
    let mut evidence = collector.collect(&Questions::default(), began).await;
    let wanted: Vec<_> = expressions.iter().map(explain).collect();
    collector.explain(&wanted, &mut evidence).await;
    let said = said(&evidence);
    let explained = |expression: &str| -> &Explained {
        let found = said.explained.iter().find(|explained| explained.expression == expression);
        found.unwrap_or_else(|| panic!("{expression}: {:#?}", said.explained))
    };

    // A misspelt label: there are series of the metric, and these are their labels.
    let one = explained(expressions[0]);
    let [selector] = &one.selectors[..] else { panic!("{one:#?}") };
    assert_eq!(selector.selector, "firedrill_injected_requests_total{worklaod=\"drill\"}[10s]");
    assert_eq!((selector.selected, selector.range_ms), (0, Some(10_000)));
    assert_eq!(selector.values["workload"], ["demo", "drill", "other", "web"]);
    assert_eq!(selector.values["job"], ["app"]);
    assert_eq!(one.comparisons[0].left_was, None);
    assert_eq!(one.comparisons[0].right_was, Some(Extent { least: 0.0, most: 0.0 }));

    // A misspelt metric: there is none, and this is the nearest.
    let [selector] = &explained(expressions[1]).selectors[..] else { panic!() };
    assert_eq!((selector.selected, selector.values.len()), (0, 0));
    assert_eq!(selector.nearest[0], "firedrill_injected_requests_total");

    // A threshold that is too high, and the rules behind it.
    let one = explained(expressions[2]);
    let [comparison] = &one.comparisons[..] else { panic!("{one:#?}") };
    assert_eq!((comparison.left.as_str(), comparison.operator.as_str()), ("requests:rate10s", ">"));
    let was = comparison.left_was.unwrap();
    assert!(was.least >= 0.0 && was.most > 0.0 && was.most < 100.0, "{was:?}");
    assert_eq!(one.selectors[0].selected, 1);
    let behind = explained("sum(workload:requests:rate10s{workload=\"drill\"})");
    assert_eq!((behind.records.as_deref(), behind.selectors[0].selected), (Some("requests:rate10s"), 1));
    let deepest =
        said.explained.iter().find(|one| one.records.as_deref() == Some("workload:requests:rate10s"));
    let deepest = deepest.unwrap_or_else(|| panic!("{:#?}", said.explained));
    assert_eq!(deepest.selectors[0].selected, 4, "{deepest:#?}");

    let one = explained(expressions[3]);
    assert_eq!((one.selectors[0].nearest.len(), one.selectors[1].selected), (0, 1));
    assert_eq!(one.comparisons[0].right_was, Some(Extent { least: 1.0, most: 1.0 }));

    let was = explained(expressions[4]).comparisons[0].left_was.unwrap();
    assert!(was.least.is_nan() && was.most.is_nan(), "{was:?}");

    assert_eq!(explained(expressions[5]).unexplained.len(), 1);
    assert!(
        said.explained.iter().filter(|one| one.expression != "sum(").all(|one| one.unexplained.is_empty())
    );
}

#[tokio::test]
#[ignore = "needs prometheus on PATH; cargo test -- --ignored"]
async fn panels_of_files_are_asked() {
    let (service, prometheus) = scraped().await;
    let dashboards = |except: &[&str]| Dashboards {
        expectation: 0,
        from: vec![repository::path("deploy/grafana/dashboards/service.json").to_str().unwrap().to_owned()],
        except: except.iter().map(|&title| title.to_owned()).collect(),
        variables: vec![("job".to_owned(), "app".to_owned())],
    };
    let questions = || Questions { panels: vec![dashboards(&["Requests"])], ..Questions::default() };
    let began = now();
    until_busy(&service, &prometheus).await;
    let evidence = collect(&prometheus, &questions(), began).await;
    let panels = evidence.panels.received().unwrap_or_else(|| panic!("{:?}", evidence.panels));
    assert!(panels.len() > 10 && panels.iter().all(|panel| panel.panel != "Requests"), "{panels:#?}");
    let refused: Vec<_> = panels.iter().filter(|panel| panel.series.is_err()).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let up = panels.iter().find(|panel| panel.panel == "Instances up").unwrap();
    assert_eq!((up.expression.as_str(), &up.series), ("sum(up{job=\"app\",instance=~\".*\"})", &Ok(1)));
    // Of a job that does not exist there is nothing.
    let mut other = dashboards(&[]);
    other.variables = vec![("job".to_owned(), "apq".to_owned())];
    let questions = Questions { panels: vec![other], ..Questions::default() };
    let evidence = collect(&prometheus, &questions, began).await;
    let panels = evidence.panels.received().unwrap();
    let up = panels.iter().find(|panel| panel.panel == "Instances up").unwrap();
    assert_eq!(up.series, Ok(0));
}
