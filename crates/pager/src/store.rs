//! What rang: each page's life, and the events of it. Pure; times are passed in.
//!
//! A [`Page`] is what one receiver was notified of about one alert from one start on: notifications that repeat
//! it are recognised by fingerprint, start and receiver. The [`Store`] keeps the pages that were notified last and
//! the last events, both within [`Limits`], and says how many pages it had to forget.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::webhook::{Alert, Status};

/// How much a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Pages, and events.
    pub(super) pages: usize,
    /// Bytes of text in the pages, and in the events. The newest is kept however large it is.
    pub(super) bytes: usize,
}

/// One alert from one start on, as one receiver was told of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Page {
    pub(super) status: Status,
    pub(super) receiver: String,
    pub(super) fingerprint: String,
    /// When the alert began to fire, by Prometheus' clock.
    pub(super) starts_at: Timestamp,
    /// When it ended, by the clock of whoever ended it.
    pub(super) ends_at: Option<Timestamp>,
    pub(super) first_received_at: Timestamp,
    pub(super) last_received_at: Timestamp,
    pub(super) times_received: u64,
    /// When the first notification came that it fires; none did where only its end was heard of.
    pub(super) rang_at: Option<Timestamp>,
    /// From `starts_at` to `rang_at`; below zero where the clocks disagree. Nothing where an earlier
    /// notification may have come that the store does not know of: before it was created, or forgotten.
    pub(super) delay_seconds: Option<f64>,
    /// When the notification came that it no longer fires.
    pub(super) resolved_at: Option<Timestamp>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) generator_url: String,
    pub(super) external_url: String,
}

impl Page {
    /// The alert's name; empty where it has none.
    pub(super) fn alertname(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }

    /// Bytes that it keeps in memory, about.
    fn bytes(&self) -> usize {
        let texts = self.labels.iter().chain(&self.annotations).map(|(name, value)| name.len() + value.len());
        let others = self.fingerprint.len() + self.generator_url.len() + self.external_url.len();
        size_of::<Self>() + others + self.receiver.len() + texts.map(|text| text + 64).sum::<usize>()
    }
}

/// Change a notification changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It fires, and that is heard for the first time.
    Rings,
    /// It fires again, after it was resolved.
    RingsAgain,
    /// It no longer fires.
    Resolves,
    /// It is as it was.
    Repeats,
}

/// One thing that happened to a page.
#[derive(Debug, PartialEq)]
pub(super) struct Event {
    /// Counts all events from 1 on.
    pub(super) number: u64,
    pub(super) change: Change,
    /// The page from then on.
    pub(super) page: Page,
}

/// Events that are no longer kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forgotten;

/// By what notifications of one page are recognised.
type Key = (String, String, Timestamp);

/// Change rang.
#[derive(Debug)]
pub(super) struct Store {
    limits: Limits,
    /// Before this, notifications may have come that the store does not know of.
    known_since: Timestamp,
    /// The number of each page's last event.
    numbers: HashMap<Key, u64>,
    /// Each page's last event, by its number.
    pages: BTreeMap<u64, Arc<Event>>,
    page_bytes: usize,
    forgotten: u64,
    /// The last events of all pages.
    events: VecDeque<Arc<Event>>,
    event_bytes: usize,
    last: u64,
}

impl Store {
    pub(super) fn new(limits: Limits, now: Timestamp) -> Self {
        Self {
            limits,
            known_since: now,
            numbers: HashMap::new(),
            pages: BTreeMap::new(),
            page_bytes: 0,
            forgotten: 0,
            events: VecDeque::new(),
            event_bytes: 0,
            last: 0,
        }
    }

