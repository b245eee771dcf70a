//! How a server goes away: for a while, because a request asked for an outage, or for good, when it drains,
//! finishes what is in flight, or is cut.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How far the server has come. Phases only ever go forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
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

#[derive(Debug, Clone, Copy)]
struct State {
    phase: Phase,
    /// How many outages have begun. A number, so that a connection that looks late does not miss a short one.
    outages: u64,
    /// Until when an outage was asked for, if it is not over.
    out_until: Option<Instant>,
}

/// The phase, the outages, and whoever waits for them to change. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Lifecycle(watch::Sender<State>);

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(State { phase: Phase::Serving, outages: 0, out_until: None }))
    }

    pub fn phase(&self) -> Phase {
        self.0.borrow().phase
    }

    pub(super) fn is_cutting(&self) -> bool {
        self.phase() >= Phase::Cutting
    }

    /// Whether an answer that is given now is the last on its connection.
    pub(super) fn is_going_away(&self) -> bool {
        let state = self.0.borrow();
        state.phase >= Phase::Draining || state.out_until.is_some()
    }

    /// Goes on to this phase, unless the server is there or beyond.
    pub(super) fn advance(&self, to: Phase) {
        self.0.send_if_modified(|state| {
            let forward = state.phase < to;
            if forward {
                state.phase = to;
            }
            forward
        });
    }

    /// Waits for this phase or a later one, and says which it is.
    pub async fn reached(&self, phase: Phase) -> Phase {
        self.wait(|state| state.phase >= phase).await.phase
    }

    /// Asks for an outage until then. Of two that are asked for, the one that ends later counts.
    pub(super) fn ask_for_outage(&self, until: Instant) {
        self.0.send_modify(|state| state.out_until = state.out_until.max(Some(until)));
    }

    /// Waits until an outage has been asked for.
    pub(super) async fn outage_asked(&self) {
        self.wait(|state| state.out_until.is_some()).await;
    }

    /// Begins the outage: every connection there is will close.
    pub(super) fn begin_outage(&self) {
        self.0.send_modify(|state| state.outages += 1);
    }

    /// Waits for the end of the outage, which a request that was in flight may put off.
    pub(super) async fn outage_over(&self) {
        loop {
            let Some(until) = self.0.borrow().out_until else { return };
            sleep_until(until).await;
            self.0.send_if_modified(|state| {
                let over = state.out_until == Some(until);
                if over {
                    state.out_until = None;
                }
                over
            });
        }
    }

    /// How many outages have begun so far.
    pub(super) fn outages(&self) -> u64 {
        self.0.borrow().outages
    }

    /// Waits until a connection is to close that was taken when so many outages had begun.
    pub(super) async fn closes(&self, outages: u64) {
        self.wait(|state| state.phase >= Phase::Finishing || state.outages != outages).await;
    }

    async fn wait(&self, holds: impl Fn(&State) -> bool) -> State {
        let mut changes = self.0.subscribe();
        let held = changes.wait_for(holds).await.map(|state| *state);
        match held {
            Ok(state) => state,
            // The sender is in `self`, so it outlives this wait.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn of_two_outages_the_one_that_ends_later_counts() {
        let (lifecycle, began) = (Lifecycle::new(), Instant::now());
        let ask = |milliseconds| lifecycle.ask_for_outage(began + Duration::from_millis(milliseconds));
        ask(50);
        ask(20);
        lifecycle.outage_asked().await;
        // Polled in this order, so that the second is asked for while the first is waited for.
        tokio::join!(lifecycle.outage_over(), async { ask(100) });
        assert!(began.elapsed() >= Duration::from_millis(100), "{:?}", began.elapsed());
        assert!(!lifecycle.is_going_away());
    }

    #[tokio::test]
    async fn a_connection_closes_for_an_outage_that_was_over_before_it_looked() {
        let lifecycle = Lifecycle::new();
        let before = lifecycle.outages();
        lifecycle.ask_for_outage(Instant::now());
        lifecycle.begin_outage();
        lifecycle.outage_over().await;
        lifecycle.closes(before).await;
        let after = lifecycle.closes(lifecycle.outages());
        assert!(futures_util::FutureExt::now_or_never(after).is_none(), "one that was taken since stays");
    }
}
