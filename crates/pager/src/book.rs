//! What rang: each page's life, and the news of it. Pure; times are passed in.
//!
//! A [`Page`] is what one receiver was told about one alert from one start on: notifications that repeat
//! it are recognised by fingerprint, start and receiver. The [`Book`] keeps the pages that it heard of
//! last and the last news, both within [`Bounds`], and says how many it had to forget.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::webhook::{Alert, Status};

/// How much a book keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Pages, and news.
    pub(super) pages: usize,
    /// Bytes of text in the pages, and in the news. The newest is kept however large it is.
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
    /// notification may have come that the book does not know of: before it was begun, or forgotten.
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

/// What a notification changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
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
pub(super) struct News {
    /// Counts all news from 1 on.
    pub(super) number: u64,
    pub(super) what: What,
    /// The page from then on.
    pub(super) page: Page,
}

/// News that was asked for and is no longer kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forgotten;

/// By what notifications of one page are recognised.
type Key = (String, String, Timestamp);

/// What rang.
#[derive(Debug)]
pub(super) struct Book {
    bounds: Bounds,
    /// Before this, notifications may have come that the book does not know of.
    known_since: Timestamp,
    /// The number of each page's last news.
    numbers: HashMap<Key, u64>,
    /// Each page's last news, by its number.
    pages: BTreeMap<u64, Arc<News>>,
    bytes_of_pages: usize,
    forgotten: u64,
    /// The last news of all.
    news: VecDeque<Arc<News>>,
    bytes_of_news: usize,
    last: u64,
}

impl Book {
    /// An empty book, begun at this time.
    pub(super) fn new(bounds: Bounds, now: Timestamp) -> Self {
        Self {
            bounds,
            known_since: now,
            numbers: HashMap::new(),
            pages: BTreeMap::new(),
            bytes_of_pages: 0,
            forgotten: 0,
            news: VecDeque::new(),
            bytes_of_news: 0,
            last: 0,
        }
    }

    /// Takes down what a receiver was told about an alert, and says what is new.
    pub(super) fn receive(
        &mut self,
        receiver: &str,
        external_url: &str,
        alert: Alert,
        now: Timestamp,
    ) -> Arc<News> {
        let key = (receiver.to_owned(), alert.fingerprint.clone(), alert.starts_at);
        let before = self.numbers.get(&key).and_then(|number| self.pages.remove(number));
        let what = match (before.as_ref().map(|news| &news.page), alert.status) {
            (Some(before), now) if before.status == now => What::Repeats,
            (Some(before), Status::Firing) if before.rang_at.is_some() => What::RingsAgain,
            (_, Status::Firing) => What::Rings,
            (_, Status::Resolved) => What::Resolves,
        };
        if let Some(before) = &before {
            self.bytes_of_pages -= before.page.bytes();
        }
        let page =
            self.turn(before.as_ref().map(|news| &news.page), what, key.clone(), external_url, alert, now);
        self.last += 1;
        let bytes = page.bytes();
        let news = Arc::new(News { number: self.last, what, page });
        self.numbers.insert(key, self.last);
        self.pages.insert(self.last, Arc::clone(&news));
        self.news.push_back(Arc::clone(&news));
        self.bytes_of_pages += bytes;
        self.bytes_of_news += bytes;
        self.forget();
        news
    }

