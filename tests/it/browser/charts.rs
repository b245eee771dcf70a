//! The charts show what the service does.

use super::Browser;
use crate::support::service::Service;

/// The row of the topmost pixel that has the first line's colour, from 0 at the top; the chart's height where none has.
const HIGHEST: &str = "
    const figure = document.getElementById('chart-rate');
    const canvas = figure.querySelector('canvas');
    const colour = getComputedStyle(figure.querySelector('.truth i')).borderTopColor.match(/\\d+/g).map(Number);
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 120 && colour.every((part, n) => Math.abs(part - data[i + n]) < 12)) return Math.floor(i / 4 / width);
    }
    return height";

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn a_chart_moves_when_work_is_done_and_its_numbers_are_true() {
    let service = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    let highest = format!("(() => {{ {HIGHEST} }})()");
    browser.until("a line at rest", &format!("{highest} < 240")).await;
    let height =
        browser.run("return document.querySelector('#chart-rate canvas').height").await.as_i64().unwrap();
    let rest = browser.run(HIGHEST).await.as_i64().unwrap();
    assert!(rest > height / 2, "at rest the line is at the bottom, not at {rest} of {height}");

    browser.click("[name=pace][value=burst]").await;
    browser.fill("#burst", "40").await;
    browser.click("#send").await;
    browser.until("the line rises", &format!("{highest} < {}", rest - height / 3)).await;
    browser.says("#tally", "Sent 40; came back: 40 × 200.").await;
    browser.says("#tally", "the service counted 40 of workload web").await;
    assert_eq!(service.counted(40.0).await.works(&[("workload", "web")]), 40.0);
    browser.says("#marks", "40 at once").await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn charts_follow_the_colour_scheme() {
    let service = Service::start(&[]).await;
    let browser = Browser::start().await;
    browser.prefer(super::Scheme::Light).await;
    browser.goto(&service.url()).await;
    let line = format!("(() => {{ {HIGHEST} }})() < document.querySelector('#chart-rate canvas').height");
    browser.until("a line in the colour of light screens", &line).await;
    browser.prefer(super::Scheme::Dark).await;
    browser.until("a line in the colour of dark ones", &line).await;
}
