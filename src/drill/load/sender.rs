//! The thread that lets each request leave when it is due.
//!
//! A thread of its own, since an async runtime's timer is only as fine as a millisecond, and a thread
//! that sleeps is woken by the kernel whatever the runtime's own threads are busy with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Number, Shared};
use crate::drill::fate::Fate;
use crate::drill::plan::{Does, Mix, Planned};
use crate::stop::{Stop, Stopping};

/// What was sent of a plan.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// The phases that did begin.
    pub(super) phases: Vec<Stretch>,
    /// Whether a stop ended it.
    pub(super) interrupted: bool,
}

/// When a phase was, from the begin of the load on, and how many requests fell due in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) began: Duration,
    pub(super) ended: Duration,
    pub(super) due: u64,
}

/// Sends what the plan says, until it ends or a stop is asked for.
pub(super) async fn send(shared: &Arc<Shared>, stopping: &mut Stopping) -> Sent {
    let stop = Arc::new(AtomicBool::new(false));
    let (began, begins) = oneshot::channel();
    let (runtime, sending) = (Handle::current(), Arc::clone(shared));
    let alarm = Alarm(Arc::clone(&stop));
    let mut thread = tokio::task::spawn_blocking(move || {
        // Nobody hears it where the load was dropped: then it is stopped, too.
        let _ = began.send(std::thread::current());
        be_punctual();
        Sender { shared: &sending, runtime, alarm, n: 0 }.send()
    });
    let Ok(sleeper) = begins.await else { return Sent::default() };
    let waker = Waker { stop, sleeper };
    let ended = tokio::select! {
        ended = &mut thread => ended,
        () = stopping.wait_for(Stop::Gently) => {
            drop(waker);
            thread.await
        }
    };
    ended.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// Asks the kernel to wake this thread when it should, and not within the 50 µs after that it takes otherwise.
fn be_punctual() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZero::new(1)) {
        tracing::debug!(%error, "timers are as late as usual");
    }
}

/// Stops the thread when it is dropped.
struct Waker {
    stop: Arc<AtomicBool>,
    sleeper: Thread,
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.sleeper.unpark();
    }
}

/// Sleeps until a time or a stop.
struct Alarm(Arc<AtomicBool>);

/// A stop was asked for.
struct Stopped;

impl Alarm {
    /// Sleeps until this time, where there is one, or for ever.
    fn wait_until(&self, time: Option<Instant>) -> Result<(), Stopped> {
        loop {
            if self.0.load(Ordering::Acquire) {
                return Err(Stopped);
            }
            let Some(time) = time else {
                std::thread::park();
                continue;
            };
            let left = time.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::park_timeout(left);
        }
    }
}

struct Sender<'a> {
    shared: &'a Arc<Shared>,
    runtime: Handle,
    alarm: Alarm,
    /// The number of the next request.
    n: u64,
}

impl Sender<'_> {
    fn send(mut self) -> Sent {
        let shared = self.shared;
        let mut sent = Sent::default();
        let mut began = Duration::ZERO;
        for (index, phase) in shared.plan.phases().iter().enumerate() {
            shared.progress.enter(index);
            let first = self.n;
            let over = self.phase(index, phase, began);
            let due = self.n - first;
            if over.is_err() {
                let ended = shared.start.elapsed();
                sent.phases.push(Stretch { began, ended: ended.max(began), due });
                sent.interrupted = true;
                return sent;
            }
            let ended = began + phase.lasts().unwrap_or_default();
            sent.phases.push(Stretch { began, ended, due });
            began = ended;
        }
        sent
    }

    /// Sends a phase, and waits for its end.
    fn phase(&mut self, index: usize, phase: &Planned, began: Duration) -> Result<(), Stopped> {
        if let Does::Traffic { arrivals, mix } = &phase.does {
            for due in arrivals.due() {
                // A time that the clock cannot hold is never reached.
                let due = began.checked_add(due).and_then(|due| self.shared.start.checked_add(due));
                self.alarm.wait_until(due)?;
                if let Some(due) = due {
                    self.leave(Number { phase: index, n: self.n, due }, mix);
                    self.n += 1;
                }
            }
        }
        let end = phase.lasts().and_then(|span| self.shared.start.checked_add(began.checked_add(span)?));
        self.alarm.wait_until(end)
    }

    /// Lets a request leave.
    fn leave(&self, number: Number, mix: &Mix) {
        let shared = self.shared;
        shared.progress.fell_due();
        let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
            return shared.enter(number, Fate::NotSent, Instant::now());
        };
        let turn = usize::try_from(number.n % shared.targets.len() as u64).unwrap_or(0);
        let target = &shared.targets[turn].0;
        match shared.plan.pick(mix, number.n).nth(number.n, target) {
            Ok(outgoing) => {
                drop(self.runtime.spawn(super::one(Arc::clone(shared), number, turn, outgoing, slot)))
            }
            // `Load::new` saw that it can be written.
            Err(_) => shared.enter(number, Fate::Unreachable, Instant::now()),
        }
    }
}