    /// The page after this notification.
    fn turn(
        &self,
        before: Option<&Page>,
        what: What,
        (receiver, fingerprint, starts_at): Key,
        external_url: &str,
        alert: Alert,
        now: Timestamp,
    ) -> Page {
        let fires = alert.status == Status::Firing;
        let rings = what == What::Rings;
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

    /// Forgets the pages that were not heard of for longest, and the oldest news.
    fn forget(&mut self) {
        let Bounds { pages, bytes } = self.bounds;
        while self.pages.len() > 1 && (self.pages.len() > pages || self.bytes_of_pages > bytes) {
            let Some((_, news)) = self.pages.pop_first() else { break };
            let page = &news.page;
            self.numbers.remove(&(page.receiver.clone(), page.fingerprint.clone(), page.starts_at));
            self.bytes_of_pages -= page.bytes();
            self.forgotten += 1;
            self.known_since = self.known_since.max(page.last_received_at);
        }
        while self.news.len() > 1 && (self.news.len() > pages || self.bytes_of_news > bytes) {
            let Some(news) = self.news.pop_front() else { break };
            self.bytes_of_news -= news.page.bytes();
        }
    }

    /// Each page's last news, the newest first.
    pub(super) fn pages(&self) -> impl Iterator<Item = &Arc<News>> {
        self.pages.values().rev()
    }

    /// How many pages are kept.
    pub(super) fn kept(&self) -> usize {
        self.pages.len()
    }

    /// How many were forgotten to keep within the bounds.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The number of the last news.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The last news of each page that has any after this number, the oldest first.
    pub(super) fn kept_after(&self, number: u64) -> impl Iterator<Item = &Arc<News>> {
        self.pages.range((Excluded(number), Unbounded)).map(|(_, news)| news)
    }

    /// All news after this number, the oldest first.
    pub(super) fn news_after(&self, number: u64) -> Result<impl Iterator<Item = &Arc<News>>, Forgotten> {
        let first = self.last + 1 - self.news.len() as u64;
        let seen = (number + 1).checked_sub(first).ok_or(Forgotten)?;
        Ok(self.news.iter().skip(usize::try_from(seen).unwrap_or(usize::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { pages: 3, bytes: 1 << 20 };

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

    /// A book that is begun at 100.
    struct Desk(Book);

    impl Desk {
        fn new(bounds: Bounds) -> Self {
            Self(Book::new(bounds, at(100)))
        }

        fn receive(&mut self, alert: Alert, now: i64) -> Arc<News> {
            self.0.receive("pager", "", alert, at(now))
        }

        fn names(&self) -> Vec<&str> {
            self.0.pages().map(|news| news.page.alertname()).collect()
        }
    }

    #[test]
    fn a_page_rings_is_repeated_and_resolves() {
        let mut desk = Desk::new(BOUNDS);
        let news = desk.receive(firing("A", 110), 112);
        assert_eq!((news.number, news.what), (1, What::Rings));
        let page = &news.page;
        assert_eq!((page.rang_at, page.delay_seconds, page.times_received), (Some(at(112)), Some(2.0), 1));
        assert_eq!((page.ends_at, page.resolved_at), (None, None));

        let news = desk.receive(firing("A", 110), 140);
        assert_eq!((news.number, news.what), (2, What::Repeats));
        let page = &news.page;
        assert_eq!((page.rang_at, page.delay_seconds, page.times_received), (Some(at(112)), Some(2.0), 2));
        assert_eq!((page.first_received_at, page.last_received_at), (at(112), at(140)));

        let news = desk.receive(resolved("A", 110), 165);
        assert_eq!((news.number, news.what, news.page.status), (3, What::Resolves, Status::Resolved));
        assert_eq!((news.page.ends_at, news.page.resolved_at), (Some(at(160)), Some(at(165))));
        assert_eq!((news.page.rang_at, news.page.delay_seconds), (Some(at(112)), Some(2.0)));

        let news = desk.receive(resolved("A", 110), 170);
        assert_eq!((news.what, news.page.resolved_at), (What::Repeats, Some(at(165))));
        assert_eq!(desk.0.kept(), 1);
    }

    #[test]
    fn another_start_fingerprint_or_receiver_is_another_page() {
        let mut desk = Desk::new(Bounds { pages: 9, ..BOUNDS });
        desk.receive(firing("A", 110), 112);
        assert_eq!(desk.receive(firing("A", 111), 112).what, What::Rings);
        assert_eq!(desk.receive(firing("B", 110), 112).what, What::Rings);
        let ops = desk.0.receive("ops", "", firing("A", 110), at(112));
        assert_eq!((ops.what, desk.0.kept()), (What::Rings, 4));
    }

    #[test]
    fn what_was_resolved_before_it_was_heard_of_never_rang() {
        let mut desk = Desk::new(BOUNDS);
        let news = desk.receive(resolved("A", 110), 165);
        assert_eq!(news.what, What::Resolves);
        assert_eq!((news.page.rang_at, news.page.delay_seconds), (None, None));
        // It rings after all, but how long after it began says nothing about delivery.
        let news = desk.receive(firing("A", 110), 170);
        assert_eq!((news.what, news.page.status, news.page.resolved_at), (What::Rings, Status::Firing, None));
        assert_eq!((news.page.rang_at, news.page.delay_seconds), (Some(at(170)), None));
    }

    #[test]
    fn what_fires_again_after_it_was_resolved_is_news_and_has_one_delay() {
        let mut desk = Desk::new(BOUNDS);
        desk.receive(firing("A", 110), 112);
        desk.receive(resolved("A", 110), 165);
        let news = desk.receive(firing("A", 110), 300);
        assert_eq!(
            (news.what, news.page.delay_seconds, news.page.rang_at),
            (What::RingsAgain, Some(2.0), Some(at(112)))
        );
    }

    #[test]
    fn a_delay_is_not_made_up_where_an_earlier_notification_may_be_unknown() {
        let mut desk = Desk::new(Bounds { pages: 1, ..BOUNDS });
        // It began before the book did.
        assert_eq!(desk.receive(firing("A", 99), 120).page.delay_seconds, None);
        assert_eq!(desk.receive(firing("B", 120), 121).page.delay_seconds, Some(1.0));
        // The page of A is forgotten by now, so that this is not the first of it either.
        assert_eq!(desk.receive(firing("A", 99), 130).page.delay_seconds, None);
        assert_eq!(desk.receive(firing("B", 120), 140).page.delay_seconds, None);
        // A clock that is ahead shows.
        assert_eq!(desk.receive(firing("C", 151), 150).page.delay_seconds, Some(-1.0));
    }

    #[test]
    fn pages_that_were_not_heard_of_for_longest_are_forgotten() {
        let mut desk = Desk::new(BOUNDS);
        for (name, now) in [("A", 110), ("B", 111), ("C", 112)] {
            desk.receive(firing(name, 110), now);
        }
        desk.receive(firing("A", 110), 113);
        assert_eq!((desk.names(), desk.0.forgotten()), (vec!["A", "C", "B"], 0));
        desk.receive(firing("D", 110), 114);
        assert_eq!((desk.names(), desk.0.forgotten()), (vec!["D", "A", "C"], 1));
    }

    #[test]
    fn memory_is_bounded_by_bytes_as_well() {
        let mut desk = Desk::new(Bounds { pages: 1000, bytes: 10_000 });
        let large = |name: &str, bytes: usize| {
            let mut alert = firing(name, 110);
            alert.annotations.insert("description".to_owned(), "x".repeat(bytes));
            alert
        };
        for n in 0..100 {
            desk.receive(large(&n.to_string(), 2_000), 112);
            assert!(desk.0.bytes_of_pages <= 10_000 && desk.0.bytes_of_news <= 10_000);
        }
        assert_eq!(desk.0.forgotten() + desk.0.kept() as u64, 100);
        assert!(desk.0.kept() >= 3, "{}", desk.0.kept());
        desk.receive(large("huge", 50_000), 112);
        assert_eq!(desk.names(), ["huge"], "the newest is kept however large it is");
        desk.receive(firing("small", 110), 112);
        assert_eq!(desk.names(), ["small"]);
        let bytes = desk.0.pages().next().unwrap().page.bytes();
        assert_eq!((desk.0.bytes_of_pages, desk.0.bytes_of_news), (bytes, bytes), "nothing is left over");
    }

    #[test]
    fn news_is_told_from_any_number_on_or_not_at_all() {
        let mut desk = Desk::new(BOUNDS);
        let numbers = |desk: &Desk, after| {
            desk.0.news_after(after).map(|news| news.map(|news| news.number).collect::<Vec<_>>())
        };
        assert_eq!(numbers(&desk, 0), Ok(vec![]));
        desk.receive(firing("A", 110), 112);
        desk.receive(resolved("A", 110), 113);
        assert_eq!(
            (numbers(&desk, 0), numbers(&desk, 1), numbers(&desk, 2)),
            (Ok(vec![1, 2]), Ok(vec![2]), Ok(vec![]))
        );
        desk.receive(firing("B", 110), 114);
        desk.receive(firing("B", 110), 115);
        assert_eq!((numbers(&desk, 0), numbers(&desk, 1)), (Err(Forgotten), Ok(vec![2, 3, 4])));
        // What is kept is each page as it is now.
        let kept = |after| desk.0.kept_after(after).map(|news| news.number).collect::<Vec<_>>();
        assert_eq!((kept(0), kept(2), kept(4)), (vec![2, 4], vec![4], vec![]));
    }
}
