//! Sends requests when they are due, whatever the answers do.

mod alarm;
mod progress;
mod sender;

use std::io;
use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::ledger::{Ledger, Times};
use super::outcome::Outcome;
use super::path::Trip;
use super::plan::{Mix, Plan, PlannedPhase};
use super::pool::Pool;
use super::request::Outgoing;
use super::round_trip::{RoundTrip, round_trip};
use firedrill_contract::Time;
use firedrill_net::shutdown::{Shutdown, ShutdownSignal};
use firedrill_net::{Target, Trust};
pub use progress::Progress;
use sender::{PhaseSpan, Sent};

/// What to send, where to and when.
#[derive(Debug)]
pub struct Load {
    targets: Vec<Target>,
    plan: Plan,
    bounds: Bounds,
    trust: Trust,
    progress: Arc<Progress>,
}

/// A load that could never send anything.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLoad {
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

/// What came of a load. Durations count from its start.
#[derive(Debug, Clone)]
pub struct Summary {
    /// When it began, by this machine's clock.
    pub began: Time,
    /// The phases that started.
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

impl Summary {
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
    accounts: Vec<Mutex<Account>>,
    permits: Arc<Semaphore>,
    progress: Arc<Progress>,
    start: Instant,
}

/// The account of a phase while it is kept.
#[derive(Debug, Default)]
struct Account {
    ledger: Ledger,
    /// When the last of its requests ended.
    last: Duration,
}

/// Which request it is.
#[derive(Debug, Clone, Copy)]
struct RequestId {
    /// The position of its phase.
    phase: usize,
    /// Counted through all phases.
    n: u64,
    due: Instant,
}

impl Shared {
    /// Enters a request that has ended now; `sent` is when it was handed to a connection, and its trip, where it was.
    fn enter(
        &self,
        RequestId { phase, due, .. }: RequestId,
        outcome: Outcome,
        left: Instant,
        sent: Option<(Instant, Trip)>,
    ) {
        let since_start = |at: Instant| at.saturating_duration_since(self.start);
        let [due, left, ended] = [due, left, Instant::now()].map(since_start);
        let sent = sent.map(|(at, trip)| (since_start(at), trip));
        let mut account = self.accounts[phase].lock().unwrap_or_else(PoisonError::into_inner);
        account.ledger.enter(outcome, Times { due, left, sent, ended });
        account.last = account.last.max(ended);
        self.progress.has_ended();
    }
}

impl Load {
    /// Sends what the plan says, to each target in turn, within the bounds.
    ///
    /// # Errors
    /// When there is no target, or a request that cannot be written.
    pub fn new(targets: Vec<Target>, plan: Plan, bounds: Bounds) -> Result<Self, InvalidLoad> {
        if targets.is_empty() {
            return Err(InvalidLoad::Nowhere);
        }
        for target in &targets {
            for request in plan.phases().iter().filter_map(PlannedPhase::mix).flat_map(Mix::requests) {
                let longest = request.nth(u64::MAX, target);
                longest.map_err(|error| InvalidLoad::Unwritable(Box::new(target.clone()), error))?;
            }
        }
        Ok(Self { targets, plan, bounds, trust: Trust::of_system(), progress: Arc::default() })
    }

    /// Trusting these authorities where a target is one of `https`, instead of the system's.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    /// What is sent, and when.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
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
    /// of its own phase. All of it happens on one thread of its own, so that nothing that the caller's
    /// threads are busy with makes requests late, and none of them has to wake another.
    ///
    /// # Errors
    /// When the system does not grant the thread what it waits with.
    pub async fn run(self, stopping: ShutdownSignal) -> io::Result<Summary> {
        let (start, began) = (Instant::now(), Time::from(Timestamp::now()));
        // Is dropped with this future, which ends the thread.
        let (_wanted, unwanted) = oneshot::channel::<()>();
        let thread = tokio::task::spawn_blocking(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let summary = runtime.block_on(async {
                tokio::select! {
                    summary = self.follow(start, began, stopping) => summary,
                    _ = unwanted => Err(io::ErrorKind::Interrupted.into()),
                }
            });
            // A look-up that still hangs must not hold the end up.
            runtime.shutdown_background();
            summary
        });
        thread.await.unwrap_or_else(|failed| Err(io::Error::other(failed)))
    }

    /// The same, here and now, as if it had begun at this time.
    async fn follow(self, start: Instant, began: Time, mut stopping: ShutdownSignal) -> io::Result<Summary> {
        let most = self.bounds.in_flight.get();
        let shared = Arc::new(self.begin(start));
        let sent = sender::send(&shared, &mut stopping).await?;
        let in_flight = (most as usize).saturating_sub(shared.permits.available_permits());
        let due = shared.progress.due();
        tracing::info!(due, in_flight, "nothing more is due, waiting for what is in flight");
        tokio::select! {
            // All permits free: nothing is in flight.
            _ = shared.permits.acquire_many(most) => {}
            () = stopping.wait_for(Shutdown::Immediate) => {}
        }
        Ok(shared.close(began, sent))
    }

