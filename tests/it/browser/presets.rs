//! Each preset does what its name says, by the service's own count.

use super::Browser;
use crate::support::scrape::Scrape;
use crate::support::service::Service;

/// Chooses a preset and sends it, for so many seconds where it goes on.
async fn send(browser: &Browser, preset: &str, seconds: Option<u32>) {
    browser.says("#state", "The service answers").await;
    browser.click(&format!("[data-preset={preset}]")).await;
    if let Some(seconds) = seconds {
        browser.fill("#seconds", &seconds.to_string()).await;
    }
    browser.click("#send").await;
}

/// Waits until all has been sent and answered; what the service has counted then, each request once.
async fn done(browser: &Browser, service: &Service) -> (f64, Scrape) {
    browser.all_answered().await;
    let sent = browser
        .run("return Number(/Sent (\\d+)/.exec(document.getElementById('tally').textContent)[1])")
        .await;
    let sent = sent.as_f64().unwrap();
    assert!(sent > 0.0);
    (sent, service.counted(sent).await)
}

/// How many requests took at most so long.
fn within(scrape: &Scrape, edge: &str) -> f64 {
    scrape.sum("http_server_request_duration_seconds_bucket", &[("http_route", "/work"), ("le", edge)])
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn slow_tail_is_quick_for_most_and_slow_for_a_few() {
    let service = Service::start(&["--seed", "7"]).await;
    let browser = Browser::open(&service.url()).await;
    send(&browser, "slow-tail", Some(6)).await;
    let (sent, scrape) = done(&browser, &service).await;
    let quick = within(&scrape, "0.1") / sent;
    assert!(quick > 0.5, "{quick} of them were quick");
    // The few draw the mean far above the median, which is 40 ms. This is what was drawn, however slow the machine.
    let mean = scrape.sum("firedrill_injected_latency_seconds_total", &[]) / sent;
    assert!(mean > 0.06, "{mean} s");
    assert_eq!(scrape.sum("firedrill_injected_errors_total", &[]), 0.0);
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn one_in_three_fails_does_just_that() {
    let service = Service::start(&["--seed", "7"]).await;
    let browser = Browser::open(&service.url()).await;
    send(&browser, "one-in-three-fails", Some(6)).await;
    let (sent, scrape) = done(&browser, &service).await;
    let errors = scrape.works(&[("http_response_status_code", "500")]);
    assert!((0.2..0.5).contains(&(errors / sent)), "{errors} of {sent}");
    assert_eq!(scrape.sum("firedrill_injected_errors_total", &[]), errors);
    browser.says("#tally", &format!("{errors} × 500")).await;
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn eat_a_core_burns_a_second_of_cpu_time_a_second() {
    let service = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    let before = service.scrape().await.sum("process_cpu_seconds_total", &[]);
    send(&browser, "eat-a-core", Some(3)).await;
    let pace = browser.run("return Number(document.getElementById('rate').value) * parseFloat(document.getElementById('f-cpu').value)").await;
    assert_eq!(pace.as_f64(), Some(1000.0), "milliseconds a second");
    let (sent, scrape) = done(&browser, &service).await;
    let (asked, burnt) = (sent * 0.5, scrape.sum("process_cpu_seconds_total", &[]) - before);
    let injected = scrape.sum("firedrill_injected_cpu_seconds_total", &[]);
    assert!(
        (injected / asked - 1.0).abs() < 0.1 && burnt >= injected * 0.95,
        "{injected} s of {asked} s, {burnt} s burnt"
    );
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn leak_holds_more_and_more_memory() {
    let service = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    send(&browser, "leak", None).await;
    for mebibytes in [48.0, 144.0] {
        service
            .scrape_until("memory held", |scrape| {
                scrape.sum("firedrill_memory_held_bytes", &[]) >= mebibytes * 1_048_576.0
            })
            .await;
    }
    let shown = "parseFloat(document.querySelectorAll('#injected dd')[4].textContent) >= 144";
    browser.until("the page shows it", shown).await;
    // Whoever leaves lets go of it.
    drop(browser);
    service
        .scrape_until("nothing held", |scrape| scrape.sum("firedrill_memory_held_bytes", &[]) == 0.0)
        .await;
}