    /// Records what a receiver was notified of about an alert, and says what changed.
    pub(super) fn record(
        &mut self,
        receiver: &str,
        external_url: &str,
        alert: Alert,
        now: Timestamp,
    ) -> Arc<Event> {
        let key = (receiver.to_owned(), alert.fingerprint.clone(), alert.starts_at);
        let before = self.numbers.get(&key).and_then(|number| self.pages.remove(number));
        let change = match (before.as_ref().map(|event| &event.page), alert.status) {
            (Some(before), now) if before.status == now => Change::Repeats,
            (Some(before), Status::Firing) if before.rang_at.is_some() => Change::RingsAgain,
            (_, Status::Firing) => Change::Rings,
            (_, Status::Resolved) => Change::Resolves,
        };
        if let Some(before) = &before {
            self.page_bytes -= before.page.bytes();
        }
        let page = self.next_page(
            before.as_ref().map(|event| &event.page),
            change,
            key.clone(),
            external_url,
            alert,
            now,
        );
        self.last += 1;
        let bytes = page.bytes();
        let event = Arc::new(Event { number: self.last, change, page });
        self.numbers.insert(key, self.last);
        self.pages.insert(self.last, Arc::clone(&event));
        self.events.push_back(Arc::clone(&event));
        self.page_bytes += bytes;
        self.event_bytes += bytes;
        self.forget();
        event
    }

    /// The page after this notification.
    fn next_page(
        &self,
        before: Option<&Page>,
        change: Change,
        (receiver, fingerprint, starts_at): Key,
        external_url: &str,
        alert: Alert,
        now: Timestamp,
    ) -> Page {
        let fires = alert.status == Status::Firing;
        let rings = change == Change::Rings;
        let knows_all = before.is_none() && starts_at >= self.known_since;
        Page {
            status: alert.status,
            receiver,
            fingerprint,
            starts_at,
            ends_at: (!fires).then_some(alert.ends_at),
            first_received_at: before.map_or(now, |page| page.first_received_at),
            last_received_at: now,
            times_received: before.map_or(1, |page| page.times_received + 1),
            rang_at: if rings { Some(now) } else { before.and_then(|page| page.rang_at) },
            delay_seconds: if rings {
                knows_all.then(|| now.duration_since(starts_at).as_secs_f64())
            } else {
                before.and_then(|page| page.delay_seconds)
            },
            resolved_at: if fires { None } else { before.and_then(|page| page.resolved_at).or(Some(now)) },
            labels: alert.labels,
            annotations: alert.annotations,
            generator_url: alert.generator_url,
            external_url: external_url.to_owned(),
        }
    }

    /// Forgets the pages that were not notified for longest, and the oldest events.
    fn forget(&mut self) {
        let Limits { pages, bytes } = self.limits;
        while self.pages.len() > 1 && (self.pages.len() > pages || self.page_bytes > bytes) {
            let Some((_, event)) = self.pages.pop_first() else { break };
            let page = &event.page;
            self.numbers.remove(&(page.receiver.clone(), page.fingerprint.clone(), page.starts_at));
            self.page_bytes -= page.bytes();
            self.forgotten += 1;
            self.known_since = self.known_since.max(page.last_received_at);
        }
        while self.events.len() > 1 && (self.events.len() > pages || self.event_bytes > bytes) {
            let Some(event) = self.events.pop_front() else { break };
            self.event_bytes -= event.page.bytes();
        }
    }

    /// Each page's last event, the newest first.
    pub(super) fn pages(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.pages.values().rev()
    }

    /// How many pages are kept.
    pub(super) fn kept(&self) -> usize {
        self.pages.len()
    }

    /// How many were forgotten to keep within the limits.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The number of the last event.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The last event of each page that has any after this number, the oldest first.
    pub(super) fn kept_after(&self, number: u64) -> impl Iterator<Item = &Arc<Event>> {
        self.pages.range((Excluded(number), Unbounded)).map(|(_, event)| event)
    }

