//! A copy of the configuration that ships, to be broken.

use std::collections::BTreeMap;

use super::stack::{Drilled, Stack};
use crate::support::directory::Directory;
use crate::support::repository;

pub(crate) const ALERTMANAGER: &str = "deploy/alertmanager/alertmanager.yml";
pub(crate) const PROMETHEUS: &str = "deploy/prometheus/prometheus.yml";
pub(crate) const SERVICE: &str = "deploy/grafana/dashboards/service.json";
pub(crate) const RULES: &str = "deploy/prometheus/rules/fast.yml";

/// Where the files are that are copied.
const DIRECTORIES: [&str; 5] = [
    "deploy/alertmanager",
    "deploy/grafana/dashboards",
    "deploy/prometheus",
    "deploy/prometheus/rules",
    "drills",
];

/// The texts of the files, by their paths in the repository.
pub(crate) struct Shipped(BTreeMap<String, String>);

impl Shipped {
    pub(crate) fn copy() -> Self {
        let mut files = BTreeMap::new();
        for directory in DIRECTORIES {
            for path in repository::files(directory) {
                if path.extension().is_some_and(|extension| extension != "md") {
                    let name = format!("{directory}/{}", path.file_name().unwrap().display());
                    files.insert(name, std::fs::read_to_string(path).unwrap());
                }
            }
        }
        Self(files)
    }

    /// With every occurrence of a text in a file replaced, of which there must be one.
    pub(crate) fn with(mut self, file: &str, from: &str, to: &str) -> Self {
        let text = self.0.get_mut(file).unwrap_or_else(|| panic!("{file} does not ship"));
        assert!(text.contains(from), "{file} does not contain what is to be replaced:\n{from}");
        *text = text.replace(from, to);
        self
    }

    /// With the smoke drill looking at the one dashboard that has data without a container and its memory limit.
    pub(crate) fn with_panels(self) -> Self {
        self.with("drills/smoke.yaml", "deploy/grafana/dashboards/*.json", SERVICE)
    }

    /// With the pager at this address.
    pub(crate) fn paging(self, pager: &str) -> Self {
        self.with(ALERTMANAGER, "pager:8090", pager).with(PROMETHEUS, "pager:8090", pager)
    }

    /// With the service and Alertmanager at these addresses, and Prometheus at work so often.
    pub(crate) fn watching(self, service: &str, alertmanager: &str, every: &str) -> Self {
        self.with(PROMETHEUS, "alertmanager:9093", alertmanager)
            .with(
                PROMETHEUS,
                "static_configs:\n      - targets: [localhost:9090]",
                "file_sd_configs:\n      - files: [itself.json]",
            )
            .with(
                PROMETHEUS,
                "dns_sd_configs:\n      - names: [app]\n        type: A\n        port: 8080\n        refresh_interval: 5s",
                &format!("static_configs:\n      - targets: [{service}]"),
            )
            .with(PROMETHEUS, "scrape_interval: 5s", &format!("scrape_interval: {every}"))
            .with(PROMETHEUS, "scrape_timeout: 4s", &format!("scrape_timeout: {every}"))
            .with(PROMETHEUS, "evaluation_interval: 5s", &format!("evaluation_interval: {every}"))
    }

    pub(crate) fn text(&self, file: &str) -> &str {
        &self.0[file]
    }

    /// Writes all of it where it was in the repository.
    pub(crate) fn write(&self, directory: &Directory) {
        self.0.iter().for_each(|(name, text)| directory.write(name, text));
    }

    /// Runs a drill that ships against it.
    pub(super) async fn drilled(self, drill: &str) -> Drilled {
        Stack::start(self).await.begin(&[drill]).ended().await
    }
}
