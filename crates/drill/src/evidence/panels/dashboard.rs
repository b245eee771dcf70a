//! The parts of a dashboard's JSON that are queries.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Map, Value};

/// How many files a pattern may match: far more than any folder of dashboards has.
const MOST_FILES: usize = 1_000;

/// The largest file that is read, in bytes: far larger than any dashboard.
const LARGEST: u64 = 16 << 20;

#[derive(Debug)]
pub(super) struct Dashboard {
    pub(super) title: String,
    pub(super) targets: Vec<Target>,
    pub(super) json: Value,
}

/// A query of a panel.
#[derive(Debug)]
pub(super) struct Target {
    /// The title of its panel.
    pub(super) panel: String,
    /// Its letter in the panel.
    pub(super) letter: String,
    /// What it asks; or why it asks nothing.
    pub(super) expression: Result<String, String>,
    /// The type of its data source, where that is not Prometheus.
    pub(super) foreign: Option<String>,
    /// All of it, with its data source.
    pub(super) json: Value,
}

/// The dashboards in the files of a pattern.
///
/// # Errors
/// When there is none, or one cannot be read.
pub(super) fn files(pattern: &str) -> Result<Vec<Dashboard>, String> {
    let paths = glob::glob(pattern).map_err(|error| format!("{pattern} is no pattern of files: {error}"))?;
    let dashboards = paths.enumerate().map(|(before, path)| {
        if before == MOST_FILES {
            return Err(format!("{pattern} matches more than {MOST_FILES} files"));
        }
        let path = path.map_err(|error| error.to_string())?;
        let (shown, text) = (path.display(), read(&path)?);
        let json: Value =
            serde_json::from_str(&text).map_err(|error| format!("{shown} is no JSON: {error}"))?;
        if json["panels"].is_array() || json["rows"].is_array() {
            Ok(Dashboard::of(json))
        } else {
            Err(format!("{shown} is no dashboard: it has no panels"))
        }
    });
    let dashboards: Vec<_> = dashboards.collect::<Result<_, String>>()?;
    if dashboards.is_empty() { Err(format!("{pattern} matches no file")) } else { Ok(dashboards) }
}

fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let unreadable = |error: io::Error| format!("cannot read {shown}: {error}");
    // Looked at before it is opened: a pipe would wait for who writes to it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(format!("cannot read {shown}: it is no file"));
    }
    let mut text = String::new();
    File::open(path).map_err(unreadable)?.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(format!("cannot read {shown}: it has more than {LARGEST} bytes"));
    }
    Ok(text)
}

/// The panels whose queries are in Grafana's library, with the uid that they have there.
pub(super) fn from_library(dashboard: &mut Value) -> Vec<(String, &mut Value)> {
    let panels = dashboard["panels"].as_array_mut().into_iter().flatten();
    let each = panels.flat_map(|panel| {
        // A row that is folded holds its panels itself.
        if panel["type"] == "row" {
            panel["panels"].as_array_mut().into_iter().flatten().collect::<Vec<_>>()
        } else {
            vec![panel]
        }
    });
    each.filter_map(|panel| Some((panel["libraryPanel"]["uid"].as_str()?.to_owned(), panel))).collect()
}

/// Gives a panel what the library has of it.
pub(super) fn put_in(panel: &mut Value, mut model: Map<String, Value>) {
    // One without queries, such as a text, asks nothing.
    let targets = model.remove("targets").filter(Value::is_array);
    panel["targets"] = targets.unwrap_or_else(|| Vec::<Value>::new().into());
    if panel["datasource"].is_null() {
        panel["datasource"] = model.remove("datasource").unwrap_or_default();
    }
}

impl Dashboard {
    pub(super) fn of(json: Value) -> Self {
        let mut targets = Vec::new();
        // Before Grafana 5, panels were in rows.
        for row in json["rows"].as_array().into_iter().flatten() {
            take(&row["panels"], &mut targets);
        }
        take(&json["panels"], &mut targets);
        Self { title: text(&json["title"]), targets, json }
    }
}

/// The queries of panels, and of those folded into rows.
fn take(panels: &Value, targets: &mut Vec<Target>) {
    for panel in panels.as_array().into_iter().flatten() {
        take(&panel["panels"], targets);
        let own = panel["targets"].as_array();
        if own.is_none() && panel["libraryPanel"].is_object() {
            let why = "it is a library panel, whose queries are in Grafana: ask for its dashboard there";
            targets.push(Target {
                panel: text(&panel["title"]),
                letter: String::new(),
                expression: Err(why.to_owned()),
                foreign: None,
                json: Value::Null,
            });
        }
        // One that is hidden is not asked, and so shows nothing that could be wrong.
        let shown = own.into_iter().flatten().filter(|target| target["hide"] != true);
        targets.extend(shown.filter_map(|target| Target::of(panel, target)));
    }
}