    /// All events after this number, the oldest first.
    pub(super) fn events_after(&self, number: u64) -> Result<impl Iterator<Item = &Arc<Event>>, Forgotten> {
        let first = self.last + 1 - self.events.len() as u64;
        let seen = (number + 1).checked_sub(first).ok_or(Forgotten)?;
        Ok(self.events.iter().skip(usize::try_from(seen).unwrap_or(usize::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { pages: 3, bytes: 1 << 20 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn alert(name: &str, status: Status, starts: i64) -> Alert {
        Alert {
            status,
            labels: BTreeMap::from([("alertname".to_owned(), name.to_owned())]),
            annotations: BTreeMap::new(),
            starts_at: at(starts),
            ends_at: at(starts + 50),
            fingerprint: format!("fingerprint of {name}"),
            generator_url: String::new(),
        }
    }

    fn firing(name: &str, starts: i64) -> Alert {
        alert(name, Status::Firing, starts)
    }

    fn resolved(name: &str, starts: i64) -> Alert {
        alert(name, Status::Resolved, starts)
    }

    /// A store that is created at 100.
    struct TestStore(Store);

    impl TestStore {
        fn new(limits: Limits) -> Self {
            Self(Store::new(limits, at(100)))
        }

        fn record(&mut self, alert: Alert, now: i64) -> Arc<Event> {
            self.0.record("pager", "", alert, at(now))
        }

        fn names(&self) -> Vec<&str> {
            self.0.pages().map(|event| event.page.alertname()).collect()
        }
    }

    #[test]
    fn a_page_rings_is_repeated_and_resolves() {
        let mut store = TestStore::new(LIMITS);
        let event = store.record(firing("A", 110), 112);
        assert_eq!((event.number, event.change), (1, Change::Rings));
        let page = &event.page;
        assert_eq!((page.rang_at, page.delay_seconds, page.times_received), (Some(at(112)), Some(2.0), 1));
        assert_eq!((page.ends_at, page.resolved_at), (None, None));

        let event = store.record(firing("A", 110), 140);
        assert_eq!((event.number, event.change), (2, Change::Repeats));
        let page = &event.page;
        assert_eq!((page.rang_at, page.delay_seconds, page.times_received), (Some(at(112)), Some(2.0), 2));
        assert_eq!((page.first_received_at, page.last_received_at), (at(112), at(140)));

        let event = store.record(resolved("A", 110), 165);
        assert_eq!((event.number, event.change, event.page.status), (3, Change::Resolves, Status::Resolved));
        assert_eq!((event.page.ends_at, event.page.resolved_at), (Some(at(160)), Some(at(165))));
        assert_eq!((event.page.rang_at, event.page.delay_seconds), (Some(at(112)), Some(2.0)));

        let event = store.record(resolved("A", 110), 170);
        assert_eq!((event.change, event.page.resolved_at), (Change::Repeats, Some(at(165))));
        assert_eq!(store.0.kept(), 1);
    }

    #[test]
    fn another_start_fingerprint_or_receiver_is_another_page() {
        let mut store = TestStore::new(Limits { pages: 9, ..LIMITS });
        store.record(firing("A", 110), 112);
        assert_eq!(store.record(firing("A", 111), 112).change, Change::Rings);
        assert_eq!(store.record(firing("B", 110), 112).change, Change::Rings);
        let ops = store.0.record("ops", "", firing("A", 110), at(112));
        assert_eq!((ops.change, store.0.kept()), (Change::Rings, 4));
    }

    #[test]
    fn what_was_resolved_before_it_was_heard_of_never_rang() {
        let mut store = TestStore::new(LIMITS);
        let event = store.record(resolved("A", 110), 165);
        assert_eq!(event.change, Change::Resolves);
        assert_eq!((event.page.rang_at, event.page.delay_seconds), (None, None));
        // It rings after all, but how long after it began says nothing about delivery.
        let event = store.record(firing("A", 110), 170);
        assert_eq!(
            (event.change, event.page.status, event.page.resolved_at),
            (Change::Rings, Status::Firing, None)
        );
        assert_eq!((event.page.rang_at, event.page.delay_seconds), (Some(at(170)), None));
    }

    #[test]
    fn what_fires_again_after_it_was_resolved_is_an_event_and_has_one_delay() {
        let mut store = TestStore::new(LIMITS);
        store.record(firing("A", 110), 112);
        store.record(resolved("A", 110), 165);
        let event = store.record(firing("A", 110), 300);
        assert_eq!(
            (event.change, event.page.delay_seconds, event.page.rang_at),
            (Change::RingsAgain, Some(2.0), Some(at(112)))
        );
    }

    #[test]
    fn a_delay_is_not_made_up_where_an_earlier_notification_may_be_unknown() {
        let mut store = TestStore::new(Limits { pages: 1, ..LIMITS });
        // It began before the store did.
        assert_eq!(store.record(firing("A", 99), 120).page.delay_seconds, None);
        assert_eq!(store.record(firing("B", 120), 121).page.delay_seconds, Some(1.0));
        // The page of A is forgotten by now, so that this is not the first of it either.
        assert_eq!(store.record(firing("A", 99), 130).page.delay_seconds, None);
        assert_eq!(store.record(firing("B", 120), 140).page.delay_seconds, None);
        // A clock that is ahead shows.
        assert_eq!(store.record(firing("C", 151), 150).page.delay_seconds, Some(-1.0));
    }

    #[test]
    fn pages_that_were_not_heard_of_for_longest_are_forgotten() {
        let mut store = TestStore::new(LIMITS);
        for (name, now) in [("A", 110), ("B", 111), ("C", 112)] {
            store.record(firing(name, 110), now);
        }
        store.record(firing("A", 110), 113);
        assert_eq!((store.names(), store.0.forgotten()), (vec!["A", "C", "B"], 0));
        store.record(firing("D", 110), 114);
        assert_eq!((store.names(), store.0.forgotten()), (vec!["D", "A", "C"], 1));
    }

    #[test]
    fn memory_is_bounded_by_bytes_as_well() {
        let mut store = TestStore::new(Limits { pages: 1000, bytes: 10_000 });
        let large = |name: &str, bytes: usize| {
            let mut alert = firing(name, 110);
            alert.annotations.insert("description".to_owned(), "x".repeat(bytes));
            alert
        };
        for n in 0..100 {
            store.record(large(&n.to_string(), 2_000), 112);
            assert!(store.0.page_bytes <= 10_000 && store.0.event_bytes <= 10_000);
        }
        assert_eq!(store.0.forgotten() + store.0.kept() as u64, 100);
        assert!(store.0.kept() >= 3, "{}", store.0.kept());
        store.record(large("huge", 50_000), 112);
        assert_eq!(store.names(), ["huge"], "the newest is kept however large it is");
        store.record(firing("small", 110), 112);
        assert_eq!(store.names(), ["small"]);
        let bytes = store.0.pages().next().unwrap().page.bytes();
        assert_eq!((store.0.page_bytes, store.0.event_bytes), (bytes, bytes), "nothing is left over");
    }

    #[test]
    fn events_are_given_from_any_number_on_or_not_at_all() {
        let mut store = TestStore::new(LIMITS);
        let numbers = |store: &TestStore, after| {
            store.0.events_after(after).map(|events| events.map(|event| event.number).collect::<Vec<_>>())
        };
        assert_eq!(numbers(&store, 0), Ok(vec![]));
        store.record(firing("A", 110), 112);
        store.record(resolved("A", 110), 113);
        assert_eq!(
            (numbers(&store, 0), numbers(&store, 1), numbers(&store, 2)),
            (Ok(vec![1, 2]), Ok(vec![2]), Ok(vec![]))
        );
        store.record(firing("B", 110), 114);
        store.record(firing("B", 110), 115);
        assert_eq!((numbers(&store, 0), numbers(&store, 1)), (Err(Forgotten), Ok(vec![2, 3, 4])));
        // Change is kept is each page as it is now.
        let kept = |after| store.0.kept_after(after).map(|event| event.number).collect::<Vec<_>>();
        assert_eq!((kept(0), kept(2), kept(4)), (vec![2, 4], vec![4], vec![]));
    }
}
