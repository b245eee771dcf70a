//! How a server ends: drains, finishes what is in flight, or is cut.

use tokio::sync::watch;

/// How far the server has come. Phases only ever go forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Takes work.
    Serving,
    /// Takes work still, but says at `/ready` that it will not for long.
    Draining,
    /// Takes no new connection; finishes the requests that it has.
    Finishing,
    /// Gives up what is in flight.
    Cutting,
    /// Ends at once, because a request asked for it.
    Crashing(u8),
}

/// The phase, and whoever waits for it to change. A clone is the same one.
#[derive(Debug, Clone)]
pub(crate) struct Lifecycle(watch::Sender<Phase>);

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    pub(super) fn is_cutting(&self) -> bool {
        self.phase() >= Phase::Cutting
    }

    /// Goes on to this phase, unless the server is there or beyond.
    pub(super) fn advance(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let forward = *phase < to;
            if forward {
                *phase = to;
            }
            forward
        });
    }

    /// Waits for this phase or a later one, and says which it is.
    pub(crate) async fn reached(&self, phase: Phase) -> Phase {
        let mut changes = self.0.subscribe();
        let reached = changes.wait_for(|now| *now >= phase).await.map(|now| *now);
        match reached {
            Ok(now) => now,
            // The sender is in `self`, so it outlives this wait.
            Err(_) => std::future::pending().await,
        }
    }
}
