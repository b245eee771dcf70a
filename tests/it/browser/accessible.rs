//! What axe-core (https://github.com/dequelabs/axe-core) finds: nothing serious on any page, in any look.

use serde_json::Value;

use super::{Browser, DESK, Scheme, TELEPHONE, report::report};
use crate::support::pager::{FIRING, Pager, RESOLVED, alert, notification};
use crate::support::repository;
use crate::support::service::Service;

/// The script, which `npm ci` puts there.
fn axe() -> String {
    let path = repository::path("web/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run npm ci in web", path.display()))
}

/// Each finding that axe-core calls serious or critical, in each look.
async fn findings(browser: &Browser, url: &str, ready: &str) -> Vec<String> {
    let axe = axe();
    let run = "const done = arguments[arguments.length - 1]; axe.run({ resultTypes: ['violations'] }).then(done, (error) => done(String(error)))";
    let mut all = Vec::new();
    for size in [DESK, TELEPHONE] {
        browser.size(size).await;
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.prefer(scheme).await;
            browser.goto(url).await;
            browser.until("the page is ready", ready).await;
            browser.run(&axe).await;
            let found = browser.run_until_done(run).await;
            let (violations, passes) = (found["violations"].as_array(), found["passes"].as_array());
            let violations = violations.unwrap_or_else(|| panic!("axe-core: {found}"));
            assert!(passes.is_some_and(|passes| passes.len() > 10), "axe-core looked at little: {found}");
            let bad = violations.iter().filter(|it| it["impact"] == "serious" || it["impact"] == "critical");
            all.extend(bad.map(|it| format!("{size:?} {scheme:?}: {}", said(it))));
        }
    }
    all
}

fn said(violation: &Value) -> String {
    let nodes = violation["nodes"].as_array().into_iter().flatten();
    let nodes: Vec<_> = nodes.map(|node| format!("{}: {}", node["html"], node["failureSummary"])).collect();
    format!("{}: {}\n  {}", violation["id"], violation["help"], nodes.join("\n  "))
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_live_page_is_open_to_everybody() {
    let service = Service::start_with(&[], &[("FIREDRILL_TOKEN", "a-token-for-this-test")]).await;
    let browser = Browser::start().await;
    let ready = "document.getElementById('state').className === 'up' && document.getElementById('l-cpu').textContent !== ''";
    assert_eq!(findings(&browser, &service.url(), ready).await, Vec::<String>::new());
    // Where something is wrong, and where nothing answers, it says so to everybody as well.
    browser.fill("#f-cpu", "90s").await;
    drop(service);
    browser.says("#state", "The service cannot be reached").await;
    browser.run(&axe()).await;
    let run =
        "const done = arguments[arguments.length - 1]; axe.run().then(({ violations }) => done(violations))";
    let found = browser.run_until_done(run).await;
    let bad =
        found.as_array().unwrap().iter().filter(|it| it["impact"] == "serious" || it["impact"] == "critical");
    assert_eq!(bad.map(said).collect::<Vec<_>>(), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_pagers_page_is_open_to_everybody() {
    let pager = Pager::start(&["--heartbeat", "Watchdog"]).await;
    pager.notify(notification([alert("Fresh", "firing", 0)])).await;
    pager.notify(FIRING).await;
    pager.notify(RESOLVED).await;
    let browser = Browser::start().await;
    assert_eq!(
        findings(&browser, &pager.url(), "document.readyState === 'complete'").await,
        Vec::<String>::new()
    );
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_report_is_open_to_everybody() {
    let report = report().await;
    let browser = Browser::start().await;
    assert_eq!(
        findings(&browser, &report.url(), "document.readyState === 'complete'").await,
        Vec::<String>::new()
    );
}
