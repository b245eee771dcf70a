//! Sends requests when they are due, whatever the answers do.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::arrivals::Arrivals;
use super::exchange::exchange;
use super::fate::Fate;
use super::ledger::{Ledger, Times};
use super::pool::Pool;
use super::recorder::Recorder;
use super::request::Request;
use super::target::Target;
use crate::dial::Dial;
use crate::stop::{Stop, Stopping};

/// What to send, where to and when.
#[derive(Debug, Clone)]
pub struct Load {
    targets: Vec<Target>,
    request: Request,
    arrivals: Arrivals,
    bounds: Bounds,
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

/// What came of a load.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was sent and what came back.
    pub ledger: Ledger,
    /// How long requests fell due, without the wait for the last answers.
    pub lasted: Duration,
}

/// What the requests of a load share.
struct Shared {
    targets: Vec<(Target, Pool)>,
    request: Request,
    timeout: Duration,
    recorder: Recorder,
    start: Instant,
}

impl Shared {
    /// Enters a request that has ended now.
    fn enter(&self, n: u64, fate: Fate, due: Instant, left: Instant) {
        let [due, left, ended] =
            [due, left, Instant::now()].map(|at| at.saturating_duration_since(self.start));
        self.recorder.enter(n, fate, Times { due, left, ended });
    }
}

impl Load {
    /// Sends the request to each target in turn, when the arrivals say, within the bounds.
    ///
    /// # Errors
    /// When there is no target, or a request that cannot be written.
    pub fn new(
        targets: Vec<Target>,
        request: Request,
        arrivals: Arrivals,
        bounds: Bounds,
    ) -> Result<Self, Unsendable> {
        if targets.is_empty() {
            return Err(Unsendable::Nowhere);
        }
        for target in &targets {
            let longest = request.nth(u64::MAX, target);
            longest.map_err(|error| Unsendable::Unwritable(Box::new(target.clone()), error))?;
        }
        Ok(Self { targets, request, arrivals, bounds })
    }

    /// Sends until the arrivals end or a stop is asked for, then waits for what is in flight, which
    /// their timeout bounds, or until a stop at once is asked for.
    pub async fn run(self, mut stopping: Stopping) -> Outcome {
        let Self { targets, request, arrivals, bounds } = self;
        let pooled = |target: Target| {
            let pool = Pool::new(Dial::new(target.host().clone()));
            (target, pool)
        };
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let start = Instant::now();
        let shared = Arc::new(Shared {
            targets: targets.into_iter().map(pooled).collect(),
            request,
            timeout: bounds.timeout,
            recorder: Recorder::new(threads),
            start,
        });
        let slots = Arc::new(Semaphore::new(bounds.in_flight.get() as usize));

        let due = send(&shared, &slots, arrivals, &mut stopping).await;
        let lasted = start.elapsed();
        let in_flight = (bounds.in_flight.get() as usize).saturating_sub(slots.available_permits());
        tracing::info!(due, in_flight, "nothing more is due, waiting for what is in flight");
        tokio::select! {
            // All slots free: nothing is in flight.
            _ = slots.acquire_many(bounds.in_flight.get()) => {}
            () = stopping.wait_for(Stop::AtOnce) => {}
        }
        Outcome { ledger: shared.recorder.close(due), lasted }
    }
}

/// Lets each request leave when it is due; returns how many did fall due.
async fn send(
    shared: &Arc<Shared>,
    slots: &Arc<Semaphore>,
    arrivals: Arrivals,
    stopping: &mut Stopping,
) -> u64 {
    let mut n = 0;
    let stopped = stopping.wait_for(Stop::Gently);
    tokio::pin!(stopped);
    loop {
        let offset = arrivals.due(n).or(arrivals.span());
        // An instant that the clock cannot hold is never reached.
        let Some(due) = offset.and_then(|offset| shared.start.checked_add(offset)) else {
            stopped.await;
            return n;
        };
        tokio::select! {
            biased;
            () = &mut stopped => return n,
            () = reach(due) => {}
        }
        if arrivals.due(n).is_none() {
            return n;
        }
        match Arc::clone(slots).try_acquire_owned() {
            Ok(slot) => drop(tokio::spawn(one(Arc::clone(shared), n, due, slot))),
            Err(_) => shared.enter(n, Fate::NotSent, due, Instant::now()),
        }
        n += 1;
    }
}

/// Waits until it is due. A generator that is behind lets other tasks run now and then instead.
async fn reach(due: Instant) {
    if Instant::now() < due {
        sleep_until(due).await;
    } else {
        tokio::task::consume_budget().await;
    }
}

/// One request, from leaving to its record.
async fn one(shared: Arc<Shared>, n: u64, due: Instant, slot: OwnedSemaphorePermit) {
    let left = Instant::now();
    let deadline = left + shared.timeout;
    let turn = usize::try_from(n % shared.targets.len() as u64).unwrap_or(0);
    let (target, pool) = &shared.targets[turn];
    let (fate, connection) = match shared.request.nth(n, target) {
        Ok(request) => exchange(pool, request, deadline).await,
        // `Load::new` saw that it can be written.
        Err(_) => (Fate::Unreachable, None),
    };
    shared.enter(n, fate, due, left);
    drop(slot);
    if let Some(connection) = connection {
        pool.put_back(connection, deadline).await;
    }
}
