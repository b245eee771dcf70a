//! The report, opened from disk: of a drill whose alert fired, rang, and was remembered too long.

use base64::Engine as _;
use serde_json::json;

use super::{Browser, Scheme, TELEPHONE};
use crate::support::directory::Directory;
use crate::support::process::Process;
use crate::support::repository;

/// A report on disk.
pub(super) struct Report(Directory);

impl Report {
    pub(super) fn url(&self) -> String {
        format!("file://{}", self.0.path().join("remembers.html").display())
    }
}

pub(super) async fn report() -> Report {
    let directory = Directory::new("report");
    // Against a real Prometheus, Alertmanager and pager.
    let run = repository::path("tests/data/runs/remembers.run.json");
    let judge = ["judge", "--out", ".", run.to_str().unwrap()];
    let ended = Process::start_in(directory.path(), &judge, &[]).ended().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    Report(directory)
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_report_opens_from_disk_with_the_verdict_first() {
    let report = report().await;
    let browser = Browser::open(&report.url()).await;
    assert!(browser.text("main > :first-child").await.contains("Monitoring lied about 1 of"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    assert_eq!(
        browser.run("return performance.getEntriesByType('resource').length").await,
        0,
        "it is one file"
    );
    assert_eq!(browser.run("return document.scripts.length").await, 0, "nothing runs");
    browser.click(".why a").await;
    let seen = "const { top, bottom } = document.querySelector(':target').getBoundingClientRect(); return top < innerHeight && bottom > 0";
    assert_eq!(browser.run(seen).await, true, "its link leads to the expectation");
    let parts = browser.text(".detection .parts").await;
    for part in ["scrape", "evaluation", "for", "delivery", "grouping"] {
        assert!(parts.contains(part), "the time to detect has {part}: {parts}");
    }
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn on_a_telephone_the_report_is_as_wide_as_the_screen() {
    let report = report().await;
    let browser = Browser::start().await;
    browser.size(TELEPHONE).await;
    browser.goto(&report.url()).await;
    assert_eq!(browser.overflow().await, 0);
    let shown = "return ['narrow', 'wide'].map((chart) => getComputedStyle(document.querySelector('.chart.' + chart)).display !== 'none')";
    assert_eq!(browser.run(shown).await, json!([true, false]));
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn on_paper_the_report_is_dark_on_white_whatever_the_screen() {
    let report = report().await;
    let browser = Browser::start().await;
    browser.prefer(Scheme::Dark).await;
    browser.goto(&report.url()).await;
    let behind = "return getComputedStyle(document.body).backgroundColor";
    assert_eq!(browser.run(behind).await, "rgb(20, 23, 26)", "on a dark screen");
    let features = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
    browser.tools("Emulation.setEmulatedMedia", json!({ "media": "print", "features": features })).await;
    assert_eq!(browser.run(behind).await, "rgb(255, 255, 255)", "on paper");
    let pdf = browser.tools("Page.printToPDF", json!({ "printBackground": false })).await;
    let pdf = base64::prelude::BASE64_STANDARD.decode(pdf["data"].as_str().unwrap()).unwrap();
    let pages = String::from_utf8_lossy(&pdf).lines().filter(|line| line.ends_with("/Type /Page")).count();
    assert!((2..=5).contains(&pages), "{pages} pages");
}
