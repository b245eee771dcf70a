//! What the requests of one pager share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use firedrill_server::lifecycle::Lifecycle;
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, watch};

use super::config::Config;
use super::heartbeat::Heartbeat;
use super::store::{Event, Limits, Store};
use super::telemetry::Telemetry;
use super::webhook::{Alert, Status};

/// Notifications that are read at a time; Alertmanager sends one more again.
const NOTIFICATIONS: usize = 16;

pub(super) struct State {
    pub(super) config: Config,
    pub(super) telemetry: Telemetry,
    pub(super) lifecycle: Lifecycle,
    store: Mutex<Store>,
    /// The number of the last event in the store.
    pub(super) last_event: watch::Sender<u64>,
    heartbeat: Option<Arc<Mutex<Heartbeat>>>,
    /// A heartbeat came.
    pub(super) beat: Notify,
    /// When the pager began to listen.
    pub(super) started: Timestamp,
    pub(super) notification_permits: Semaphore,
    pub(super) stream_permits: Arc<Semaphore>,
}

impl State {
    pub(super) fn new(
        config: Config,
        telemetry: Telemetry,
        lifecycle: Lifecycle,
        heartbeat: Option<Arc<Mutex<Heartbeat>>>,
    ) -> Self {
        let started = Timestamp::now();
        let limits = Limits {
            pages: usize::try_from(config.keep).unwrap_or(usize::MAX),
            bytes: usize::try_from(config.keep_size.bytes()).unwrap_or(usize::MAX),
        };
        Self {
            telemetry,
            lifecycle,
            store: Mutex::new(Store::new(limits, started)),
            last_event: watch::Sender::new(0),
            heartbeat,
            beat: Notify::new(),
            started,
            notification_permits: Semaphore::new(NOTIFICATIONS),
            stream_permits: Arc::new(Semaphore::new(config.max_subscribers.into())),
            config,
        }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    pub(super) fn heartbeat(&self) -> Option<MutexGuard<'_, Heartbeat>> {
        self.heartbeat.as_deref().map(lock)
    }

    /// Tells the ids of this process' events from those of another.
    pub(super) fn process_id(&self) -> String {
        self.started.as_millisecond().to_string()
    }

    /// Records an alert as a page.
    pub(super) fn record(
        &self,
        receiver: &str,
        external_url: &str,
        alert: Alert,
        now: Timestamp,
    ) -> Arc<Event> {
        let event = {
            let mut store = self.store();
            let forgotten = store.forgotten();
            let event = store.record(receiver, external_url, alert, now);
            self.telemetry.kept.set(i64::try_from(store.kept()).unwrap_or(i64::MAX));
            self.telemetry.forgotten.inc_by(store.forgotten() - forgotten);
            event
        };
        self.last_event.send_if_modified(|last| {
            let newer = *last < event.number;
            *last = event.number.max(*last);
            newer
        });
        event
    }

    /// Whether an alert is the heartbeat, which is then recorded as such. It is no page: it says that nobody
    /// need be woken.
    pub(super) fn record_heartbeat(&self, alert: &Alert, now: Timestamp) -> bool {
        let Some(mut heartbeat) = self.heartbeat() else { return false };
        if alert.labels.get("alertname").is_none_or(|name| name != heartbeat.alertname()) {
            return false;
        }
        heartbeat.record(alert.status, Instant::now(), now);
        if alert.status == Status::Firing {
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
