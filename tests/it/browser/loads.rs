//! What loading the page takes, and what it does not need.

use serde_json::json;

use super::Browser;
use crate::support::service::Service;

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_page_loads_and_runs_without_a_complaint_of_the_browser() {
    let service = Service::start(&["--link", "Prometheus=http://localhost:9090"]).await;
    let browser = Browser::open(&service.url()).await;
    browser.says("#state", "The service answers").await;
    browser.until("the link", "document.querySelector('#links a').textContent === 'Prometheus'").await;
    for preset in ["slow-tail", "one-in-three-fails", "eat-a-core", "leak", "crash", "clear"] {
        browser.click(&format!("[data-preset={preset}]")).await;
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    let from = browser
        .run("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)")
        .await;
    assert!(from.as_array().unwrap().iter().all(|origin| *origin == service.url()), "{from}");
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_policy_keeps_out_what_the_service_does_not_serve() {
    let service = Service::start(&[]).await;
    let other = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    let script = "const [src, text] = arguments; const script = document.createElement('script');
        if (src) script.src = src; else script.textContent = text; document.head.append(script)";
    for (src, text) in [(json!(null), json!("window.intruded = true")), (json!(other.url()), json!(null))] {
        browser.run_with(script, vec![src, text]).await;
        browser.until("nothing ran", "window.intruded === undefined").await;
        let complaints = browser.complaints().await;
        assert!(complaints.iter().any(|said| said.contains("Content Security Policy")), "{complaints:?}");
    }
}
