//! What a request and its connection know of each other. HTTP/1 has one request at a time on a connection, so that
//! a link holds the state of that one.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::config::Timeouts;
use super::outcome::Workload;
use super::series::SeriesCache;

pub struct Link {
    current: Mutex<Current>,
    begun: AtomicBool,
    write_timed_out: AtomicBool,
    reset: AtomicBool,
    on_close: Mutex<Option<OnClose>>,
}

/// What each request takes a few times, and so is under one lock.
pub(super) struct Current {
    awaiting: Awaiting,
    /// `None` where requests have no workload.
    pub(super) workload: Option<Workload>,
    pub(super) series: SeriesCache,
}

/// What a connection is waiting for from its client.
#[derive(Clone, Copy)]
enum Awaiting {
    /// The next request, since then.
    Request(Instant),
    /// The rest of a request's head, since its first byte.
    Head(Instant),
    /// Nothing: a request is being served.
    Nothing,
}

/// What a request asks for to happen once its connection has closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClose {
    /// The process ends with this code.
    Exit(u8),
    /// The server answers nobody for this long.
    Outage(Duration),
}

impl Link {
    pub(super) fn new(now: Instant) -> Self {
        let current =
            Current { awaiting: Awaiting::Request(now), workload: None, series: SeriesCache::default() };
        Self {
            current: Mutex::new(current),
            begun: AtomicBool::new(false),
            write_timed_out: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            on_close: Mutex::new(None),
        }
    }

    pub(super) fn begin_request(&self, workload: Option<Workload>) -> MutexGuard<'_, Current> {
        let mut current = lock(&self.current);
        current.awaiting = Awaiting::Nothing;
        current.workload = workload;
        current
    }

    pub(super) fn end_request(&self, now: Instant) -> MutexGuard<'_, Current> {
        let mut current = lock(&self.current);
        current.awaiting = Awaiting::Request(now);
        current
    }

    /// Says whose traffic the request is, once that is known.
    pub fn set_workload(&self, workload: Workload) {
        lock(&self.current).workload = Some(workload);
    }

    /// Makes the connection end in a TCP reset instead of an orderly close.
    pub(super) fn reset(&self) {
        self.reset.store(true, Relaxed);
    }

    pub(super) fn is_reset(&self) -> bool {
        self.reset.load(Relaxed)
    }

    pub fn set_on_close(&self, on_close: OnClose) {
        *lock(&self.on_close) = Some(on_close);
    }

    pub(super) fn on_close(&self) -> Option<OnClose> {
        *lock(&self.on_close)
    }

    pub(super) fn time_write_out(&self) {
        self.write_timed_out.store(true, Relaxed);
    }

    pub fn write_timed_out(&self) -> bool {
        self.write_timed_out.load(Relaxed)
    }

    /// Whether anything has come from the client yet.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Relaxed)
    }

    /// Whether the client is in the middle of a request's head.
    pub(super) fn in_head(&self) -> bool {
        matches!(lock(&self.current).awaiting, Awaiting::Head(_))
    }

    pub(super) fn bytes_received(&self) {
        self.begun.store(true, Relaxed);
        let mut current = lock(&self.current);
        if matches!(current.awaiting, Awaiting::Request(_)) {
            current.awaiting = Awaiting::Head(Instant::now());
        }
    }

    /// By when the client's next bytes must come.
    pub(super) fn read_deadline(&self, timeouts: &Timeouts) -> Option<Instant> {
        match lock(&self.current).awaiting {
            Awaiting::Request(since) => Some(since + timeouts.idle),
            Awaiting::Head(since) => Some(since + timeouts.header),
            Awaiting::Nothing => None,
        }
    }
}

/// These locks are held for an assignment or a look-up, which do not panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
