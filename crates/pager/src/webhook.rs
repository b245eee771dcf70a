//! What Alertmanager posts: the payload of its webhook, version 4.
//!
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>. A field that is not
//! listed there is no error, since version 4 has been given new ones (`notification_reason`).

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use firedrill_contract::quoted;

/// The version that is understood.
const VERSION: &str = "4";

/// Whether an alert rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Firing,
    Resolved,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// One notification: alerts of one group, for one receiver.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    /// The name of the receiver in Alertmanager's configuration.
    pub(super) receiver: String,
    pub(super) alerts: Vec<Alert>,
    /// Where Alertmanager itself can be reached.
    #[serde(default, rename = "externalURL")]
    pub(super) external_url: String,
    /// Alerts of the group that were left out because of `max_alerts`.
    #[serde(default)]
    pub(super) truncated_alerts: u64,
}

/// One alert of a notification.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    pub(super) status: Status,
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) starts_at: Timestamp,
    /// When it ended; means nothing while it fires.
    pub(super) ends_at: Timestamp,
    /// Identifies the labels.
    pub(super) fingerprint: String,
    /// The expression's page in Prometheus.
    #[serde(default, rename = "generatorURL")]
    pub(super) generator_url: String,
}

/// Why a payload is not understood. Displays as what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PayloadError {
    /// It is not what Alertmanager sends.
    #[error("{0}")]
    Malformed(String),
    /// It may be right, in a version that came later or before.
    #[error("version: expected \"{VERSION}\", got \"{0}\"")]
    Version(String),
}

impl Notification {
    /// Reads a payload.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, PayloadError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: String,
        }
        match json.trim_ascii_start().first() {
            Some(b'{') => {}
            Some(_) => return Err(PayloadError::Malformed("expected a JSON object".to_owned())),
            None => return Err(PayloadError::Malformed("the body is empty: expected JSON".to_owned())),
        }
        let Versioned { version } = read(json)?;
        if version != VERSION {
            return Err(PayloadError::Version(quoted(&version)));
        }
        let notification: Self = read(json)?;
        let missing = |what: fmt::Arguments<'_>| Err(PayloadError::Malformed(format!("{what} is empty")));
        if notification.receiver.is_empty() {
            return missing(format_args!("receiver"));
        }
        if let Some(at) = notification.alerts.iter().position(|alert| alert.fingerprint.is_empty()) {
            return missing(format_args!("alerts[{at}].fingerprint"));
        }
        Ok(notification)
    }
}

fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, PayloadError> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut json).map_err(malformed)?;
    json.end().map_err(malformed)?;
    Ok(value)
}

/// What is wrong, fit to be shown and logged, whatever names and values of the payload it tells.
fn malformed(error: impl fmt::Display) -> PayloadError {
    const SHOWN: usize = 300;
    let text = error.to_string();
    let mut shown = String::new();
    for c in text.chars().take(SHOWN) {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    PayloadError::Malformed(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_payload_is_short_and_acts_on_no_terminal() {
        let hostile = format!("\u{1b}[31m\u{202e}{}", "x".repeat(9_000));
        for wrong in [
            FIRING.replace("\"version\":\"4\"", &format!("\"version\":{}", serde_json::json!(hostile))),
            FIRING.replace("\"firing\"", &serde_json::json!(hostile).to_string()),
        ] {
            let told = Notification::from_json(wrong.as_bytes()).unwrap_err().to_string();
            assert!(told.contains("\\u{1b}[31m\\u{202e}x") && told.len() < 1_000, "{told}");
        }
    }

    const FIRING: &str = include_str!("../../../tests/data/alertmanager/firing.json");
    const RESOLVED: &str = include_str!("../../../tests/data/alertmanager/resolved.json");
    const TRUNCATED: &str = include_str!("../../../tests/data/alertmanager/truncated.json");

    fn read(json: &str) -> Notification {
        Notification::from_json(json.as_bytes()).unwrap()
    }

    #[test]
    fn what_a_real_alertmanager_sent_is_understood() {
        let Notification { receiver, alerts, external_url, truncated_alerts } = read(FIRING);
        assert_eq!((&*receiver, truncated_alerts), ("pager", 0));
        assert_eq!(external_url, "http://alertmanager.example:9093");
        let [alert] = &alerts[..] else { panic!("{alerts:?}") };
        assert_eq!((alert.status, &*alert.labels["alertname"]), (Status::Firing, "HighErrorRatio"));
        assert_eq!(alert.annotations["summary"], "Half of the requests fail");
        assert_eq!(alert.starts_at.to_string(), "2026-11-22T18:38:24.434224069Z");
        assert_eq!(alert.generator_url, "http://prometheus.example:9090/graph?g0.expr=up");

        let resolved = &read(RESOLVED).alerts[0];
        assert_eq!(resolved.status, Status::Resolved);
        assert_eq!((&resolved.fingerprint, resolved.starts_at), (&alert.fingerprint, alert.starts_at));
        assert_eq!(resolved.ends_at.to_string(), "2026-11-22T18:38:27Z");

        let truncated = read(TRUNCATED);
        assert_eq!((truncated.alerts.len(), truncated.truncated_alerts), (2, 1));
    }

    #[test]
    fn a_time_may_have_an_offset() {
        let alert =
            &read(&FIRING.replace("2026-11-22T18:38:24.434224069Z", "2026-11-22T20:38:24.434224069+02:00"))
                .alerts[0];
        assert_eq!(alert.starts_at, read(FIRING).alerts[0].starts_at);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (wrong, named) in [
            (FIRING.replace("\"version\":\"4\"", "\"version\":\"5\""), "version: expected \"4\", got \"5\""),
            (FIRING.replace("\"version\":\"4\",", ""), "version"),
            (FIRING.replace("\"version\":\"4\"", "\"version\":4"), "version: invalid type"),
            (FIRING.replace("\"receiver\":\"pager\",", ""), "receiver"),
            (FIRING.replace("\"receiver\":\"pager\"", "\"receiver\":\"\""), "receiver is empty"),
            (FIRING.replace("\"alerts\":[", "\"warnings\":["), "alerts"),
            (FIRING.replace("\"2026-11-22T18", "\"yesterday"), "alerts[0].startsAt"),
            (FIRING.replace("\"fingerprint\"", "\"finger\""), "alerts[0]: missing field `fingerprint`"),
            (FIRING.replace("2c8353ec3ec90c67", ""), "alerts[0].fingerprint is empty"),
            (
                FIRING.replace("\"status\":\"firing\",\"labels\"", "\"status\":\"on\",\"labels\""),
                "alerts[0].status",
            ),
            (
                FIRING.replace("\"workload\":\"demo\"},\"ann", "\"workload\":1},\"ann"),
                "alerts[0].labels.workload",
            ),
            (FIRING[..FIRING.len() / 2].to_owned(), "EOF"),
            (format!("{FIRING}{FIRING}"), "trailing"),
            ("[]".to_owned(), "expected a JSON object"),
            ("null".to_owned(), "expected a JSON object"),
            (String::new(), "the body is empty"),
        ] {
            let error = Notification::from_json(wrong.as_bytes()).expect_err(named).to_string();
            assert!(error.contains(named), "{error:?} does not name {named:?}");
        }
    }
}
