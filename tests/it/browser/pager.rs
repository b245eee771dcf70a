//! The pager's page.

use super::{Browser, TELEPHONE};
use crate::support::pager::{Pager, alert, notification};
use crate::support::serving::Serving;

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn what_rings_appears_by_itself_and_whoever_reads_keeps_their_place() {
    let pager = Pager::start(&[]).await;
    let browser = Browser::open(&pager.url()).await;
    browser.says("#rang", "Nothing.").await;
    browser.run("window.stayed = true; document.querySelector('#rang a')?.focus()").await;
    pager.notify(notification([alert("HighErrorRatio", "firing", 3)])).await;
    browser.says("#rang", "HighErrorRatio").await;
    assert_eq!(browser.run("return window.stayed").await, true, "the page was not loaded anew");
    pager.notify(notification([alert("HighErrorRatio", "resolved", 3)])).await;
    browser.says("#rang li.resolved", "resolved").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.size(TELEPHONE).await;
    assert_eq!(browser.overflow().await, 0, "the page cannot be scrolled sideways");
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn a_pager_that_is_gone_does_not_look_like_one_where_nothing_rang() {
    let pager = Pager::start(&[]).await;
    let address = pager.address;
    pager.notify(notification([alert("HighErrorRatio", "firing", 3)])).await;
    let browser = Browser::open(&pager.url()).await;
    browser.says("#reached", "As of ").await;
    drop(pager);
    browser.says("#reached", "The pager does not answer since ").await;
    assert!(browser.text("#rang").await.contains("HighErrorRatio"), "what it said last stays");
    let _again = Serving::start_on(&address.to_string(), "pager", &[], &[]).await;
    browser.says("#reached", "As of ").await;
    browser.says("#rang", "Nothing.").await;
}
