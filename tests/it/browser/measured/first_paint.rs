//! How much is loaded, and how soon something is on the screen.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::support::service::Service;

/// What the page may weigh in all, compressed.
const WEIGHT: f64 = 150_000.0;
/// When something must be on the screen, milliseconds after it was asked for.
const FIRST_PAINT: f64 = 200.0;
/// How long a machine that does nothing else takes to show a line of text, at most, milliseconds. What it takes
/// beyond that is its own, and no fault of the page.
const PLAIN: f64 = 50.0;
/// Loads of which the best counts.
const LOADS: usize = 8;

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_page_is_light_and_soon_there() {
    let service = Service::start(&[]).await;
    let browser = Browser::start().await;
    browser.tools("Network.enable", json!({})).await;
    browser.tools("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
    let (mut plain, mut page) = (Vec::new(), Vec::new());
    for _ in 0..LOADS {
        plain.push(first_paint(&browser, &format!("{}/health", service.url())).await);
        page.push(first_paint(&browser, &service.url()).await);
    }
    browser.says("#state", "The service answers").await;
    // What is asked for again each second is no part of the page.
    let weight = "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter((entry) => !entry.name.endsWith('/metrics')).reduce((sum, entry) => sum + entry.encodedBodySize, 0)";
    let weight = number(&browser.run(weight).await);
    println!(
        "the page weighs {weight} bytes; first paint after {page:.0?} ms, that of a plain text after {plain:.0?} ms"
    );
    assert!(weight > 30_000.0 && weight < WEIGHT, "{weight} bytes");
    let best = |paints: &[f64]| paints.iter().copied().fold(f64::INFINITY, f64::min);
    let slow = (best(&plain) - PLAIN).max(0.0);
    assert!(
        best(&page) < FIRST_PAINT + slow,
        "first paint after {page:.0?} ms, of a plain text {plain:.0?} ms"
    );
}

async fn first_paint(browser: &Browser, url: &str) -> f64 {
    browser.goto(url).await;
    let paint = "performance.getEntriesByName('first-contentful-paint')";
    browser.until("the first paint", &format!("{paint}.length === 1")).await;
    number(&browser.run(&format!("return {paint}[0].startTime")).await)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}
