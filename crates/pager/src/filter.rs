//! Which pages `/pages` was asked for.

use jiff::Timestamp;

use super::store::Page;
use super::webhook::Status;
use firedrill_contract::Refusal;
use firedrill_contract::quantity::parse_duration;
use firedrill_server::request::Query;

const NAMES: &str = "alertname, label, since and status";

/// What a page must be.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Filter {
    alertname: Option<String>,
    labels: Vec<(String, String)>,
    since: Option<Timestamp>,
    status: Option<Status>,
}

impl Filter {
    pub(super) fn from_query(query: &Query, now: Timestamp) -> Result<Self, Refusal> {
        let mut filter = Self::default();
        for (name, value) in query.parameters() {
            let refusal = |expected: &str| {
                Err(Refusal {
                    parameter: name.to_owned(),
                    got: value.to_owned(),
                    expected: expected.to_owned(),
                })
            };
            let twice = match name {
                "alertname" => filter.alertname.replace(value.to_owned()).is_some(),
                "label" => match value.split_once('=') {
                    Some((key, value)) if !key.is_empty() => {
                        filter.labels.push((key.to_owned(), value.to_owned()));
                        false
                    }
                    _ => return refusal("a label and its value, such as label=severity=page"),
                },
                "since" => match time(value, now) {
                    Some(since) => filter.since.replace(since).is_some(),
                    None => {
                        return refusal("a time such as 2026-01-31T12:00:00Z, or how long ago, such as 10m");
                    }
                },
                "status" => match value {
                    "firing" => filter.status.replace(Status::Firing).is_some(),
                    "resolved" => filter.status.replace(Status::Resolved).is_some(),
                    _ => return refusal("firing or resolved"),
                },
                _ => return refusal(&format!("one of the parameters {NAMES}")),
            };
            if twice {
                return refusal("to be given once; only label may be given again");
            }
        }
        Ok(filter)
    }

    /// Whether a page is among those that were asked for. Since a time are those that were notified then
    /// or later.
    pub(super) fn matches(&self, page: &Page) -> bool {
        self.alertname.as_ref().is_none_or(|name| page.alertname() == name)
            && self.labels.iter().all(|(name, value)| page.labels.get(name) == Some(value))
            && self.since.is_none_or(|since| page.last_received_at >= since)
            && self.status.is_none_or(|status| page.status == status)
    }
}

/// A time, or how long ago.
fn time(text: &str, now: Timestamp) -> Option<Timestamp> {
    match parse_duration(text) {
        Ok(ago) => now.checked_sub(ago).ok(),
        // In a query that was typed by hand, the + of an offset is read as a space.
        Err(_) => text.replace(' ', "+").parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn now() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn read(query: &str) -> Filter {
        Filter::from_query(&Query::parse(query), now()).unwrap_or_else(|refusal| panic!("{query}: {refusal}"))
    }

    fn page() -> Page {
        Page {
            status: Status::Firing,
            receiver: "pager".to_owned(),
            fingerprint: "f".to_owned(),
            starts_at: now(),
            ends_at: None,
            first_received_at: now(),
            last_received_at: now(),
            times_received: 1,
            rang_at: Some(now()),
            delay_seconds: Some(0.0),
            resolved_at: None,
            labels: BTreeMap::from([("alertname", "A"), ("expr", "a=b"), ("severity", "page")])
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            annotations: BTreeMap::new(),
            generator_url: String::new(),
            external_url: String::new(),
        }
    }

    #[test]
    fn a_page_must_be_all_that_was_asked_for() {
        for (query, takes) in [
            ("", true),
            ("alertname=A", true),
            ("alertname=B", false),
            ("label=severity=page", true),
            ("label=severity%3Dpage&label=expr=a=b", true),
            ("label=severity=page&label=expr=b", false),
            ("label=team=", false),
            ("status=firing", true),
            ("status=resolved", false),
            ("since=2026-01-31T12:00:00Z", true),
            ("since=2026-01-31T13:00:00+01:00", true),
            ("since=2026-01-31T12:00:00.001Z", false),
            ("since=0", true),
            ("since=10m", true),
            ("alertname=A&status=resolved", false),
        ] {
            assert_eq!(read(query).matches(&page()), takes, "{query}");
        }
    }

    #[test]
    fn what_cannot_be_asked_is_refused_by_name() {
        for (query, parameter) in [
            ("alertnam=A", "alertnam"),
            ("label=severity", "label"),
            ("label==page", "label"),
            ("since=yesterday", "since"),
            ("since=10 minutes", "since"),
            ("status=on", "status"),
            ("status=firing&status=resolved", "status"),
            ("alertname=A&alertname=A", "alertname"),
        ] {
            assert_eq!(
                Filter::from_query(&Query::parse(query), now()).expect_err(query).parameter,
                parameter
            );
        }
    }
}
