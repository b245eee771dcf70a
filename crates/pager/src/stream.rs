//! `/pages/stream`: news of pages as server-sent events, each with an id from which a client can go on.
//!
//! A subscriber holds no more than a few news at a time; what it has not yet asked for is in the book. One
//! that takes nothing for too long is cut off by its connection's write timeout, and one that falls
//! behind what the book keeps is ended; both can come back with the last id that they saw.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::unfold;
use http::HeaderValue;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::sleep;

use super::Shared;
use super::book::{Forgotten, News, What};
use firedrill_server::answer::{self, Response};
use firedrill_server::connection::Link;
use firedrill_server::lifecycle::Phase;
use firedrill_server::measure::OpenEnded;

/// How many news are taken from the book at a time.
const BATCH: usize = 16;

/// A comment, which clients pass over.
const STILL_HERE: Bytes = Bytes::from_static(b": still here\n\n");

/// One client's way through the news.
struct Subscription {
    shared: Arc<Shared>,
    link: Arc<Link>,
    /// Taken from the book and not yet sent.
    taken: VecDeque<Arc<News>>,
    /// The number of the last news taken.
    seen: u64,
    /// Whether the client has caught up with what was kept when it came, and now gets each news.
    live: bool,
    last: watch::Receiver<u64>,
    _place: OwnedSemaphorePermit,
}

/// Where a client goes on.
pub(super) enum Start {
    /// With each page that is kept, and then with what is new.
    Kept,
    /// With what came after the news of this number.
    After(u64),
}

impl Start {
    /// Reads a `Last-Event-ID`. One that this process did not give says nothing about what the client has
    /// seen of it.
    pub(super) fn last_event_id(id: Option<&str>, shared: &Shared) -> Self {
        let number = id.and_then(|id| {
            let (began, number) = id.split_once('-')?;
            let ours = began == shared.began_id();
            ours.then(|| number.parse().ok()).flatten()
        });
        match number {
            Some(number) if number <= shared.book().last() => Self::After(number),
            _ => Self::Kept,
        }
    }
}

/// The stream of news for one client.
pub(super) fn stream(
    shared: Arc<Shared>,
    link: Arc<Link>,
    place: OwnedSemaphorePermit,
    from: &Start,
) -> Response {
    let (seen, live) = match *from {
        // What the book no longer has one by one is told as each page is now.
        Start::After(number) => (number, shared.book().news_after(number).is_ok()),
        Start::Kept => (0, false),
    };
    shared.telemetry.subscribers.inc();
    let last = shared.last_news.subscribe();
    let subscription = Subscription { shared, link, taken: VecDeque::new(), seen, live, last, _place: place };
    let events = unfold(subscription, async |mut subscription| {
        let event = subscription.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(event)), subscription))
    });
    let event_stream = HeaderValue::from_static("text/event-stream");
    let mut response = answer::ok(event_stream, answer::streamed(StreamBody::new(events)));
    response.extensions_mut().insert(OpenEnded);
    response
}

impl Subscription {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(news) = self.taken.pop_front() {
                return Some(self.event(&news));
            }
            // Before the book is read, so that what comes in between is not slept through.
            self.last.mark_unchanged();
            if self.take().is_err() {
                tracing::warn!("a subscriber fell behind and is dropped");
                self.shared.telemetry.subscribers_dropped.inc();
                return None;
            }
            if self.taken.is_empty() {
                tokio::select! {
                    changed = self.last.changed() => changed.ok()?,
                    _ = self.shared.lifecycle.reached(Phase::Finishing) => return None,
                    () = sleep(self.shared.config.keepalive) => return Some(STILL_HERE),
                }
            }
        }
    }

    fn take(&mut self) -> Result<(), Forgotten> {
        let book = self.shared.book();
        if !self.live {
            self.taken.extend(book.kept_after(self.seen).take(BATCH).cloned());
            self.live = self.taken.is_empty();
        }
        if self.live {
            self.taken.extend(book.news_after(self.seen)?.take(BATCH).cloned());
        }
        if let Some(news) = self.taken.back() {
            self.seen = news.number;
        }
        Ok(())
    }

    /// The news as one event. Neither its id nor its JSON has a line break in it.
    fn event(&self, news: &News) -> Bytes {
        let what = match news.what {
            What::Rings | What::RingsAgain => "firing",
            What::Resolves => "resolved",
            What::Repeats => "repeated",
        };
        // A page is texts, numbers and times, which JSON can hold, in one line.
        let json = serde_json::to_string(&news.page).unwrap_or_default();
        let (began, number) = (self.shared.began_id(), news.number);
        format!("id: {began}-{number}\nevent: {what}\ndata: {json}\n\n").into()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.telemetry.subscribers.dec();
        if self.link.write_timed_out() {
            self.shared.telemetry.subscribers_dropped.inc();
        }
    }
}
