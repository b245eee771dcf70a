//! Lets each request leave when it is due.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::alarm::Alarm;
use super::{RequestId, Shared};
use crate::outcome::Outcome;
use crate::plan::{Activity, Mix, PlannedPhase};
use firedrill_net::shutdown::{Shutdown, ShutdownSignal};

/// What was sent of a plan.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// The phases that started.
    pub(super) phases: Vec<PhaseSpan>,
    /// Whether a stop ended it.
    pub(super) interrupted: bool,
}

/// When a phase was, since the load started, and how many requests fell due in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PhaseSpan {
    pub(super) began: Duration,
    pub(super) ended: Duration,
    pub(super) due: u64,
}

/// Sends what the plan says, until it ends or a stop is asked for.
pub(super) async fn send(shared: &Arc<Shared>, stopping: &mut ShutdownSignal) -> io::Result<Sent> {
    let alarm = Alarm::new(shared.start)?;
    let stopped = std::pin::pin!(stopping.wait_for(Shutdown::Graceful));
    Sender { shared, alarm, stopped, n: 0 }.send().await
}

/// What ends a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Over,
    Stopped,
}

struct Sender<'a, S> {
    shared: &'a Arc<Shared>,
    alarm: Alarm,
    stopped: Pin<&'a mut S>,
    /// The number of the next request.
    n: u64,
}

impl<S: Future<Output = ()>> Sender<'_, S> {
    async fn send(mut self) -> io::Result<Sent> {
        let shared = self.shared;
        let mut sent = Sent::default();
        let mut began = Duration::ZERO;
        for (index, phase) in shared.plan.phases().iter().enumerate() {
            shared.progress.enter(index);
            let first = self.n;
            let end = self.phase(index, phase, began).await?;
            let due = self.n - first;
            if end == End::Stopped {
                let ended = shared.start.elapsed().max(began);
                sent.phases.push(PhaseSpan { began, ended, due });
                sent.interrupted = true;
                return Ok(sent);
            }
            let ended = began + phase.lasts().unwrap_or_default();
            sent.phases.push(PhaseSpan { began, ended, due });
            began = ended;
        }
        Ok(sent)
    }

    /// Sends a phase, and waits for its end.
    async fn phase(&mut self, index: usize, phase: &PlannedPhase, began: Duration) -> io::Result<End> {
        let at = |offset| self.shared.start.checked_add(began.checked_add(offset)?);
        if let Activity::Traffic { arrivals, mix } = &phase.activity {
            for due in arrivals.due().map(at) {
                if self.wait_until(due).await? == End::Stopped {
                    return Ok(End::Stopped);
                }
                if let Some(due) = due {
                    self.leave(RequestId { phase: index, n: self.n, due }, mix);
                    self.n += 1;
                }
            }
        }
        self.wait_until(phase.lasts().and_then(at)).await
    }

    /// Waits for this time, where the clock can hold it, or for a stop.
    async fn wait_until(&mut self, time: Option<Instant>) -> io::Result<End> {
        let reached = async {
            match time {
                Some(time) => self.alarm.wait_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = &mut self.stopped => Ok(End::Stopped),
            reached = reached => reached.map(|()| End::Over),
        }
    }

    /// Lets a request leave.
    fn leave(&mut self, id: RequestId, mix: &Mix) {
        let shared = self.shared;
        shared.progress.fell_due();
        let Ok(permit) = Arc::clone(&shared.permits).try_acquire_owned() else {
            return shared.enter(id, Outcome::NotSent, Instant::now(), None);
        };
        self.alarm.stay_awake();
        let turn = usize::try_from(id.n % shared.targets.len() as u64).unwrap_or(0);
        let target = &shared.targets[turn].0;
        match shared.plan.pick(mix, id.n).nth(id.n, target) {
            Ok(outgoing) => {
                drop(tokio::spawn(super::run_request(Arc::clone(shared), id, turn, outgoing, permit)))
            }
            // `Load::new` saw that it can be written.
            Err(_) => shared.enter(id, Outcome::Unreachable, Instant::now(), None),
        }
    }
}
