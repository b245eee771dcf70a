//! Notifications that failed, as Alertmanager counts them.

use std::collections::BTreeMap;

use super::FailedNotifications;
use crate::evidence::exposition::{self, Exposed};
use crate::evidence::series::Labels;
use firedrill_net::client::{Client, Failure, Question};

/// Notifications that were given up.
const GIVEN_UP: &str = "alertmanager_notifications_failed_total";

/// Attempts at a notification that failed, and are made again until it is given up.
const ATTEMPTS: &str = "alertmanager_notification_requests_failed_total";

/// Counters of what failed, by their labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Failures {
    given_up: BTreeMap<Labels, f64>,
    attempts: BTreeMap<Labels, f64>,
}

impl Failures {
    /// What it has counted by now.
    pub(super) async fn read(client: &Client) -> Result<Self, Failure> {
        let question = Question::get("/metrics").accepting("text/plain;version=0.0.4");
        let answer = client.fetch(&question).await?;
        let samples =
            exposition::parse(answer.text()?).map_err(|wrong| answer.failure(&wrong.to_string()))?;
        if samples.iter().any(|sample| sample.name == GIVEN_UP) {
            Ok(Self::from_samples(&samples))
        } else {
            Err(answer.failure(&format!("expected {GIVEN_UP}, which is not among its metrics")))
        }
    }

    pub(super) fn from_samples(samples: &[Exposed<'_>]) -> Self {
        let counters = |name: &str| {
            let samples = samples.iter().filter(|sample| sample.name == name);
            samples
                .map(|sample| {
                    let labels = sample.labels.iter();
                    let labels = labels.map(|(name, value)| ((*name).to_owned(), value.clone().into_owned()));
                    (labels.collect(), sample.value)
                })
                .collect()
        };
        Self { given_up: counters(GIVEN_UP), attempts: counters(ATTEMPTS) }
    }

    /// What failed since then. Of an integration that has given up nothing, attempts that failed count:
    /// it may take minutes until one is given up.
    pub(super) fn since(&self, before: &Self) -> Vec<FailedNotifications> {
        let mut failed = increases(&before.given_up, &self.given_up);
        let attempts = increases(&before.attempts, &self.attempts);
        let still = attempts.into_iter().filter(|attempt| {
            let same = |given_up: &FailedNotifications| {
                given_up.integration == attempt.integration && given_up.receiver == attempt.receiver
            };
            !failed.iter().any(same)
        });
        let reason = Some("an attempt failed, and is made again".to_owned());
        let still: Vec<_> =
            still.map(|attempt| FailedNotifications { reason: reason.clone(), ..attempt }).collect();
        failed.extend(still);
        failed
    }
}

/// By how much each counter went up.
fn increases(before: &BTreeMap<Labels, f64>, after: &BTreeMap<Labels, f64>) -> Vec<FailedNotifications> {
    let increases = after.iter().map(|(labels, count)| {
        // A counter that is lower than before began again at zero.
        let before = before.get(labels).filter(|before| *before <= count).copied().unwrap_or_default();
        FailedNotifications {
            integration: labels.get("integration").cloned().unwrap_or_default(),
            receiver: labels.get("receiver_name").cloned(),
            reason: labels.get("reason").cloned(),
            count: count - before,
        }
    });
    increases.filter(|failed| failed.count > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_what_was_counted_since() {
        let text = include_str!("../../../../../tests/data/alertmanager/metrics.txt");
        let before = Failures::from_samples(&exposition::parse(text).unwrap());
        assert_eq!(before.since(&before), []);
        let count = |given_up: f64, attempts: f64| {
            let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let mut after = before.clone();
            let (webhook, reason) = (label("integration", "webhook"), label("reason", "other"));
            after.given_up.insert([webhook.clone(), reason].into(), given_up);
            after.attempts.insert([webhook].into(), attempts);
            after
        };
        let told = |failed: Vec<FailedNotifications>| {
            let one =
                |failed: FailedNotifications| (failed.integration, failed.reason.unwrap(), failed.count);
            failed.into_iter().map(one).collect::<Vec<_>>()
        };
        let of = |reason: &str, count| ("webhook".to_owned(), reason.to_owned(), count);
        assert_eq!(told(count(3.0, 9.0).since(&before)), [of("other", 3.0)]);
        assert_eq!(told(count(3.0, 9.0).since(&count(1.0, 5.0))), [of("other", 2.0)]);
        assert_eq!(told(count(2.0, 2.0).since(&count(5.0, 5.0))), [of("other", 2.0)], "it began again");
        let again = "an attempt failed, and is made again";
        assert_eq!(told(count(0.0, 4.0).since(&before)), [of(again, 4.0)]);
    }
}
