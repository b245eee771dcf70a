//! The dashboards of deploy/grafana/dashboards, as their files say.

use serde_json::Value;

use crate::support::repository;

/// One dashboard.
#[derive(Debug)]
pub(crate) struct Dashboard {
    pub(crate) file: String,
    pub(crate) json: Value,
}

/// All dashboards that are provisioned.
pub(crate) fn all() -> Vec<Dashboard> {
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        Dashboard { file, json }
    };
    repository::files("deploy/grafana/dashboards").iter().map(read).collect()
}

impl Dashboard {
    pub(crate) fn uid(&self) -> &str {
        self.json["uid"].as_str().unwrap_or_else(|| panic!("{} has no uid", self.file))
    }

    /// Everything in the grid: the rows, and the panels in and under them.
    pub(crate) fn grid(&self) -> Vec<&Value> {
        let mut grid = Vec::new();
        for panel in self.json["panels"].as_array().unwrap() {
            grid.push(panel);
            grid.extend(panel["panels"].as_array().into_iter().flatten());
        }
        grid
    }

    /// What shows something.
    pub(crate) fn panels(&self) -> Vec<&Value> {
        self.grid().into_iter().filter(|panel| panel["type"] != "row").collect()
    }

    /// What a person calls a panel, in a message.
    pub(crate) fn name(&self, panel: &Value) -> String {
        format!("{}: panel {} {}", self.file, panel["id"], panel["title"])
    }
}
