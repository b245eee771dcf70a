//! What Grafana shows, by its HTTP API, to somebody who has not logged in.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::dashboard::Dashboard;
use crate::support::fetch;

/// What `$__rate_interval` is where little time is shown: four times the scrape interval, which the data source has.
const RATE_INTERVAL: &str = "20s";

pub(super) struct Grafana {
    pub(super) url: String,
}

impl Grafana {
    /// The uids of the dashboards that are there.
    pub(super) async fn dashboards(&self) -> Result<Vec<String>, String> {
        let found = fetch::get(&format!("{}/api/search?type=dash-db", self.url)).await?.json()?;
        let found = found.as_array().ok_or_else(|| format!("no list of dashboards: {found}"))?;
        Ok(found.iter().map(|dashboard| dashboard["uid"].as_str().unwrap().to_owned()).collect())
    }

    /// Whether each query of each panel of a dashboard has data.
    ///
    /// # Errors
    /// The panels that have none.
    pub(super) async fn every_panel_has_data(&self, dashboard: &Dashboard) -> Result<(), String> {
        let url = format!("{}/api/dashboards/uid/{}", self.url, dashboard.uid());
        let mut provisioned = fetch::get(&url).await?.json()?;
        let shown = Dashboard { file: dashboard.file.clone(), json: provisioned["dashboard"].take() };
        let mut empty = Vec::new();
        for panel in shown.panels() {
            for target in panel["targets"].as_array().unwrap() {
                if let Err(why) = self.has_data(target).await {
                    empty.push(format!("{}: {}: {why}", shown.name(panel), target["refId"]));
                }
            }
        }
        if empty.is_empty() { Ok(()) } else { Err(empty.join("\n")) }
    }

    async fn has_data(&self, target: &Value) -> Result<(), String> {
        let expression = target["expr"].as_str().ok_or("no expression")?;
        // What a browser puts in: the variables' defaults.
        let expression = [("$job", "firedrill"), ("$instance", ".*"), ("$workload", ".*")]
            .iter()
            .fold(expression.to_owned(), |text, (variable, value)| text.replace(variable, value));
        let has = match target["format"].as_str() {
            Some("heatmap") => self.native_histograms(&expression).await?,
            _ => self.numbers(target, &expression).await?,
        };
        if has { Ok(()) } else { Err(format!("no data: {expression}")) }
    }

    /// Whether a panel gets numbers.
    async fn numbers(&self, target: &Value, expression: &str) -> Result<bool, String> {
        let mut query = target.clone();
        query["expr"] = expression.into();
        query["maxDataPoints"] = 500.into();
        query["intervalMs"] = 1_000.into();
        let body = json!({ "from": "now-5m", "to": "now", "queries": [query] });
        let answer = fetch::post_json(&format!("{}/api/ds/query", self.url), &body).await?.json()?;
        let result = &answer["results"][target["refId"].as_str().ok_or("no refId")?];
        if let Some(error) = result["error"].as_str() {
            return Err(error.to_owned());
        }
        let frames = result["frames"].as_array().ok_or_else(|| format!("no frames: {answer}"))?;
        let mut columns = frames.iter().flat_map(|frame| {
            let fields = frame["schema"]["fields"].as_array().into_iter().flatten();
            let values = frame["data"]["values"].as_array().into_iter().flatten();
            fields.zip(values).filter(|(field, _)| field["type"] == "number").map(|(_, values)| values)
        });
        // NaN is null in JSON.
        Ok(columns.any(|values| values.as_array().into_iter().flatten().any(Value::is_number)))
    }

    /// Whether a heat map gets native histograms, asked for through Grafana's data source.
    async fn native_histograms(&self, expression: &str) -> Result<bool, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (start, end) = ((now - 60).to_string(), now.to_string());
        let expression = expression.replace("$__rate_interval", RATE_INTERVAL);
        let form = [("query", &*expression), ("start", &start), ("end", &end), ("step", "5")];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let url = format!("{}/api/datasources/proxy/uid/prometheus/api/v1/query_range?{query}", self.url);
        let answer = fetch::get(&url).await?.json()?;
        let series = answer["data"]["result"].as_array().ok_or_else(|| format!("no result: {answer}"))?;
        let mut histograms =
            series.iter().flat_map(|series| series["histograms"].as_array().into_iter().flatten());
        Ok(histograms
            .any(|sample| sample[1]["buckets"].as_array().is_some_and(|buckets| !buckets.is_empty())))
    }
}
