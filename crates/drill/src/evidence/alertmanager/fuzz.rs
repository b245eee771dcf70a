//! What has to hold whatever an Alertmanager answers.

use std::collections::BTreeSet;

use super::failures::Failures;
use super::watch::{AlertLog, State};
use super::{Alert, AlertmanagerAlert, Group, Receiver, muted};
use crate::evidence::exposition;
use firedrill_contract::Time;
use firedrill_net::client::Answer;

/// Reads an answer as one to each question that there is.
pub(in crate::evidence) fn read(answer: &Answer<'_>) {
    let alerts = answer.json::<Vec<Alert>>();
    let groups = answer.json::<Vec<Group>>();
    let _ = answer.json::<Vec<Receiver>>();
    match (alerts, groups) {
        (Ok(alerts), Ok(groups)) => held(&muted(alerts, groups)),
        (Ok(alerts), Err(_)) => held(&alerts),
        (Err(_), Ok(groups)) => {
            let alerts: Vec<_> = groups.iter().flat_map(|group| group.alerts.clone()).collect();
            held(&muted(alerts, groups));
        }
        (Err(_), Err(_)) => {}
    }
    if let Ok(samples) =
        answer.text().map_err(|_| ()).and_then(|text| exposition::parse(text).map_err(|_| ()))
    {
        let failures = Failures::from_samples(&samples);
        assert!(failures.since(&failures).is_empty(), "nothing failed in no time");
        assert!(failures.since(&Failures::default()).iter().all(|failed| failed.count > 0.0));
    }
}

/// Alerts that are there at two looks, and gone at the third.
fn held(alerts: &[Alert]) {
    let mut log = AlertLog::default();
    let at = |second: i64| Time::from_millis(second * 1_000);
    log.take(at(1), Ok(alerts.to_vec()));
    log.take(at(2), Ok(alerts.to_vec()));
    log.take(at(3), Err("gone".to_owned()));
    log.take(at(4), Ok(Vec::new()));
    let distinct: BTreeSet<_> = alerts.iter().map(|alert| State::of(alert.clone()).0).collect();
    assert_eq!(log.held.len(), distinct.len());
    assert!(log.held.iter().all(|held| (held.first_seen, held.last_seen) == (at(1), at(2))));
    assert_eq!(log.unseen(at(5)).len(), 1);
    let json = serde_json::to_string(&log.held).expect("evidence has a form in JSON");
    let again: Vec<AlertmanagerAlert> = serde_json::from_str(&json).expect("what was written is read");
    assert_eq!(again, log.held);
}
