//! What has to hold whatever is posted to the pager.

use jiff::Timestamp;

use super::book::{Book, Bounds, What};
use super::filter::Filter;
use super::webhook::Notification;

/// What Alertmanager posts to its webhook.
///
/// # Panics
/// Where a book forgets what it was just told, keeps more than its bounds, or tells news out of their
/// order; and where what is wrong with a payload is not said in a few words.
pub fn webhook(input: &[u8]) {
    let notification = match Notification::from_json(input) {
        Ok(notification) => notification,
        Err(why) => {
            let why = why.to_string();
            assert!(!why.is_empty() && !why.chars().any(char::is_control) && why.len() < 4_000, "{why}");
            return;
        }
    };
    let now = Timestamp::from_second(1_800_000_000).expect("it is a time");
    let bounds = Bounds { pages: 3, bytes: 2_000 };
    let mut book = Book::new(bounds, now);
    let Notification { receiver, alerts, external_url, .. } = notification;
    for (told, alert) in (1..).zip(alerts.iter().chain(&alerts)) {
        let news = book.receive(&receiver, &external_url, alert.clone(), now);
        assert_eq!((news.number, book.last()), (told, told));
        assert_eq!(news.page.status, alert.status);
        assert!(
            news.page.rang_at.is_some() || news.page.delay_seconds.is_none(),
            "what never rang has no delay"
        );
        assert!(news.what != What::Repeats || news.page.times_received > 1);
        assert!((1..=bounds.pages).contains(&book.kept()));
        assert!(book.pages().is_sorted_by_key(|news| std::cmp::Reverse(news.number)));
        assert!(book.news_after(told - 1).is_ok_and(|news| news.map(|news| news.number).eq([told])));
    }
    let pages: Vec<_> = book.pages().map(|news| &news.page).collect();
    let json = serde_json::to_string(&pages).expect("a page has a form in JSON");
    let read: serde_json::Value = serde_json::from_str(&json).expect("what was written is read");
    assert_eq!(read.as_array().map(Vec::len), Some(pages.len()));
    let name = pages.first().map(|page| page.alertname().to_owned()).unwrap_or_default();
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("alertname", &name).finish();
    let filter = Filter::from_query(&query, now).expect("a name is a name");
    assert!(pages.first().is_none_or(|page| filter.takes(page)));
    for page in pages {
        let _ = super::page::item(page, now);
    }
}
