//! docs/metrics.md and docs/pager.md name every metric, with its type and labels, and none that does not exist.

use std::collections::{BTreeMap, BTreeSet};

use firedrill_contract as contract;

use crate::support::repository;
use crate::support::scrape::Scrape;
use crate::support::service::Service;
use crate::support::serving::Serving;

/// Metrics that exist only in some places, which the page says: those that a container's limits grant.
pub(super) const CONDITIONAL: [&str; 1] = ["firedrill_container_memory_limit_bytes"];

/// A metric's type, and its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metric {
    kind: String,
    labels: BTreeSet<String>,
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "process_* are read from Linux' /proc")]
async fn the_page_on_metrics_says_what_the_program_exposes() {
    let mut documented = table("docs/metrics.md");
    let exposed = exposed().await;
    for name in CONDITIONAL {
        assert!(documented.contains_key(name), "docs/metrics.md lacks {name}");
        if !exposed.contains_key(name) {
            documented.remove(name);
        }
    }
    check("docs/metrics.md", &documented, exposed);
}

#[test]
fn the_page_on_metrics_says_what_drills_are_checked_against() {
    let metric = |metric: &contract::metric::Metric| {
        let kind = format!("{:?}", metric.kind).to_lowercase();
        (
            metric.name.to_owned(),
            Metric { kind, labels: metric.labels.iter().map(|label| (*label).to_owned()).collect() },
        )
    };
    let known: BTreeMap<_, _> = contract::metric::METRICS.iter().map(metric).collect();
    assert_eq!(known.len(), contract::metric::METRICS.len(), "a name is there twice");
    check("docs/metrics.md", &table("docs/metrics.md"), known);
}

#[tokio::test]
async fn the_page_on_the_pager_says_what_it_exposes_beside_what_every_server_does() {
    let mut exposed = exposed_by_pager().await;
    for (name, mut metric) in table("docs/metrics.md") {
        metric.labels.remove("workload");
        if let Some(real) = exposed.remove(&name) {
            assert_eq!(real, metric, "{name} is documented in docs/metrics.md");
        }
    }
    check("docs/pager.md", &table("docs/pager.md"), exposed);
}

/// Checks that a page documents what is exposed, and nothing else.
fn check(file: &str, documented: &BTreeMap<String, Metric>, mut exposed: BTreeMap<String, Metric>) {
    let mut differences = Vec::new();
    for (name, metric) in documented {
        match exposed.remove(name) {
            None => differences.push(format!("{name} is documented and does not exist")),
            Some(real) if real != *metric => {
                differences.push(format!("{name} is documented as {metric:?} and is {real:?}"));
            }
            Some(_) => {}
        }
    }
    differences.extend(exposed.iter().map(|(name, metric)| format!("{name} is not documented: {metric:?}")));
    assert!(differences.is_empty(), "{file} and the program differ:\n{}", differences.join("\n"));
}

/// The metrics as Prometheus names them: what the text format says.
pub(super) async fn exposed() -> BTreeMap<String, Metric> {
    let service = Service::start(&[]).await;
    exposed_by(&service).await
}

/// The same of the pager.
pub(super) async fn exposed_by_pager() -> BTreeMap<String, Metric> {
    exposed_by(&Serving::start_with("pager", &[], &[]).await).await
}

async fn exposed_by(serving: &Serving) -> BTreeMap<String, Metric> {
    let text = serving.get("/metrics").await.text();
    let samples = Scrape::parse(&text);
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let metric = |(name, kind): (&str, &str)| {
        let of_family = |sample: &str| match sample.strip_prefix(name) {
            Some(suffix) if kind == "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            suffix => suffix == Some(""),
        };
        let samples = samples.samples().iter().filter(|sample| of_family(&sample.name));
        let names = samples.flat_map(|sample| sample.labels.iter().map(|(label, _)| label.clone()));
        let labels = names.filter(|label| kind != "histogram" || label != "le").collect();
        (name.to_owned(), Metric { kind: kind.to_owned(), labels })
    };
    types.map(metric).collect()
}

/// The rows of the table `| metric | type | labels | what it is |`, names in backticks.
fn table(file: &str) -> BTreeMap<String, Metric> {
    let page = repository::read(file);
    let mut metrics = BTreeMap::new();
    let from_head = page.lines().skip_while(|line| *line != "| metric | type | labels | what it is |");
    for line in from_head.skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, what] = cells[..] else { panic!("not four cells: {line}") };
        assert!(!what.is_empty(), "says nothing: {line}");
        let labels = labels.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let metric = Metric { kind: kind.to_owned(), labels };
        assert!(metrics.insert(name.trim_matches('`').to_owned(), metric).is_none(), "twice: {line}");
    }
    assert!(!metrics.is_empty(), "{file} has no table of metrics");
    metrics
}
