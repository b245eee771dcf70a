//! The dashboards read metrics that exist, and say what they show.

use std::collections::BTreeSet;

use serde_json::Value;

use super::metrics::{CONDITIONAL, exposed, exposed_by_pager};
use crate::support::dashboard::{self, Dashboard};
use crate::support::promql;
use crate::support::repository;

/// Series that Prometheus makes itself, for each target and for each alert.
const OF_PROMETHEUS: [&str; 3] = ["up", "scrape_duration_seconds", "ALERTS"];

/// What the metrics of the other programs of the stack begin with. That they exist is seen where the stack runs.
const OF_OTHERS: [&str; 2] = ["prometheus_", "alertmanager_"];

/// What the recording rules record.
fn recorded() -> Vec<String> {
    let files = repository::files("deploy/prometheus/rules");
    let files = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    let names = |text: String| -> Vec<String> {
        text.lines().filter_map(|line| Some(line.trim().strip_prefix("- record: ")?.to_owned())).collect()
    };
    files.flat_map(names).collect()
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "process_* are read from Linux' /proc")]
async fn dashboards_read_metrics_that_exist() {
    let mut exist: BTreeSet<String> = exposed().await.into_keys().collect();
    exist.extend(exposed_by_pager().await.into_keys());
    exist.extend(CONDITIONAL.into_iter().chain(OF_PROMETHEUS).map(str::to_owned));
    exist.extend(recorded());
    let exists = |name: &str| {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
        exist.contains(name)
            || OF_OTHERS.iter().any(|program| name.starts_with(program))
            || family.is_some_and(|family| exist.contains(family))
    };
    for dashboard in dashboard::all() {
        let read = expressions(&dashboard.json);
        assert!(!read.is_empty(), "{} reads nothing", dashboard.file);
        for expression in read {
            for name in promql::metrics(&expression) {
                assert!(exists(&name), "{}: {name} does not exist: {expression}", dashboard.file);
            }
        }
    }
}

#[test]
fn each_panel_says_what_it_shows_and_in_which_unit() {
    for dashboard in dashboard::all() {
        for panel in dashboard.panels() {
            let name = dashboard.name(panel);
            assert!(
                panel["description"].as_str().is_some_and(|text| text.ends_with('.')),
                "{name}: description"
            );
            assert!(panel["title"].as_str().is_some_and(|text| !text.is_empty()), "{name}: title");
            let unit = match panel["type"].as_str() {
                Some("heatmap") => &panel["options"]["yAxis"]["unit"],
                _ => &panel["fieldConfig"]["defaults"]["unit"],
            };
            assert!(unit.is_string(), "{name}: unit");
            assert!(
                panel["targets"].as_array().is_some_and(|targets| !targets.is_empty()),
                "{name}: targets"
            );
        }
    }
}

#[test]
fn dashboards_can_be_provisioned_anywhere_as_they_are() {
    let mut uids = BTreeSet::new();
    for dashboard in dashboard::all() {
        let Dashboard { file, json } = &dashboard;
        assert!(uids.insert(dashboard.uid().to_owned()), "{file}: its uid is taken");
        // An id is the number of a row in one Grafana's database.
        assert!(json["id"].is_null(), "{file}: id");
        // Questions that only an import by hand asks.
        assert!(json["__inputs"].is_null(), "{file}: __inputs");
        let variables: Vec<_> = json["templating"]["list"].as_array().unwrap().iter().collect();
        for name in ["job", "instance"] {
            assert!(variables.iter().any(|variable| variable["name"] == name), "{file}: no variable {name}");
        }
        each(json, "datasource", &mut |source| {
            let known = ["prometheus", "-- Grafana --"].iter().any(|uid| source["uid"] == *uid);
            assert!(known, "{file}: a data source that is not provisioned: {source}");
        });
        for expression in expressions(json) {
            let fixed = ["job=\"", "instance=\"", "[5m]", "[1m]"]
                .iter()
                .any(|part| expression.contains(part) && !expression.contains(&format!("{part}$")));
            assert!(!fixed, "{file}: fixes what a variable should say: {expression}");
        }
    }
}

#[test]
fn panels_fill_the_grid_without_covering_each_other() {
    for dashboard in dashboard::all() {
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in dashboard.grid() {
            let name = dashboard.name(panel);
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: its id is taken");
            let edge =
                |key: &str| panel["gridPos"][key].as_u64().unwrap_or_else(|| panic!("{name}: gridPos"));
            let (x, y, w, h) = (edge("x"), edge("y"), edge("w"), edge("h"));
            assert!(x + w <= 24, "{name} is wider than the grid");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{name} covers another at {cell:?}");
            }
        }
    }
}

/// Every PromQL expression of a dashboard: panels, variables and annotations.
fn expressions(dashboard: &Value) -> Vec<String> {
    let mut found = Vec::new();
    each(dashboard, "expr", &mut |expression| found.push(expression.as_str().unwrap().to_owned()));
    each(dashboard, "query", &mut |query| {
        // A variable's query is Grafana's own: label_values(EXPRESSION, LABEL).
        let inside = query.as_str().and_then(|query| query.strip_prefix("label_values("));
        found.extend(
            inside.and_then(|inside| inside.rsplit_once(',')).map(|(expression, _)| expression.to_owned()),
        );
    });
    found
}

/// Visits every value of this key, at any depth.
fn each(value: &Value, key: &str, visit: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == key {
                    visit(member);
                }
                each(member, key, visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each(item, key, visit)),
        _ => {}
    }
}