impl Target {
    /// Nothing where it asks no data source, but makes something of other queries.
    fn of(panel: &Value, target: &Value) -> Option<Self> {
        let mut json = if target.is_object() { target.clone() } else { Value::Null };
        if json["datasource"].is_null() {
            json["datasource"] = panel["datasource"].clone();
        }
        let kind = json["datasource"]["type"].as_str().unwrap_or("prometheus");
        if kind == "__expr__" || kind == "datasource" {
            return None;
        }
        let foreign = (kind != "prometheus").then(|| kind.to_owned());
        let expression = match (&foreign, target["expr"].as_str()) {
            (None, None | Some("")) => Err("it has no expression".to_owned()),
            (_, expression) => Ok(expression.unwrap_or_default().to_owned()),
        };
        Some(Self { panel: text(&panel["title"]), letter: text(&target["refId"]), expression, foreign, json })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_query_of_every_panel_is_found() {
        let prometheus = json!({ "type": "prometheus", "uid": "p" });
        let target = |letter: &str| json!({ "refId": letter, "expr": letter.to_lowercase() });
        let dashboard = Dashboard::of(json!({
            "title": "D",
            "panels": [
                { "type": "text", "title": "Words" },
                { "type": "row", "title": "Open", "panels": [] },
                { "title": "Two", "datasource": prometheus, "targets": [target("A"), target("B")] },
                { "type": "row", "title": "Folded", "panels": [{ "title": "Inside", "targets": [target("C")] }] },
                { "title": "Hidden", "targets": [{ "refId": "D", "expr": "d", "hide": true }] },
                { "title": "Sum", "targets": [{ "refId": "E", "datasource": { "type": "__expr__" }, "expression": "$A" }] },
                { "title": "Empty", "targets": [{ "refId": "F", "expr": "" }, "f"] },
                { "title": "Logs", "datasource": { "type": "loki", "uid": "l" }, "targets": [target("G")] },
                { "title": "Shared", "libraryPanel": { "uid": "u", "name": "n" } },
            ],
            "rows": [{ "panels": [{ "title": "Old", "datasource": "prom", "targets": [target("H")] }] }],
        }));
        let told = dashboard.targets.iter().map(|target| {
            let Target { panel, letter, expression, foreign, .. } = target;
            (
                panel.as_str(),
                letter.as_str(),
                expression.as_deref().map_err(String::as_str),
                foreign.as_deref(),
            )
        });
        let library = "it is a library panel, whose queries are in Grafana: ask for its dashboard there";
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("Old", "H", Ok("h"), None),
                ("Two", "A", Ok("a"), None),
                ("Two", "B", Ok("b"), None),
                ("Inside", "C", Ok("c"), None),
                ("Empty", "F", Err("it has no expression"), None),
                ("Empty", "", Err("it has no expression"), None),
                ("Logs", "G", Ok("g"), Some("loki")),
                ("Shared", "", Err(library), None),
            ]
        );
        assert_eq!(dashboard.targets[1].json["datasource"], prometheus);
    }

    #[test]
    fn so_many_files_and_no_larger_ones_are_read() {
        let directory = std::env::temp_dir().join(format!("firedrill-dashboards-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let error = |pattern: &str| files(directory.join(pattern).to_str().unwrap()).unwrap_err();
        File::create(directory.join("large.json")).unwrap().set_len(LARGEST + 1).unwrap();
        let large = error("large.json");
        for n in 0..=MOST_FILES {
            fs::write(directory.join(format!("{n}.many")), r#"{"panels":[]}"#).unwrap();
        }
        let many = error("*.many");
        fs::remove_dir_all(&directory).unwrap();
        assert!(large.ends_with("large.json: it has more than 16777216 bytes"), "{large}");
        assert!(many.ends_with("*.many matches more than 1000 files"), "{many}");
    }

    #[test]
    fn files_that_are_no_dashboards_are_refused() {
        let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let pages = format!("{repository}/tests/data/pager/pages.json");
        for (pattern, expected) in [
            ("deploy/nothing/*.json", "deploy/nothing/*.json matches no file"),
            ("Cargo.toml", "Cargo.toml is no JSON: "),
            (&pages, &*format!("{pages} is no dashboard: it has no panels")),
            ("a[", "a[ is no pattern of files: "),
            // What has no end, is no file, or is a great many.
            ("/dev/zero", "cannot read /dev/zero: it is no file"),
            ("src", "cannot read src: it is no file"),
        ] {
            let error = files(pattern).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let all = files(&format!("{repository}/deploy/grafana/dashboards/*.json")).unwrap();
        assert!(all.len() >= 4 && all.iter().all(|dashboard| !dashboard.targets.is_empty()), "{}", all.len());
    }
}
