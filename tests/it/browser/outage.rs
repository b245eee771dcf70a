//! A service that goes away, and comes back.

use rustix::process::Signal;

use super::Browser;
use crate::support::service::Service;

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_page_says_that_the_service_crashed_and_goes_on_when_it_is_back() {
    let service = Service::start(&[]).await;
    let (address, url) = (service.address, service.url());
    let browser = Browser::open(&url).await;
    browser.says("#state", "The service answers").await;
    browser.click("[data-preset=crash]").await;
    browser.click("#send").await;
    assert_eq!(service.ended().await.code, Some(1), "the preset crash ends the process");
    browser.says("#state", "The service cannot be reached. Since ").await;
    browser.says("#state", "trying again each second").await;
    browser.until("it is seen as down", "document.getElementById('state').className === 'down'").await;
    browser
        .until(
            "no number is left that was true before",
            "document.querySelector('#chart-rate [data-now]').textContent === '–'",
        )
        .await;
    browser.says("#marks", "no scrape").await;

    let service = Service::start_at(address).await;
    browser.says("#state", "The service answers, up since ").await;
    browser.says("#marks", "the service restarted, so its counters began anew").await;
    browser.click("[data-preset=clear]").await;
    browser.click("[name=pace][value=burst]").await;
    browser.fill("#burst", "3").await;
    browser.click("#send").await;
    browser.says("#tally", "the service counted 3 of workload web").await;
    service.counted(3.0).await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_page_says_that_the_service_does_not_answer_in_time() {
    let service = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    browser.says("#state", "The service answers").await;
    service.signal(Signal::STOP);
    browser.says("#state", "The service did not answer within 3 s.").await;
    service.signal(Signal::CONT);
    browser.says("#state", "The service answers").await;
}
