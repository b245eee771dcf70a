//! A real Alertmanager is watched, and the pager that it tells is asked.

use std::time::Duration;

use firedrill_drill::evidence::{Alertmanager, AlertmanagerAlert, Evidence, Sources};
use firedrill_drill::question::Questions;
use serde_json::json;

use super::{client, collector, now};
use crate::pager::alertmanager::{TOKEN, telling};
use crate::support::eventually::eventually;
use crate::support::pager::Pager;

const LIMIT: Duration = Duration::from_secs(30);

fn said(evidence: &Evidence) -> &Alertmanager {
    evidence.alertmanager.received().unwrap_or_else(|| panic!("{:?}", evidence.alertmanager))
}

fn held<'a>(alertmanager: &'a Alertmanager, name: &str) -> Option<&'a AlertmanagerAlert> {
    alertmanager.alerts.iter().find(|held| held.labels["alertname"] == name)
}

#[tokio::test]
#[ignore = "needs Alertmanager on PATH: cargo test -- --include-ignored"]
async fn what_alertmanager_holds_and_what_rang_is_found() {
    let pager = Pager::start_with(&[], &[("FIREDRILL_PAGER_TOKEN", TOKEN)]).await;
    let alertmanager = telling(&pager).await;
    let began = now();
    let sources = Sources {
        alertmanager: Some(client(&alertmanager.url)),
        pager: Some(client(&format!("http://{}", pager.address))),
        ..Sources::default()
    };
    let collector = collector(&sources, &Questions::default()).await;
    let before = collector.collect(&Questions::default(), began).await;
    assert_eq!(said(&before).alerts, []);
    assert_eq!(said(&before).receivers, ["pager", "heartbeat", "nowhere"]);

    let starts_at = jiff::Timestamp::now();
    let alert = |name: &str| json!({ "labels": { "alertname": name }, "startsAt": starts_at });
    alertmanager.alert(json!([alert("DiskFull"), alert("Lost"), alert("Symptom"), alert("Cause")])).await;
    let evidence = eventually(LIMIT, async || {
        let evidence = collector.collect(&Questions::default(), began).await;
        let pages = &evidence.pager.received().ok_or_else(|| format!("{:?}", evidence.pager))?.pages;
        let failed = said(&evidence).failed.as_ref().map_or(0, Vec::len);
        let told = pages.iter().any(|page| page.labels["alertname"] == "DiskFull" && page.rang_at.is_some());
        // The page may be there before the next look at Alertmanager.
        let seen = ["DiskFull", "Lost"].iter().all(|name| held(said(&evidence), name).is_some());
        let inhibited = said(&evidence).alerts.iter().any(|held| !held.inhibited_by.is_empty());
        if told && failed > 0 && seen && inhibited { Ok(evidence) } else { Err(format!("{evidence:#?}")) }
    })
    .await;

    let alertmanager = said(&evidence);
    let disk = held(alertmanager, "DiskFull").unwrap();
    assert_eq!((&disk.receivers[..], disk.starts_at), (&["pager".to_owned()][..], starts_at.into()));
    assert!(began < disk.first_seen && disk.first_seen <= disk.last_seen, "{disk:?}");
    let symptom = alertmanager.alerts.iter().find(|held| !held.inhibited_by.is_empty());
    let symptom = symptom.unwrap_or_else(|| panic!("{:#?}", alertmanager.alerts));
    assert_eq!(symptom.labels["alertname"], "Symptom");
    assert!(symptom.inhibited_by[0].starts_with("Cause ("), "{symptom:?}");
    // Nobody listens where Lost is sent.
    assert_eq!(held(alertmanager, "Lost").unwrap().receivers, ["nowhere"]);
    let failed = &alertmanager.failed.as_ref().unwrap()[0];
    assert!(failed.integration == "webhook" && failed.count >= 1.0, "{failed:?}");
    assert_eq!(alertmanager.unseen, []);

    let pager = evidence.pager.received().unwrap();
    assert!(pager.clock.ahead_ms.abs() <= pager.clock.give_or_take_ms, "{:?}", pager.clock);
    assert!(pager.listening_since < began);
    assert!(pager.pages.iter().all(|page| page.labels["alertname"] != "Symptom"), "{:?}", pager.pages);
}
