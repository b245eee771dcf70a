//! What a Prometheus knows, by its HTTP API.

use serde_json::Value;

use crate::support::fetch;

/// A running Prometheus.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    /// Such as `http://127.0.0.1:9090`.
    pub(crate) url: String,
}

/// A raw sample, as it was scraped.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raw {
    /// The labels of its series.
    pub(crate) metric: Value,
    /// When it was scraped, in seconds since the Unix epoch.
    pub(crate) at: f64,
    pub(crate) value: RawValue,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawValue {
    Float(f64),
    /// A native histogram: how many observations, their sum, and how many buckets are not empty.
    Native {
        count: f64,
        sum: f64,
        buckets: usize,
    },
}

impl Raw {
    /// The value of a sample that is a number.
    pub(crate) fn number(&self) -> f64 {
        match self.value {
            RawValue::Float(value) => value,
            RawValue::Native { .. } => panic!("a native histogram is no number: {self:?}"),
        }
    }
}

impl Api {
    /// The result of an instant query.
    pub(crate) async fn query(&self, promql: &str) -> Result<Vec<Value>, String> {
        let answer = fetch::post_form(&format!("{}/api/v1/query", self.url), &[("query", promql)]).await?;
        let json = answer.json()?;
        let result = json["data"]["result"].as_array();
        result.cloned().ok_or_else(|| format!("{promql}: {json}"))
    }

    /// The last raw sample of each series of the last minutes: no extrapolation, no staleness.
    pub(crate) async fn last(&self, selector: &str) -> Result<Vec<Raw>, String> {
        let series = self.query(&format!("{selector}[10m]")).await?;
        Ok(series.iter().filter_map(last).collect())
    }

    /// The targets that are scraped.
    pub(crate) async fn targets(&self) -> Result<Vec<Value>, String> {
        let json = fetch::get(&format!("{}/api/v1/targets?state=active", self.url)).await?.json()?;
        let targets = json["data"]["activeTargets"].as_array();
        targets.cloned().ok_or_else(|| format!("no targets: {json}"))
    }

    /// The instances of this job that were up at their last scrape.
    ///
    /// # Errors
    /// Where not so many are, and why the others are not.
    pub(crate) async fn up(&self, job: &str, count: usize) -> Result<Vec<String>, String> {
        let targets = self.targets().await?;
        let of_job: Vec<_> = targets.iter().filter(|target| target["labels"]["job"] == job).collect();
        let up: Vec<_> = of_job.iter().filter(|target| target["health"] == "up").collect();
        if up.len() != count || of_job.len() != count {
            return Err(format!("job {job}: {count} expected to be up, found {of_job:#?}"));
        }
        Ok(up.iter().map(|target| target["labels"]["instance"].as_str().unwrap().to_owned()).collect())
    }
}

/// The newest sample of a series of a range.
fn last(series: &Value) -> Option<Raw> {
    let float = series["values"].as_array().and_then(|samples| samples.last());
    let native = series["histograms"].as_array().and_then(|samples| samples.last());
    let (pair, value) = match (float, native) {
        (Some(pair), None) => (pair, RawValue::Float(number(&pair[1]))),
        (None, Some(pair)) => {
            let histogram = &pair[1];
            let buckets = histogram["buckets"].as_array().map_or(0, Vec::len);
            let (count, sum) = (number(&histogram["count"]), number(&histogram["sum"]));
            (pair, RawValue::Native { count, sum, buckets })
        }
        _ => return None,
    };
    Some(Raw { metric: series["metric"].clone(), at: pair[0].as_f64()?, value })
}

fn number(text: &Value) -> f64 {
    text.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("not a sample's value: {text}"))
}
