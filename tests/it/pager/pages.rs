//! What rang is kept and told.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::pager::{FIRING, Pager, RESOLVED, TRUNCATED, alert, names, notification};

#[tokio::test]
async fn what_alertmanager_sent_rings_once_is_repeated_and_resolves() {
    let pager = Pager::start(&[]).await;
    assert_eq!(pager.notify(FIRING).await["firing"], 1);
    assert_eq!(pager.notify(FIRING).await["repeated"], 1);
    let [page] = &pager.pages("").await[..] else { panic!("one page") };
    assert_eq!((&page["status"], &page["receiver"]), (&json!("firing"), &json!("pager")));
    assert_eq!((&page["times_received"], &page["resolved_at"]), (&json!(2), &Value::Null));
    assert_eq!(page["starts_at"], "2026-11-22T18:38:24.434224069Z");
    assert_eq!(page["labels"]["workload"], "demo");
    assert_eq!(page["annotations"]["summary"], "Half of the requests fail");
    let rang_at = page["rang_at"].clone();

    assert_eq!(pager.notify(RESOLVED).await["resolved"], 1);
    let [page] = &pager.pages("").await[..] else { panic!("the same page") };
    assert_eq!((&page["status"], &page["ends_at"]), (&json!("resolved"), &json!("2026-11-22T18:38:27Z")));
    assert_eq!((&page["rang_at"], &page["times_received"]), (&rang_at, &json!(3)));
    assert!(page["resolved_at"].is_string());

    let scrape = pager.scrape().await;
    let pages = |status| scrape.sum("firedrill_pages_total", &[("status", status), ("receiver", "pager")]);
    assert_eq!((pages("firing"), pages("resolved")), (1.0, 1.0));
    assert_eq!(scrape.sum("firedrill_pages_repeated_total", &[("receiver", "pager")]), 1.0);
    assert_eq!(scrape.sum("firedrill_pager_pages_kept", &[]), 1.0);
}

#[tokio::test]
async fn what_alertmanager_left_out_is_said() {
    let pager = Pager::start(&[]).await;
    assert_eq!(pager.notify(TRUNCATED).await["firing"], 2);
    assert_eq!(pager.get("/pages").await.json()["truncated_alerts"], 1);
    assert_eq!(pager.scrape().await.sum("firedrill_pager_truncated_alerts_total", &[]), 1.0);
    assert!(pager.get("/").await.text().contains("left out of its notifications: 1 "));
}

#[tokio::test]
async fn the_delay_runs_from_the_start_of_the_alert_and_is_not_made_up() {
    let pager = Pager::start(&[]).await;
    // One that began before the pager listened may have rung elsewhere already.
    pager.notify(notification([alert("Old", "firing", 60), alert("New", "firing", 0)])).await;
    let pages = pager.pages("alertname=New").await;
    let delay = pages[0]["delay_seconds"].as_f64().unwrap();
    assert!((0.0..30.0).contains(&delay), "{delay}");
    assert_eq!(pager.pages("alertname=Old").await[0]["delay_seconds"], Value::Null);
    let scrape = pager.scrape().await;
    assert_eq!(scrape.sum("firedrill_pager_delay_seconds_count", &[]), 1.0);
    assert_eq!(scrape.sum("firedrill_pager_delay_seconds_bucket", &[("le", "90.0")]), 1.0);
    let sum = scrape.sum("firedrill_pager_delay_seconds_sum", &[]);
    assert!((sum - delay).abs() < 1e-9, "{sum} {delay}");
}

#[tokio::test]
async fn what_is_resolved_before_it_was_heard_of_is_a_page_that_never_rang() {
    let pager = Pager::start(&[]).await;
    pager.notify(RESOLVED).await;
    let page = &pager.pages("").await[0];
    assert_eq!((&page["status"], &page["rang_at"]), (&json!("resolved"), &Value::Null));
    let scrape = pager.scrape().await;
    assert_eq!(scrape.sum("firedrill_pages_total", &[("status", "firing")]), 0.0);
    assert_eq!(scrape.sum("firedrill_pages_total", &[("status", "resolved")]), 1.0);
}

