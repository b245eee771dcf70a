//! The pager: the end of the chain, so that delivery of an alert is proven and not assumed.
//!
//! Reading order: `webhook` is what Alertmanager posts; `book` makes pages of it and keeps the last ones;
//! `heartbeat` is the dead man's switch. [`Pager`] stands on the [`firedrill_server`], which hands it each request;
//! the request goes to its path (`route`): notifications in, and out again as JSON (`filter`), as a
//! `stream` and as a `page` for people. `telemetry` names every metric.
//!
//! Everything is in memory and bounded; a restart loses that and no more, and every answer says since
//! when the pager has listened.

mod book;
mod filter;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod heartbeat;
mod page;
mod route;
mod stream;
mod telemetry;
mod webhook;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::sleep_until;

use book::{Book, Bounds, News};
use firedrill_contract::{Size, Token};
use firedrill_server::lifecycle::Lifecycle;
use firedrill_server::route::Routes;
use firedrill_server::{self as server, Handle, ListenError, Server};
use heartbeat::Heartbeat;
use telemetry::Telemetry;
use webhook::Alert;

/// Notifications that are taken in at a time; Alertmanager sends one more again.
const INTAKES: usize = 16;

/// Everything that a pager can be told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every server is told.
    pub server: server::Config,
    /// What a notification needs; without it, anybody who reaches the address can make it ring.
    pub token: Option<Token>,
    /// Pages that are remembered.
    pub keep: u32,
    /// The text in them, together.
    pub keep_size: Size,
    /// A notification's body.
    pub max_body: Size,
    /// How long Alertmanager may take to send it.
    pub body_timeout: Duration,
    /// Open streams at a time.
    pub max_subscribers: u16,
    /// How often a stream on which nothing happens says that it is still there.
    pub keepalive: Duration,
    /// The alert that always fires, and how long it may be silent; `None` where there is no such alert.
    pub heartbeat: Option<(String, Duration)>,
}

/// What the requests of one pager share.
struct Shared {
    config: Config,
    telemetry: Telemetry,
    lifecycle: Lifecycle,
    book: Mutex<Book>,
    /// The number of the last news in the book.
    last_news: watch::Sender<u64>,
    heartbeat: Option<Arc<Mutex<Heartbeat>>>,
    beat: Notify,
    /// When it began to listen.
    began: Timestamp,
    intakes: Semaphore,
    subscriptions: Arc<Semaphore>,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    fn heartbeat(&self) -> Option<MutexGuard<'_, Heartbeat>> {
        self.heartbeat.as_deref().map(lock)
    }

    /// Tells the ids of this process' news from those of another.
    fn began_id(&self) -> String {
        self.began.as_millisecond().to_string()
    }

    /// Takes an alert down as a page.
    fn receive(&self, receiver: &str, external_url: &str, alert: Alert, now: Timestamp) -> Arc<News> {
        let news = {
            let mut book = self.book();
            let forgotten = book.forgotten();
            let news = book.receive(receiver, external_url, alert, now);
            self.telemetry.kept.set(i64::try_from(book.kept()).unwrap_or(i64::MAX));
            self.telemetry.forgotten.inc_by(book.forgotten() - forgotten);
            news
        };
        self.last_news.send_if_modified(|last| {
            let newer = *last < news.number;
            *last = news.number.max(*last);
            newer
        });
        news
    }

    /// Whether an alert is the heartbeat, which is then taken as such. It is no page: it says that nobody
    /// need be woken.
    fn beats(&self, alert: &Alert, now: Timestamp) -> bool {
        let Some(mut heartbeat) = self.heartbeat() else { return false };
        if alert.labels.get("alertname").is_none_or(|name| name != heartbeat.alertname()) {
            return false;
        }
        heartbeat.receive(alert.status, Instant::now(), now);
        if alert.status == webhook::Status::Firing {
            self.telemetry.heartbeats.inc();
        }
        self.beat.notify_one();
        true
    }
}

/// These locks are held for a few assignments.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pager that listens and has not yet begun to serve.
pub struct Pager {
    server: Server,
    shared: Arc<Shared>,
}

impl Pager {
    /// Takes the address.
    ///
    /// # Errors
    /// Where it cannot be had, with what to do about it.
    pub async fn bind(config: Config) -> Result<Self, ListenError> {
        let heartbeat = config.heartbeat.clone().map(|(alertname, timeout)| {
            Arc::new(Mutex::new(Heartbeat::new(alertname, timeout, Instant::now())))
        });
        let telemetry = Telemetry::new(&config, heartbeat.clone());
        let routes = Routes::new(&route::SERVED, |_, _| None);
        let server = Server::bind(config.server.clone(), routes, telemetry.server.clone()).await?;
        let began = Timestamp::now();
        let bounds = Bounds {
            pages: usize::try_from(config.keep).unwrap_or(usize::MAX),
            bytes: usize::try_from(config.keep_size.bytes()).unwrap_or(usize::MAX),
        };
        let shared = Arc::new(Shared {
            telemetry,
            lifecycle: server.lifecycle(),
            book: Mutex::new(Book::new(bounds, began)),
            last_news: watch::Sender::new(0),
            heartbeat,
            beat: Notify::new(),
            began,
            intakes: Semaphore::new(INTAKES),
            subscriptions: Arc::new(Semaphore::new(config.max_subscribers.into())),
            config,
        });
        Ok(Self { server, shared })
    }

    /// The address that the pager listens on, with the port that the system chose.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What ends the pager from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.server.handle()
    }

    /// Serves until it is told to end, and returns the exit code, which is 0.
    pub async fn run(self) -> u8 {
        tokio::select! {
            code = self.server.run(Arc::clone(&self.shared)) => code,
            never = watch_heartbeat(&self.shared) => match never {},
        }
    }
}

/// Logs when the heartbeat stops and when it is back.
async fn watch_heartbeat(shared: &Shared) -> std::convert::Infallible {
    let mut stopped = false;
    loop {
        let Some((now_stopped, sentence, deadline)) = shared.heartbeat().map(|heartbeat| {
            let now = Instant::now();
            (heartbeat.pulse(now).has_stopped(), heartbeat.sentence(now), heartbeat.deadline())
        }) else {
            return std::future::pending().await;
        };
        if now_stopped && !stopped {
            tracing::error!(detail = sentence, "the heartbeat has stopped");
        } else if stopped && !now_stopped {
            tracing::info!(detail = sentence, "the heartbeat is back");
        }
        stopped = now_stopped;
        tokio::select! {
            () = shared.beat.notified() => {}
            // Just past it, since at the deadline itself it is not yet late.
            () = sleep_until((deadline + Duration::from_millis(1)).into()), if !stopped => {}
        }
    }
}
