//! Asks every source: whether it is there before the load begins, what changes while the drill waits, and for
//! all the rest at the end.

use std::time::Duration;

use tokio::task::JoinSet;

use super::source::{Context, NoSource, Now, Setup, Sources};
use super::{Evidence, Opened};
use crate::question::{Explain, Questions};
use firedrill_contract::Time;

/// Asks sources for as long as it lives.
pub struct Collector {
    sources: Opened,
    poll_interval: Duration,
    now: Now,
    /// Ended with this.
    watches: JoinSet<()>,
}

impl Collector {
    /// Of the sources that there are, which are polled as often as this.
    ///
    /// # Errors
    /// When a selector among the questions is none.
    pub fn new(
        sources: &Sources,
        questions: &Questions,
        poll_interval: Duration,
        now: Now,
    ) -> Result<Self, String> {
        let opened = Opened::open(&Setup { sources, questions, poll_interval, now: now.clone() })?;
        Ok(Self { sources: opened, poll_interval, now, watches: JoinSet::new() })
    }

    /// Asks each source whether it is there and what it should be.
    ///
    /// # Errors
    /// Each one that is not.
    pub async fn preflight(&self) -> Result<(), Vec<NoSource>> {
        let absent = self.sources.preflight().await;
        if absent.is_empty() { Ok(()) } else { Err(absent) }
    }

    /// Begins to look at what forgets.
    pub fn watch(&mut self) {
        self.watches = self.sources.watch();
    }

    /// Brings up to date what changes, of a drill that began then.
    pub async fn poll(&self, began: Time, evidence: &mut Evidence) {
        let questions = Questions::default();
        let context = self.context(&questions, began, evidence.collected);
        self.sources.poll(&context, evidence).await;
    }

    /// All that there is by now, about a drill that began then.
    pub async fn collect(&self, questions: &Questions, began: Time) -> Evidence {
        self.sources.collect(&self.context(questions, began, began), self.poll_interval).await
    }

    /// Adds what explains these expressions.
    pub async fn explain(&self, wanted: &[Explain], evidence: &mut Evidence) {
        self.sources.explain(wanted, evidence).await;
    }

    fn context<'a>(&self, questions: &'a Questions, began: Time, known_until: Time) -> Context<'a> {
        Context { questions, began, known_until, now: (self.now)() }
    }
}
