//! One drill, from its begin to its run file: waits for quiet, sends, waits for what is still to come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::evidence::{Collector, Evidence, NoSource, Now, Sources};
use super::file::DrillFile;
use super::judge::{self, judge};
use super::phase_ledger::PhaseLedger;
use super::run::{Run, VERSION};
use firedrill_contract::Time;
use firedrill_load::ledger::Ledger;
use firedrill_load::load::{Load, Progress, Summary};
use firedrill_load::plan::PlannedPhase;
use firedrill_net::Target;
use firedrill_net::shutdown::{Shutdown, ShutdownSignal};

/// A drill that is ready to be conducted.
pub struct Drill {
    /// Its file.
    pub file: DrillFile,
    /// What makes its requests repeatable.
    pub seed: u64,
    /// Where they go.
    pub target: Target,
    /// What is sent, and when.
    pub load: Load,
    /// Where evidence is.
    pub sources: Sources,
    /// How often sources are polled.
    pub poll_interval: Duration,
}

/// How far a drill has come.
#[derive(Debug, Clone)]
pub enum Stage {
    /// Asks whether everything is there.
    Asking,
    /// Waits for monitoring to be quiet, and for what.
    Quieting(String),
    /// Sends requests.
    Sending(Arc<Progress>),
    /// Waits for evidence, until then at the latest, and for what.
    Waiting(Time, String),
}

/// A drill that could not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unready {
    /// Evidence could not be had.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NoEvidence(Vec<NoSource>),
    /// Its questions cannot be asked.
    #[error("{0}")]
    Unaskable(String),
    /// The system does not grant what it sends with.
    #[error("cannot send: {0}")]
    Unsendable(String),
    /// Somebody stopped it.
    #[error("interrupted before the first request")]
    Interrupted,
}

impl Drill {
    /// Conducts it: returns all that a verdict rests on.
    ///
    /// # Errors
    /// When it could not begin. Whatever goes wrong later is in the run.
    pub async fn conduct(
        self,
        now: &Now,
        stages: &watch::Sender<Stage>,
        shutdown: ShutdownSignal,
    ) -> Result<Run, Unready> {
        let clock = OwnClock::watched(Arc::clone(now));
        let mut run = self.before(now());
        let Self { load, sources, poll_interval, .. } = self;
        let collector = Collector::new(&sources, &judge::questions(&run), poll_interval, Arc::clone(now))
            .map_err(Unready::Unaskable)?;
        let mut waiting = Waiting { collector, poll_interval, stages, shutdown };
        waiting.collector.preflight().await.map_err(Unready::NoEvidence)?;
        waiting.collector.watch();
        waiting.quiet(&mut run, now).await?;
        stages.send_replace(Stage::Sending(load.progress()));
        let sent = load.run(waiting.shutdown.clone()).await;
        let summary = sent.map_err(|error| Unready::Unsendable(error.to_string()))?;
        run.take(summary);
        waiting.gather(&mut run, &clock).await;
        Ok(run)
    }

    /// The run before anything was sent, as if it began now.
    fn before(&self, now: Time) -> Run {
        let mut began = now;
        let phase = |planned: &PlannedPhase| {
            let ended = began + planned.lasts().unwrap_or_default();
            let phase = PhaseLedger { name: planned.name.clone(), began, ended, ledger: Ledger::default() };
            began = ended;
            phase
        };
        let phases: Vec<_> = self.load.plan().phases().iter().map(phase).collect();
        Run {
            version: VERSION,
            firedrill: env!("CARGO_PKG_VERSION").to_owned(),
            drill: self.file.clone(),
            target: self.target.origin(),
            seed: self.seed,
            began: now,
            ended: began,
            phases,
            interrupted: false,
            clock_moved_ms: 0,
            evidence: Evidence::none(now),
        }
    }
}

impl Run {
    /// Takes in what came of the load.
    fn take(&mut self, summary: Summary) {
        let began = summary.began;
        let phase = |phase: firedrill_load::load::Phase| PhaseLedger {
            name: phase.name,
            began: began + phase.began,
            ended: began + phase.ended,
            ledger: phase.ledger,
        };
        self.ended = began + summary.ended.max(summary.lasted());
        self.phases = summary.phases.into_iter().map(phase).collect();
        self.began = began;
        self.interrupted = summary.interrupted;
    }
}

/// The drill's own clock, against the time that passes.
struct OwnClock {
    now: Now,
    began: (Instant, Time),
}

impl OwnClock {
    fn watched(now: Now) -> Self {
        let began = (Instant::now(), now());
        Self { now, began }
    }

    /// By how much it was put forward since then, in milliseconds.
    fn moved_ms(&self) -> i64 {
        let (instant, time) = self.began;
        (self.now)().millis().saturating_sub((time + instant.elapsed()).millis())
    }
}

/// Waits for what monitoring has not seen yet.
struct Waiting<'a> {
    collector: Collector,
    poll_interval: Duration,
    stages: &'a watch::Sender<Stage>,
    shutdown: ShutdownSignal,
}

/// That somebody wants it to end.
struct Interrupted;

impl Waiting<'_> {
    /// Waits until the target has been scraped and no alert fires that the drill is to cause, as long as
    /// that may take. What is still not so then, the judge finds.
    async fn quiet(&mut self, run: &mut Run, now: &Now) -> Result<(), Unready> {
        let first = now();
        loop {
            run.began = now();
            self.collector.poll(run.began, &mut run.evidence).await;
            let Some((reason, within)) = judge::unquiet(run) else { return Ok(()) };
            if now() >= first + within {
                return Ok(());
            }
            self.pause(Stage::Quieting(reason)).await.map_err(|Interrupted| Unready::Interrupted)?;
        }
    }

    /// Polls until the rest can be asked, and collects everything; again where that shows that more is to come.
    async fn gather(&mut self, run: &mut Run, clock: &OwnClock) {
        let questions = judge::questions(run);
        loop {
            self.collector.poll(run.began, &mut run.evidence).await;
            run.clock_moved_ms = clock.moved_ms();
            if let Some((until, what)) = judge::awaited(run) {
                run.interrupted = self.pause(Stage::Waiting(until, what)).await.is_err();
                continue;
            }
            run.evidence = self.collector.collect(&questions, run.began).await;
            run.clock_moved_ms = clock.moved_ms();
            let Some((until, what)) = judge::awaited(run) else { break };
            run.interrupted = self.pause(Stage::Waiting(until, what)).await.is_err();
        }
        // Of a drill that was interrupted nothing is judged, and so nothing is to be explained.
        if !run.interrupted {
            let wanted = judge::unexplained(run, &judge(run));
            self.collector.explain(&wanted, &mut run.evidence).await;
        }
    }

    /// Waits for a poll interval in this stage.
    async fn pause(&mut self, stage: Stage) -> Result<(), Interrupted> {
        self.stages.send_replace(stage);
        tokio::select! {
            () = sleep(self.poll_interval) => Ok(()),
            () = self.shutdown.wait_for(Shutdown::Graceful) => Err(Interrupted),
        }
    }
}

#[cfg(test)]
mod tests;
