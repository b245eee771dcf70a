//! The dead man's switch.

use serde_json::{Value, json};

use crate::support::pager::{Pager, alert, names, notification};
use crate::support::process::within;

impl Pager {
    /// Asks until `/ready` has this status; what it said then.
    async fn ready(&self, status: u16) -> String {
        let until = async {
            loop {
                let ready = self.get("/ready").await;
                if ready.status == status {
                    return ready.text();
                }
            }
        };
        within(until, &format!("/ready to be {status}")).await
    }

    async fn beat(&self) -> Value {
        self.notify(notification([alert("Watchdog", "firing", 0)])).await
    }
}

#[tokio::test]
async fn a_heartbeat_that_stops_is_noticed_and_so_is_its_return() {
    let mut pager = Pager::start(&["--heartbeat-timeout", "1s"]).await;
    assert_eq!(pager.beat().await["heartbeats"], 1);
    assert_eq!(pager.ready(200).await, "ready");
    let scrape = pager.scrape().await;
    assert_eq!(scrape.sum("firedrill_pager_heartbeat_stopped", &[]), 0.0);
    assert!(scrape.sum("firedrill_pager_heartbeat_age_seconds", &[]) < 1.0);

    let reason = pager.ready(503).await;
    assert!(reason.contains("no heartbeat: Watchdog last came 1 s ago (allowed: 1 s)"), "{reason}");
    let scrape = pager.scrape().await;
    assert_eq!(scrape.sum("firedrill_pager_heartbeat_stopped", &[]), 1.0);
    assert!(scrape.sum("firedrill_pager_heartbeat_age_seconds", &[]) > 1.0);
    pager.process.logged("the heartbeat has stopped").await;
    assert!(pager.get("/").await.text().contains("No heartbeat:"));
    assert_eq!(pager.get("/health").await.status, 200, "the pager itself is well");

    pager.beat().await;
    pager.ready(200).await;
    pager.process.logged("the heartbeat is back").await;
    assert_eq!(pager.scrape().await.sum("firedrill_pager_heartbeats_total", &[]), 2.0);
}

#[tokio::test]
async fn a_chain_that_never_worked_is_noticed() {
    let pager = Pager::start(&["--heartbeat-timeout", "300ms"]).await;
    let reason = pager.ready(503).await;
    assert!(reason.contains("Watchdog never came"), "{reason}");
    let scrape = pager.scrape().await;
    assert_eq!(scrape.sum("firedrill_pager_heartbeat_stopped", &[]), 1.0);
    assert!(scrape.sum("firedrill_pager_heartbeat_age_seconds", &[]) > 0.3);
    assert_eq!(pager.get("/pages").await.json()["heartbeat"]["state"], "never began");
    // A page is not a heartbeat.
    pager.notify(notification([alert("Other", "firing", 0)])).await;
    assert_eq!(pager.get("/ready").await.status, 503);
}

#[tokio::test]
async fn a_heartbeat_that_alertmanager_calls_ended_has_stopped_at_once() {
    let pager = Pager::start(&[]).await;
    pager.beat().await;
    pager.ready(200).await;
    pager.notify(notification([alert("Watchdog", "resolved", 0)])).await;
    assert!(pager.ready(503).await.contains("Alertmanager said that Watchdog ended"));
    pager.beat().await;
    pager.ready(200).await;
}

#[tokio::test]
async fn a_heartbeat_is_no_page() {
    let pager = Pager::start(&["--heartbeat", "Pulse"]).await;
    let taken =
        pager.notify(notification([alert("Pulse", "firing", 0), alert("Watchdog", "firing", 0)])).await;
    assert_eq!(taken, json!({ "firing": 1, "resolved": 0, "repeated": 0, "heartbeats": 1 }));
    assert_eq!(names(&pager.pages("").await), ["Watchdog"]);
    let scrape = pager.scrape().await;
    assert_eq!(scrape.sum("firedrill_pages_total", &[("status", "firing")]), 1.0);
    // Its receiver's series exist from then on.
    assert!(scrape.has("firedrill_pages_total", &[("receiver", "pager"), ("status", "resolved")]));
}

#[tokio::test]
async fn who_has_no_heartbeat_can_say_so() {
    let pager = Pager::start(&["--heartbeat-timeout", "0"]).await;
    assert_eq!(pager.get("/ready").await.status, 200);
    assert_eq!(pager.get("/pages").await.json()["heartbeat"], Value::Null);
    assert!(!pager.scrape().await.has("firedrill_pager_heartbeat_stopped", &[]));
    pager.beat().await;
    assert_eq!(names(&pager.pages("").await), ["Watchdog"]);
}
