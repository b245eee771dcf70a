//! Sends requests when they are due, whatever the answers do.

mod progress;
mod sender;

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::exchange::exchange;
use super::fate::Fate;
use super::ledger::{Ledger, Times};
use super::plan::{Mix, Plan, Planned};
use super::pool::Pool;
use super::recorder::{Recorder, Sum};
use super::request::Outgoing;
use super::target::Target;
use super::time::Time;
use crate::dial::Dial;
use crate::stop::{Stop, Stopping};
pub use progress::Progress;
use sender::Sent;

/// What to send, where to and when.
#[derive(Debug)]
pub struct Load {
    targets: Vec<Target>,
    plan: Plan,
    bounds: Bounds,
    progress: Arc<Progress>,
}

/// A load that could never send anything.
#[derive(Debug, thiserror::Error)]
pub enum Unsendable {
    /// There is nowhere to send it to.
    #[error("no target: expected at least one")]
    Nowhere,
    /// Path and query are too long.
    #[error("the request to {0} cannot be written: {1}")]
    Unwritable(Box<Target>, http::Error),
}

/// How much a load may hold open, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long a request may take, from when it leaves to the end of its answer.
    pub timeout: Duration,
    /// How many requests may be in flight. One that is due above it is not sent, and counted as such.
    pub in_flight: NonZero<u32>,
}

/// What came of a load. Durations are from its begin.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// When it began, by this machine's clock.
    pub began: Time,
    /// The phases that did begin.
    pub phases: Vec<Phase>,
    /// When the last request ended, those left behind when told to end at once included; zero when none fell due.
    pub ended: Duration,
    /// Whether it was stopped before its phases were over.
    pub interrupted: bool,
}

/// What came of a phase.
#[derive(Debug, Clone)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// When it began: on schedule.
    pub began: Duration,
    /// When it ended: on schedule, or when it was stopped. The answers to its requests may have come later.
    pub ended: Duration,
    /// What was sent and what came back.
    pub ledger: Ledger,
}

impl Outcome {
    /// How long requests fell due, without the wait for the last answers.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        self.phases.last().map_or(Duration::ZERO, |last| last.ended)
    }

    /// The account of all phases.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let mut sum = Ledger::default();
        self.phases.iter().for_each(|phase| sum.add(&phase.ledger));
        sum
    }
}

/// What the requests of a load share.
struct Shared {
    targets: Vec<(Target, Pool)>,
    plan: Plan,
    timeout: Duration,
    /// One for each phase.
    recorders: Vec<Recorder>,
    slots: Arc<Semaphore>,
    progress: Arc<Progress>,
    start: Instant,
}

/// Which request it is.
#[derive(Debug, Clone, Copy)]
struct Number {
    /// The position of its phase.
    phase: usize,
    /// Counted through all phases.
    n: u64,
    due: Instant,
}

impl Shared {
    /// Enters a request that has ended now.
    fn enter(&self, Number { phase, n, due }: Number, fate: Fate, left: Instant) {
        let [due, left, ended] =
            [due, left, Instant::now()].map(|at| at.saturating_duration_since(self.start));
        self.recorders[phase].enter(n, fate, Times { due, left, ended });
        self.progress.has_ended();
    }
}

impl Load {
    /// Sends what the plan says, to each target in turn, within the bounds.
    ///
    /// # Errors
    /// When there is no target, or a request that cannot be written.
    pub fn new(targets: Vec<Target>, plan: Plan, bounds: Bounds) -> Result<Self, Unsendable> {
        if targets.is_empty() {
            return Err(Unsendable::Nowhere);
        }
        for target in &targets {
            for request in plan.phases().iter().filter_map(Planned::mix).flat_map(Mix::requests) {
                let longest = request.nth(u64::MAX, target);
                longest.map_err(|error| Unsendable::Unwritable(Box::new(target.clone()), error))?;
            }
        }
        Ok(Self { targets, plan, bounds, progress: Arc::default() })
    }

    /// How far it has come, while it runs.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Sends until the plan ends or a stop is asked for, then waits for what is in flight, which
    /// their timeout bounds, or until a stop at once is asked for.
    ///
    /// A phase begins exactly when the one before ends; what is still in flight then stays in the account
    /// of its own phase.
    pub async fn run(self, mut stopping: Stopping) -> Outcome {
        let most = self.bounds.in_flight.get();
        let (began, shared) = (Time::from(Timestamp::now()), Arc::new(self.begin()));
        let sent = sender::send(&shared, &mut stopping).await;
        let in_flight = (most as usize).saturating_sub(shared.slots.available_permits());
        let due = shared.progress.due();
        tracing::info!(due, in_flight, "nothing more is due, waiting for what is in flight");
        tokio::select! {
            // All slots free: nothing is in flight.
            _ = shared.slots.acquire_many(most) => {}
            () = stopping.wait_for(Stop::AtOnce) => {}
        }
        shared.close(began, sent)
    }

    fn begin(self) -> Shared {
        let Self { targets, plan, bounds, progress } = self;
        let pooled = |target: Target| {
            let pool = Pool::new(Dial::new(target.host().clone()));
            (target, pool)
        };
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let start = Instant::now();
        progress.begin(start.into_std());
        Shared {
            targets: targets.into_iter().map(pooled).collect(),
            recorders: plan.phases().iter().map(|_| Recorder::new(threads)).collect(),
            plan,
            timeout: bounds.timeout,
            slots: Arc::new(Semaphore::new(bounds.in_flight.get() as usize)),
            progress,
            start,
        }
    }
}

impl Shared {
    /// Closes the accounts.
    fn close(&self, began: Time, Sent { phases: stretches, interrupted }: Sent) -> Outcome {
        let now = self.start.elapsed();
        let mut ended = Duration::ZERO;
        let accounts = self.plan.phases().iter().zip(&self.recorders).zip(stretches);
        let phases = accounts.map(|((planned, recorder), stretch)| {
            let Sum { ledger, last } = recorder.close(stretch.due);
            let left_behind = ledger.fates().any(|(fate, _)| fate == Fate::Abandoned);
            ended = ended.max(if left_behind { now } else { last.unwrap_or_default() });
            Phase { name: planned.name.clone(), began: stretch.began, ended: stretch.ended, ledger }
        });
        let phases = phases.collect();
        Outcome { began, phases, ended, interrupted }
    }
}

/// One request, from leaving to its record.
async fn one(
    shared: Arc<Shared>,
    number: Number,
    turn: usize,
    outgoing: Outgoing,
    slot: OwnedSemaphorePermit,
) {
    let left = Instant::now();
    let deadline = left + shared.timeout;
    let (_, pool) = &shared.targets[turn];
    let (fate, connection) = exchange(pool, outgoing, deadline).await;
    shared.enter(number, fate, left);
    drop(slot);
    if let Some(connection) = connection {
        pool.put_back(connection, deadline).await;
    }
}
