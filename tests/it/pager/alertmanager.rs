//! A real Alertmanager delivers to the pager.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::alertmanager::Alertmanager;
use crate::support::eventually::eventually;
use crate::support::pager::Pager;

const LIMIT: Duration = Duration::from_secs(30);
pub(crate) const TOKEN: &str = "s3cret";

/// An Alertmanager that tells this pager at once and repeats the Watchdog each second.
pub(crate) async fn telling(pager: &Pager) -> Alertmanager {
    // A port that nobody has: the one that this listener gives back here.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let configuration = format!(
        "route:\n  receiver: pager\n  group_by: [alertname]\n  group_wait: 10ms\n  group_interval: 200ms\n  repeat_interval: 1h\n  \
         routes: [{{ matchers: [alertname=Watchdog], receiver: heartbeat, repeat_interval: 1s }}, \
         {{ matchers: [alertname=Lost], receiver: nowhere }}]\n\
         inhibit_rules: [{{ source_matchers: [alertname=Cause], target_matchers: [alertname=Symptom] }}]\n\
         receivers:\n  - {{ name: pager, webhook_configs: [&webhook {{ url: 'http://{}/webhook', \
         http_config: {{ authorization: {{ credentials: {TOKEN} }} }} }}] }}\n  \
         - {{ name: heartbeat, webhook_configs: [*webhook] }}\n  \
         - {{ name: nowhere, webhook_configs: [{{ url: 'http://127.0.0.1:{nobody}/webhook' }}] }}\n",
        pager.address
    );
    Alertmanager::start(&configuration).await
}

/// The one page with this status, once there is one.
async fn page(pager: &Pager, status: &str) -> Value {
    eventually(LIMIT, async || {
        let pages = pager.pages(&format!("alertname=DiskFull&status={status}")).await;
        pages.first().cloned().ok_or_else(|| format!("no page that is {status}"))
    })
    .await
}

#[tokio::test]
#[ignore = "needs Alertmanager on PATH: cargo test -- --include-ignored"]
async fn alertmanager_delivers_a_page_its_end_and_a_heartbeat() {
    let pager = Pager::start_with(&[], &[("FIREDRILL_PAGER_TOKEN", TOKEN)]).await;
    let alertmanager = telling(&pager).await;
    let starts_at = jiff::Timestamp::now();
    let disk_full = json!({
        "labels": { "alertname": "DiskFull", "severity": "page", "path": "C:\\<tmp>" },
        "annotations": { "summary": "No room", "runbook_url": "https://example.com/disk-full" },
        "startsAt": starts_at,
        "generatorURL": "http://prometheus.example/graph",
    });
    let watchdog = json!({ "labels": { "alertname": "Watchdog" }, "startsAt": starts_at });
    alertmanager.alert(json!([disk_full, watchdog])).await;

    let firing = page(&pager, "firing").await;
    assert_eq!(firing["labels"], disk_full["labels"]);
    assert_eq!(firing["annotations"], disk_full["annotations"]);
    assert_eq!(
        (&firing["receiver"], &firing["generator_url"]),
        (&json!("pager"), &disk_full["generatorURL"])
    );
    let delay = firing["delay_seconds"].as_f64().unwrap();
    assert!((0.0..LIMIT.as_secs_f64()).contains(&delay), "{delay}");

    let mut ended = disk_full.clone();
    ended["endsAt"] = jiff::Timestamp::now().to_string().into();
    alertmanager.alert(json!([ended])).await;
    let resolved = page(&pager, "resolved").await;
    assert_eq!((&resolved["starts_at"], &resolved["rang_at"]), (&firing["starts_at"], &firing["rang_at"]));

    // The Watchdog is repeated, and no page.
    let scrape = pager
        .scrape_until("a second heartbeat", |scrape| {
            scrape.sum("firedrill_pager_heartbeats_total", &[]) >= 2.0
        })
        .await;
    assert_eq!(scrape.sum("firedrill_pages_total", &[("status", "firing"), ("receiver", "pager")]), 1.0);
    assert_eq!(scrape.sum("firedrill_pages_total", &[("status", "resolved"), ("receiver", "pager")]), 1.0);
    assert_eq!(scrape.sum("firedrill_pages_total", &[("receiver", "heartbeat")]), 0.0);
    assert_eq!(scrape.sum("firedrill_pager_refused_payloads_total", &[]), 0.0);
    assert_eq!(pager.pages("").await.len(), 1);
}
