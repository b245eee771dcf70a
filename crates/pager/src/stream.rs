//! `/pages/stream`: pages as server-sent events, each with an id from which a client can go on.
//!
//! A subscriber holds no more than a few events at a time; what it has not yet asked for is in the store. One
//! that reads nothing for too long is cut off by its connection's write timeout, and one that falls
//! behind what the store keeps is ended; both can come back with the last id that they saw.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use firedrill_server::answer::{Answer, streamed};
use firedrill_server::lifecycle::Phase;
use firedrill_server::link::Link;
use firedrill_server::problem::Problem;
use firedrill_server::request::Request;
use futures_util::stream::unfold;
use http::{HeaderName, HeaderValue};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::sleep;

use super::state::State;
use super::store::{Change, Event, Forgotten};

/// How many events are taken from the store at a time.
const BATCH: usize = 16;

/// A comment, which clients pass over.
const KEEPALIVE: Bytes = Bytes::from_static(b": still here\n\n");

/// Answers a client with its stream.
pub(super) fn subscribe(state: &Arc<State>, request: &Request, link: &Arc<Link>) -> Result<Answer, Problem> {
    request.query.expect_none()?;
    let Ok(permit) = Arc::clone(&state.stream_permits).try_acquire_owned() else {
        let detail = format!("the limit of {} subscribers is reached", state.config.max_subscribers);
        return Err(Problem::unavailable(detail));
    };
    let id = request.head.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let start = Start::from_last_event_id(id, state);
    let subscription = Subscription::new(Arc::clone(state), Arc::clone(link), permit, start);
    let events = unfold(subscription, async |mut subscription| {
        let event = subscription.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(event)), subscription))
    });
    let event_stream = HeaderValue::from_static("text/event-stream");
    // Proxies that would wait for the end of an answer before they pass it on are asked not to.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    let answer =
        Answer::ok(event_stream, streamed(StreamBody::new(events))).header(unbuffered.0, unbuffered.1);
    Ok(Answer { open_ended: true, ..answer })
}

/// Where a client goes on.
enum Start {
    /// With each page that is kept, and then with what is new.
    Kept,
    /// With what came after the event of this number.
    After(u64),
}

impl Start {
    /// An id that this process did not give says nothing about what the client has seen of it.
    fn from_last_event_id(id: Option<&str>, state: &State) -> Self {
        let number = id.and_then(|id| {
            let (process, number) = id.split_once('-')?;
            (process == state.process_id()).then(|| number.parse().ok()).flatten()
        });
        match number {
            Some(number) if number <= state.store().last() => Self::After(number),
            _ => Self::Kept,
        }
    }
}

/// One client's way through the events.
struct Subscription {
    state: Arc<State>,
    link: Arc<Link>,
    /// Taken from the store and not yet sent.
    taken: VecDeque<Arc<Event>>,
    /// The number of the last event taken.
    seen: u64,
    /// Whether the client has caught up with what was kept when it came, and now gets each event.
    live: bool,
    last: watch::Receiver<u64>,
    _permit: OwnedSemaphorePermit,
}

impl Subscription {
    fn new(state: Arc<State>, link: Arc<Link>, permit: OwnedSemaphorePermit, start: Start) -> Self {
        let (seen, live) = match start {
            // What the store no longer has one by one is sent as each page is now.
            Start::After(number) => (number, state.store().events_after(number).is_ok()),
            Start::Kept => (0, false),
        };
        state.telemetry.subscribers.inc();
        let last = state.last_event.subscribe();
        Self { state, link, taken: VecDeque::new(), seen, live, last, _permit: permit }
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.taken.pop_front() {
                return Some(self.encode(&event));
            }
            // Before the store is read, so that what comes in between is not slept through.
            self.last.mark_unchanged();
            if self.take().is_err() {
                tracing::warn!("a subscriber fell behind and is dropped");
                self.state.telemetry.subscribers_dropped.inc();
                return None;
            }
            if self.taken.is_empty() {
                tokio::select! {
                    changed = self.last.changed() => changed.ok()?,
                    _ = self.state.lifecycle.reached(Phase::Finishing) => return None,
                    () = sleep(self.state.config.keepalive) => return Some(KEEPALIVE),
                }
            }
        }
    }

    fn take(&mut self) -> Result<(), Forgotten> {
        let store = self.state.store();
        if !self.live {
            self.taken.extend(store.kept_after(self.seen).take(BATCH).cloned());
            self.live = self.taken.is_empty();
        }
        if self.live {
            self.taken.extend(store.events_after(self.seen)?.take(BATCH).cloned());
        }
        if let Some(event) = self.taken.back() {
            self.seen = event.number;
        }
        Ok(())
    }

    /// Neither its id nor its JSON has a line break in it.
    fn encode(&self, event: &Event) -> Bytes {
        let kind = match event.change {
            Change::Rings | Change::RingsAgain => "firing",
            Change::Resolves => "resolved",
            Change::Repeats => "repeated",
        };
        // A page is texts, numbers and times, which JSON can hold, in one line.
        let json = serde_json::to_string(&event.page).unwrap_or_default();
        let (process, number) = (self.state.process_id(), event.number);
        format!("id: {process}-{number}\nevent: {kind}\ndata: {json}\n\n").into()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.state.telemetry.subscribers.dec();
        if self.link.write_timed_out() {
            self.state.telemetry.subscribers_dropped.inc();
        }
    }
}