#[tokio::test]
async fn the_last_thousand_are_kept_and_the_rest_is_counted() {
    let pager = Pager::start(&[]).await;
    let alerts =
        |from: usize, to| (from..=to).map(|n| alert(&n.to_string(), "firing", 0)).collect::<Vec<_>>();
    pager.notify(notification(alerts(1, 1000))).await;
    assert_eq!(pager.pages("").await.len(), 1000);
    pager.notify(notification(alerts(1001, 1001))).await;
    let told = pager.get("/pages").await.json();
    assert_eq!((&told["kept"], &told["forgotten"]), (&json!(1000), &json!(1)));
    let pages = pager.pages("").await;
    let names = names(&pages);
    assert_eq!(
        (names[0], names[999], names.len()),
        ("1001", "2", 1000),
        "the newest is first, the oldest gone"
    );
    let scrape = pager.scrape().await;
    assert_eq!(scrape.sum("firedrill_pager_pages_kept", &[]), 1000.0);
    assert_eq!(scrape.sum("firedrill_pager_pages_forgotten_total", &[]), 1.0);
    assert_eq!(scrape.sum("firedrill_pages_total", &[("status", "firing")]), 1001.0);
    assert!(pager.get("/").await.text().contains("1000 are kept"));
}

#[tokio::test]
async fn pages_are_told_by_name_label_status_and_time() {
    let pager = Pager::start(&[]).await;
    let mut quiet = alert("Quiet", "resolved", 3);
    quiet["labels"]["severity"] = "ticket".into();
    pager.notify(notification([alert("Loud", "firing", 3), quiet])).await;
    for (query, expected) in [
        ("", &["Quiet", "Loud"][..]),
        ("alertname=Loud", &["Loud"]),
        ("status=resolved", &["Quiet"]),
        ("label=severity%3Dpage", &["Loud"]),
        ("label=severity=ticket&label=alertname=Quiet", &["Quiet"]),
        ("label=severity=ticket&label=alertname=Loud", &[]),
        ("since=10m", &["Quiet", "Loud"]),
        ("since=0", &[]),
        ("since=2000-01-01T00:00:00%2B02:00&status=firing", &["Loud"]),
        ("since=2999-01-01T00:00:00Z", &[]),
    ] {
        assert_eq!(names(&pager.pages(query).await), expected, "{query}");
    }
    for (query, parameter) in [("since=soon", "since"), ("name=Loud", "name"), ("label=severity", "label")] {
        let answer = pager.get(&format!("/pages?{query}")).await;
        assert_eq!((answer.status, &answer.json()["parameter"]), (400, &json!(parameter)));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn a_restart_loses_what_was_in_memory_and_says_so() {
    let before = Pager::start(&[]).await;
    before.notify(FIRING).await;
    let first = before.get("/pages").await.json()["listening_since"].clone();
    before.signal(Signal::INT);
    assert_eq!(before.ended().await.code, Some(0));

    let after = Pager::start(&[]).await;
    let told = after.get("/pages").await.json();
    assert_eq!((&told["kept"], &told["pages"]), (&json!(0), &json!([])));
    assert!(told["listening_since"].as_str() > first.as_str(), "{told} {first}");
    assert!(after.get("/").await.text().contains("what rang before is not known here"));
}

#[tokio::test]
async fn receivers_are_told_apart_up_to_a_number() {
    let pager = Pager::start(&[]).await;
    for n in 0..40 {
        let mut payload = notification([alert("A", "firing", 0)]);
        payload["receiver"] = format!("team-{n}").into();
        pager.notify(payload).await;
    }
    let scrape = pager.scrape().await;
    let of = |receiver| scrape.sum("firedrill_pages_total", &[("receiver", receiver), ("status", "firing")]);
    assert_eq!((of("team-0"), of("team-30"), of("team-31"), of("other")), (1.0, 1.0, 0.0, 9.0));
    assert!(scrape.has("firedrill_pages_total", &[("receiver", "team-0"), ("status", "resolved")]));
    assert_eq!(pager.pages("alertname=A").await.len(), 40, "each was told to somebody else");
}
