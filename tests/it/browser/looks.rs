//! How the page looks on other screens, and that it holds still.

use serde_json::json;

use super::{Browser, DESK, Scheme, TELEPHONE};
use crate::support::service::Service;

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn on_a_telephone_nothing_is_cut_off_and_everything_works() {
    let service = Service::start(&["--link", "Prometheus=http://localhost:9090"]).await;
    let browser = Browser::start().await;
    browser.size(TELEPHONE).await;
    browser.goto(&service.url()).await;
    browser.says("#state", "The service answers").await;
    assert_eq!(browser.overflow().await, 0, "the page cannot be scrolled sideways");
    let cut = "return [...document.querySelectorAll('main *, header *')].filter((part) => {
        const { left, right, width } = part.getBoundingClientRect();
        return width > 0 && (left < -0.5 || right > innerWidth + 0.5) && !part.closest('.uplot');
    }).map((part) => part.outerHTML.slice(0, 80))";
    assert_eq!(browser.run(cut).await, json!([]), "nothing reaches beyond the screen");
    let small = "return [...document.querySelectorAll('button, select, input:not([type=radio])')]
        .filter((part) => part.getBoundingClientRect().height < 40).map((part) => part.outerHTML)";
    assert_eq!(browser.run(small).await, json!([]), "what is touched is large enough for a finger");
    browser.click("[name=pace][value=burst]").await;
    browser.fill("#burst", "5").await;
    browser.click("#send").await;
    browser.says("#tally", "came back: 5 × 200").await;
    service.counted(5.0).await;
    assert_eq!(browser.overflow().await, 0);
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn in_the_dark_the_page_is_dark() {
    let service = Service::start(&[]).await;
    let browser = Browser::start().await;
    // Luminance of what is behind the text, and of the text, from 0 to 765.
    let bright = "const sum = (colour) => colour.match(/\\d+/g).slice(0, 3).reduce((all, part) => all + Number(part), 0);
        const { backgroundColor, color } = getComputedStyle(document.body); return [sum(backgroundColor), sum(color)]";
    for (scheme, dark) in [(Scheme::Light, false), (Scheme::Dark, true)] {
        browser.prefer(scheme).await;
        browser.goto(&service.url()).await;
        let bright = browser.run(bright).await;
        let (behind, text) = (bright[0].as_f64().unwrap(), bright[1].as_f64().unwrap());
        assert!(
            if dark { behind < 150.0 && text > 600.0 } else { behind > 600.0 && text < 150.0 },
            "{bright}"
        );
    }
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn nothing_jumps_while_the_page_fills_and_the_service_goes_and_comes() {
    let service = Service::start(&["--link", "Prometheus=http://localhost:9090"]).await;
    let address = service.address;
    let browser = Browser::start().await;
    for size in [DESK, TELEPHONE] {
        browser.size(size).await;
        browser.goto("about:blank").await;
        browser.goto(&service.url()).await;
        browser.says("#state", "The service answers").await;
        browser.until("numbers", "document.querySelector('#chart-cpu [data-now]').textContent !== '–'").await;
        still(&browser, size).await;
    }
    drop(service);
    browser.says("#state", "The service cannot be reached").await;
    let _again = Service::start_at(address).await;
    browser.says("#state", "The service answers").await;
    still(&browser, TELEPHONE).await;
}

/// Nothing has moved that nobody moved (https://web.dev/articles/cls; 0.1 is called good there).
async fn still(browser: &Browser, size: (u32, u32)) {
    let shifts = "const done = arguments[arguments.length - 1];
        new PerformanceObserver((list) => done(list.getEntries().map(({ value, sources }) =>
            [value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? '')]))).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => done([]), 300)";
    let shifts = browser.run_until_done(shifts).await;
    let moved: f64 = shifts.as_array().unwrap().iter().filter_map(|shift| shift[0].as_f64()).sum();
    assert!(moved < 0.01, "{size:?}: {moved}: {shifts:#}");
}
