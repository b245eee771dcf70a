//! What has to hold whatever is posted to the pager.

use firedrill_server::request::Query;
use jiff::Timestamp;

use super::filter::Filter;
use super::store::{Change, Limits, Store};
use super::webhook::Notification;

/// What Alertmanager posts to its webhook.
///
/// # Panics
/// Where a store forgets what it just recorded, keeps more than its limits, or gives events out of their
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
    let limits = Limits { pages: 3, bytes: 2_000 };
    let mut store = Store::new(limits, now);
    let Notification { receiver, alerts, external_url, .. } = notification;
    for (told, alert) in (1..).zip(alerts.iter().chain(&alerts)) {
        let event = store.record(&receiver, &external_url, alert.clone(), now);
        assert_eq!((event.number, store.last()), (told, told));
        assert_eq!(event.page.status, alert.status);
        assert!(
            event.page.rang_at.is_some() || event.page.delay_seconds.is_none(),
            "what never rang has no delay"
        );
        assert!(event.change != Change::Repeats || event.page.times_received > 1);
        assert!((1..=limits.pages).contains(&store.kept()));
        assert!(store.pages().is_sorted_by_key(|event| std::cmp::Reverse(event.number)));
        assert!(store.events_after(told - 1).is_ok_and(|events| events.map(|event| event.number).eq([told])));
    }
    let pages: Vec<_> = store.pages().map(|event| &event.page).collect();
    let json = serde_json::to_string(&pages).expect("a page has a form in JSON");
    let read: serde_json::Value = serde_json::from_str(&json).expect("what was written is read");
    assert_eq!(read.as_array().map(Vec::len), Some(pages.len()));
    let name = pages.first().map(|page| page.alertname().to_owned()).unwrap_or_default();
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("alertname", &name).finish();
    let filter = Filter::from_query(&Query::parse(&query), now).expect("a name is a name");
    assert!(pages.first().is_none_or(|page| filter.matches(page)));
    for page in pages {
        let _ = super::page::item(page, now);
    }
}
