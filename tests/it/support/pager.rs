//! A running `firedrill pager`, and what Alertmanager sends it.

use std::ops::{Deref, DerefMut};

use jiff::{Span, Timestamp};
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::process::Ended;
use crate::support::serving::Serving;

/// What a real Alertmanager 0.33.1 sent when an alert fired, and when it was resolved.
pub(crate) const FIRING: &str = include_str!("../../data/alertmanager/firing.json");
pub(crate) const RESOLVED: &str = include_str!("../../data/alertmanager/resolved.json");
/// And when `max_alerts` let it tell two alerts of three.
pub(crate) const TRUNCATED: &str = include_str!("../../data/alertmanager/truncated.json");

/// A running pager on a port of its own.
pub(crate) struct Pager(Serving);

impl Deref for Pager {
    type Target = Serving;

    fn deref(&self) -> &Serving {
        &self.0
    }
}

impl DerefMut for Pager {
    fn deref_mut(&mut self) -> &mut Serving {
        &mut self.0
    }
}

impl Pager {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        Self::start_with(flags, &[]).await
    }

    pub(crate) async fn start_with(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self(Serving::start_with("pager", flags, variables).await)
    }

    /// Posts a body with these headers to the webhook.
    pub(crate) async fn post(&self, headers: &str, body: &str) -> Answer {
        let mut client = self.connect().await;
        client
            .send(format!(
                "POST /webhook HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n{headers}\r\n{body}",
                body.len()
            ))
            .await;
        client.answer().await
    }

    /// Posts a notification that must be taken.
    pub(crate) async fn notify(&self, payload: impl ToString) -> Value {
        let answer = self.post("content-type: application/json\r\n", &payload.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The pages that this query asks for.
    pub(crate) async fn pages(&self, query: &str) -> Vec<Value> {
        let answer = self.get(&format!("/pages?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["pages"].as_array().unwrap().clone()
    }

    pub(crate) async fn ended(self) -> Ended {
        self.0.ended().await
    }
}

/// A notification to the receiver `pager`.
pub(crate) fn notification(alerts: impl Into<Value>) -> Value {
    json!({ "version": "4", "receiver": "pager", "status": "firing", "alerts": alerts.into() })
}

/// An alert that began this many seconds ago.
pub(crate) fn alert(name: &str, status: &str, seconds_ago: i64) -> Value {
    let starts_at = Timestamp::now() - Span::new().seconds(seconds_ago);
    json!({
        "status": status,
        "labels": { "alertname": name, "severity": "page" },
        "annotations": {},
        "startsAt": starts_at,
        "endsAt": if status == "firing" { "0001-01-01T00:00:00Z".to_owned() } else { Timestamp::now().to_string() },
        "generatorURL": "",
        "fingerprint": format!("{name:?}"),
    })
}

/// The alert's names, in the order of the pages.
pub(crate) fn names(pages: &[Value]) -> Vec<&str> {
    pages.iter().map(|page| page["labels"]["alertname"].as_str().unwrap()).collect()
}
