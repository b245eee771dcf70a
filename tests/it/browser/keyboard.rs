//! The page without a mouse.

use fantoccini::key::Key;

use super::Browser;
use crate::support::service::Service;

/// The id, or the preset, of what has the focus.
const FOCUSED: &str =
    "const { id, dataset, tagName } = document.activeElement; return dataset.preset ?? (id || tagName)";

/// Presses Tab until this has the focus; how often.
async fn tab_to(browser: &Browser, wanted: &str) -> usize {
    for presses in 1..=60 {
        browser.press(Key::Tab.into()).await;
        let script = "const style = getComputedStyle(document.activeElement); return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2";
        assert_eq!(browser.run(script).await, true, "what has the focus shows it");
        if browser.run(FOCUSED).await == wanted {
            return presses;
        }
    }
    panic!("Tab never came to {wanted}");
}

#[tokio::test]
#[ignore = "needs chromium and chromium-driver"]
async fn everything_can_be_done_by_keyboard_and_the_focus_is_always_seen() {
    let service = Service::start(&[]).await;
    let browser = Browser::open(&service.url()).await;
    browser.says("#state", "The service answers").await;
    tab_to(&browser, "one-in-three-fails").await;
    browser.press(Key::Enter.into()).await;
    browser.until("the preset is chosen", "document.getElementById('f-error_rate').value === '0.33'").await;
    tab_to(&browser, "send").await;
    browser.press(Key::Enter.into()).await;
    // The button is off now, and whoever pressed it is led to the one that ends what it began.
    browser.until("stop has the focus", "document.activeElement.id === 'stop'").await;
    browser.press(' ').await;
    browser.until("send has it again", "document.activeElement.id === 'send'").await;
    browser.all_answered().await;
}