    fn begin(self, start: Instant) -> Shared {
        let Self { targets, plan, bounds, trust, progress } = self;
        let pooled = |target: Target| {
            let pool = Pool::new(target.connector(&trust));
            (target, pool)
        };
        progress.begin(start.into_std());
        Shared {
            targets: targets.into_iter().map(pooled).collect(),
            accounts: plan.phases().iter().map(|_| Mutex::default()).collect(),
            plan,
            timeout: bounds.timeout,
            permits: Arc::new(Semaphore::new(bounds.in_flight.get() as usize)),
            progress,
            start,
        }
    }
}

impl Shared {
    /// Closes the accounts.
    fn close(&self, began: Time, Sent { phases: spans, interrupted }: Sent) -> Summary {
        let now = self.start.elapsed();
        let mut ended = Duration::ZERO;
        let accounts = self.plan.phases().iter().zip(&self.accounts).zip(spans);
        let phases = accounts.map(|((planned, account), PhaseSpan { began, ended: over, due })| {
            let Account { mut ledger, last } =
                std::mem::take(&mut *account.lock().unwrap_or_else(PoisonError::into_inner));
            let left_behind = ledger.due() < due;
            ledger.abandon_the_rest(due);
            ended = ended.max(if left_behind { now } else { last });
            Phase { name: planned.name.clone(), began, ended: over, ledger }
        });
        let phases = phases.collect();
        Summary { began, phases, ended, interrupted }
    }
}

/// One request, from leaving to its record.
async fn run_request(
    shared: Arc<Shared>,
    id: RequestId,
    turn: usize,
    outgoing: Box<Outgoing>,
    permit: OwnedSemaphorePermit,
) {
    let left = Instant::now();
    let deadline = left + shared.timeout;
    let (_, pool) = &shared.targets[turn];
    let injected = outgoing.injected;
    let RoundTrip { outcome, sent, connection } = round_trip(pool, outgoing, deadline).await;
    let injected =
        injected.filter(|(status, _)| outcome == Outcome::Answered(*status)).map(|(_, at_least)| at_least);
    let sent = sent.map(|(at, handshake)| (at, Trip { handshake, injected }));
    shared.enter(id, outcome, left, sent);
    drop(permit);
    if let Some(connection) = connection {
        pool.put_back(connection, deadline).await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method, StatusCode};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::arrivals::Arrivals;
    use crate::request::{Query, Request};
    use firedrill_net::shutdown;

    const MS: Duration = Duration::from_millis(1);

    /// Answers each request on each connection.
    async fn answer(listener: TcpListener) {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut read = Vec::new();
                while stream.read_buf(&mut read).await.is_ok_and(|read| read > 0) {
                    if read.ends_with(b"\r\n\r\n") {
                        read.clear();
                        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
                    }
                }
            });
        }
    }

    #[tokio::test]
    async fn response_time_counts_from_when_a_request_was_due_service_time_does_not_and_own_lag_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let answers = tokio::spawn(answer(listener));
        let request = Request {
            method: Method::GET,
            path: None,
            query: Query::default(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            hang_up: None,
            work: None,
        };
        let arrivals = Arrivals::constant("100/s".parse().unwrap(), Some(200 * MS));
        let bounds = Bounds { timeout: 30_000 * MS, in_flight: NonZero::new(100).unwrap() };
        let load = Load::new(vec![target], Plan::steady(7, arrivals, request), bounds).unwrap();
        let (_stopper, stopping) = shutdown::channel();
        // All of it fell due before it could start.
        let start = Instant::now().checked_sub(300 * MS).unwrap();
        let summary = load.follow(start, Time::from_millis(0), stopping).await.unwrap();
        answers.abort();
        let ledger = summary.ledger();
        let service_time = ledger.service_time().unwrap();
        assert_eq!(ledger.outcomes().collect::<Vec<_>>(), [(Outcome::Answered(StatusCode::OK), 20)]);
        let (lag, latency) = (ledger.lag().max().unwrap(), ledger.latency().max().unwrap());
        assert!(lag >= 299 * MS, "lag {lag:?}");
        assert!(latency >= lag, "latency {latency:?}, lag {lag:?}");
        assert!(ledger.latency().min().unwrap() >= 100 * MS, "each was due long before");
        assert!(service_time.min().unwrap() < 100 * MS, "{service_time:?}");
        let handshake = ledger.path().handshake();
        assert_eq!((service_time.count(), handshake.count()), (20, 20));
        assert!(handshake.min().unwrap() > Duration::ZERO && ledger.path().injected().is_none());
    }
}
