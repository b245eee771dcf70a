//! What needs the token says so, and the token is not kept.

use super::Browser;
use crate::support::service::Service;

const TOKEN: &str = "a-token-for-this-test";

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn the_page_says_what_needs_the_token_takes_one_and_stores_it_nowhere() {
    let service = Service::start_with(&[], &[("FIREDRILL_TOKEN", TOKEN)]).await;
    let browser = Browser::open(&service.url()).await;
    browser.says("#needs", "Nothing here needs it.").await;
    browser.click("[name=pace][value=burst]").await;
    browser.fill("#burst", "1").await;
    browser.fill("#f-cpu", "5ms").await;
    browser.says("#needs", "cpu needs it. It is not stored.").await;
    browser.until("it stands out", "document.getElementById('needs').className === 'needed'").await;
    browser.click("#send").await;
    browser.says("#problem", "401 Unauthorized: cpu at this cost needs").await;

    browser.fill("#token", TOKEN).await;
    browser.until("it no longer does", "document.getElementById('needs').className === ''").await;
    browser.click("#send").await;
    browser.says("#tally", "came back: 1 × 200").await;
    assert_eq!(service.counted(2.0).await.works(&[("http_response_status_code", "200")]), 1.0);

    let shown = browser.run("return document.documentElement.outerHTML + location.href + document.getElementById('curl').textContent").await;
    assert!(!shown.as_str().unwrap().contains(TOKEN), "it is in no text and no address");
    assert!(browser.text("#curl").await.contains("$FIREDRILL_TOKEN"));
    let kept =
        "return localStorage.length + sessionStorage.length + document.cookie.length + history.length - 1";
    let before = browser.run(kept).await;
    assert!(before.as_f64() <= Some(1.0), "{before}");
    browser.goto(&service.url()).await;
    browser.says("#state", "The service answers").await;
    assert_eq!(browser.run("return document.getElementById('token').value").await, "");
}
