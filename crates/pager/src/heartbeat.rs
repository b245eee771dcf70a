//! The dead man's switch: an alert that always fires, so that its silence says that the chain is broken.
//!
//! Pure; times are passed in. A chain that never worked is broken as well, so the time runs from the
//! start, not from the first beat.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::webhook::Status;
use firedrill_contract::display;

/// When the alert that always fires was last heard of.
#[derive(Debug)]
pub(super) struct Heartbeat {
    alertname: String,
    timeout: Duration,
    began: Instant,
    last: Option<Beat>,
    /// Alertmanager said that the alert ended, and has not said since that it fires.
    resolved: bool,
}

/// One notification that the alert fires.
#[derive(Debug, Clone, Copy)]
struct Beat {
    at: Instant,
    time: Timestamp,
}

/// How the chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeartbeatState {
    /// No beat has come, and it is not yet time to worry.
    Awaited,
    Beats,
    /// No beat ever came, for longer than the timeout.
    NeverBegan,
    /// The last beat is older than the timeout.
    Late,
    /// Alertmanager itself said that the alert ended.
    Ended,
}

impl HeartbeatState {
    /// Whether the chain is to be thought broken.
    pub(super) fn has_stopped(self) -> bool {
        matches!(self, Self::NeverBegan | Self::Late | Self::Ended)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Beats => "beats",
            Self::NeverBegan => "never began",
            Self::Late => "late",
            Self::Ended => "ended",
        }
    }
}

impl Heartbeat {
    /// Listens for alerts of this name from now on.
    pub(super) fn new(alertname: String, timeout: Duration, now: Instant) -> Self {
        Self { alertname, timeout, began: now, last: None, resolved: false }
    }

    pub(super) fn alertname(&self) -> &str {
        &self.alertname
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) fn record(&mut self, status: Status, at: Instant, time: Timestamp) {
        match status {
            Status::Firing => {
                self.last = Some(Beat { at, time });
                self.resolved = false;
            }
            Status::Resolved => self.resolved = true,
        }
    }

    pub(super) fn state(&self, now: Instant) -> HeartbeatState {
        match self.last {
            _ if self.resolved => HeartbeatState::Ended,
            _ if self.age(now) <= self.timeout => {
                self.last.map_or(HeartbeatState::Awaited, |_| HeartbeatState::Beats)
            }
            Some(_) => HeartbeatState::Late,
            None => HeartbeatState::NeverBegan,
        }
    }

    /// Time without a beat: since the last one, or since the start.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last.map_or(self.began, |beat| beat.at))
    }

    pub(super) fn last(&self) -> Option<Timestamp> {
        self.last.map(|beat| beat.time)
    }

    /// When it stops unless a beat comes.
    pub(super) fn deadline(&self) -> Instant {
        self.last.map_or(self.began, |beat| beat.at) + self.timeout
    }

    /// For people.
    pub(super) fn describe(&self, now: Instant) -> String {
        let Self { alertname, .. } = self;
        let age = display::duration(Duration::from_secs(self.age(now).as_secs()));
        let timeout = display::duration(self.timeout);
        match self.state(now) {
            HeartbeatState::Awaited => format!("the first {alertname} is expected within {timeout}"),
            HeartbeatState::Beats => format!("{alertname} came {age} ago"),
            HeartbeatState::NeverBegan => format!(
                "{alertname} never came in the {age} since this pager began to listen (allowed: {timeout}): nothing shows that an alert would reach it"
            ),
            HeartbeatState::Late => format!(
                "{alertname} last came {age} ago (allowed: {timeout}): alerts may no longer reach this pager"
            ),
            HeartbeatState::Ended => {
                format!("Alertmanager said that {alertname} ended: alerts may no longer reach it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn heartbeat() -> (Heartbeat, Instant) {
        let began = Instant::now();
        (Heartbeat::new("Watchdog".to_owned(), 60 * SECOND, began), began)
    }

    #[test]
    fn a_chain_that_never_worked_is_noticed_after_the_timeout() {
        let (heartbeat, began) = heartbeat();
        assert_eq!(heartbeat.state(began + 60 * SECOND), HeartbeatState::Awaited);
        assert_eq!(heartbeat.deadline(), began + 60 * SECOND);
        let late = began + 61 * SECOND;
        assert_eq!((heartbeat.state(late), heartbeat.age(late)), (HeartbeatState::NeverBegan, 61 * SECOND));
        assert!(
            heartbeat.describe(late).contains("never came in the 1 min 1 s"),
            "{}",
            heartbeat.describe(late)
        );
    }

    #[test]
    fn a_beat_is_good_for_the_timeout_and_the_next_one_brings_it_back() {
        let (mut heartbeat, began) = heartbeat();
        let time = Timestamp::UNIX_EPOCH;
        heartbeat.record(Status::Firing, began + 100 * SECOND, time);
        assert_eq!(heartbeat.state(began + 160 * SECOND), HeartbeatState::Beats);
        let late = began + 161 * SECOND;
        assert_eq!((heartbeat.state(late), heartbeat.age(late)), (HeartbeatState::Late, 61 * SECOND));
        assert!(heartbeat.describe(late).contains("1 min 1 s ago"), "{}", heartbeat.describe(late));
        heartbeat.record(Status::Firing, late, time);
        assert_eq!((heartbeat.state(late), heartbeat.last()), (HeartbeatState::Beats, Some(time)));
    }

    #[test]
    fn an_end_that_alertmanager_speaks_of_is_not_waited_for() {
        let (mut heartbeat, began) = heartbeat();
        heartbeat.record(Status::Firing, began, Timestamp::UNIX_EPOCH);
        heartbeat.record(Status::Resolved, began + SECOND, Timestamp::UNIX_EPOCH);
        assert_eq!(heartbeat.state(began + SECOND), HeartbeatState::Ended);
        assert!(heartbeat.state(began + SECOND).has_stopped());
        heartbeat.record(Status::Firing, began + 2 * SECOND, Timestamp::UNIX_EPOCH);
        assert_eq!(heartbeat.state(began + 2 * SECOND), HeartbeatState::Beats);
    }
}
