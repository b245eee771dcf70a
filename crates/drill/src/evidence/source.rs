//! What every source of evidence does, and the one list of them.

use std::sync::Arc;
use std::time::Duration;

use super::history::AlertHistory;
use super::reply::Reply;
use crate::question::{Explain, Questions};
use firedrill_contract::Time;
use firedrill_net::client::{Client, Failure};

/// How often a source is asked for its evidence before its absence counts.
const ATTEMPTS: u32 = 3;

/// A place where evidence is.
pub(super) trait Source: Sized + Send + Sync + 'static {
    /// What it knows, as a run file holds it.
    type Evidence: Send;

    /// What people call it.
    const NAME: &'static str;

    /// What alerts did, as its evidence of that time tells, where it can.
    const ALERT_HISTORY: Option<fn(&Self::Evidence, Time) -> AlertHistory> = None;

    /// The source, where the drill was told of one.
    ///
    /// # Errors
    /// When it cannot be asked what the drill has to know.
    fn open(setup: &Setup<'_>) -> Result<Option<Self>, String>;

    /// Fails unless it is there and what it should be.
    async fn preflight(&self) -> Result<(), Failure>;

    /// Looks at what it forgets, in the background, until it is dropped.
    fn watch(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Brings up to date what changes, once a poll interval while the drill waits.
    async fn poll(
        &self,
        _context: &Context<'_>,
        known: Option<Self::Evidence>,
    ) -> Result<Option<Self::Evidence>, Missing> {
        Ok(known)
    }

    /// Asks for everything, once, at the end; nothing, where no question is for this source.
    async fn collect(&self, context: &Context<'_>) -> Result<Option<Self::Evidence>, Missing>;

    /// Takes expressions apart, once verdicts say which.
    async fn explain(&self, _wanted: &[Explain], _known: &mut Self::Evidence) {}
}

/// The drill's clock.
pub type Now = Arc<dyn Fn() -> Time + Send + Sync>;

/// How long before the drill evidence begins: what fired before it, and at what counters stood.
pub const LOOKBACK: Duration = Duration::from_secs(300);

/// Where evidence is.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Prometheus.
    pub prometheus: Option<Client>,
    /// Alertmanager.
    pub alertmanager: Option<Client>,
    /// The pager.
    pub pager: Option<Client>,
    /// Grafana, for dashboards that are there.
    pub grafana: Option<Client>,
    /// The service itself, whose `/metrics` the drill scrapes.
    pub service: Option<Client>,
}

/// A source that is not there, or not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no evidence from {source_name}: {why}")]
pub struct NoSource {
    /// Which one.
    pub source_name: &'static str,
    /// What was asked, and what was found.
    pub why: String,
}

/// What a source is opened with.
pub(super) struct Setup<'a> {
    pub(super) sources: &'a Sources,
    pub(super) questions: &'a Questions,
    pub(super) poll_interval: Duration,
    pub(super) now: Now,
}

/// What is asked, and about which time, by the drill's clock.
pub(super) struct Context<'a> {
    pub(super) questions: &'a Questions,
    /// When the drill began.
    pub(super) began: Time,
    /// What is known already is of everything before.
    pub(super) known_until: Time,
    /// When asking began.
    pub(super) now: Time,
}

/// Why a source gave no evidence.
pub(super) struct Missing {
    why: String,
    may_pass: bool,
}

impl From<Failure> for Missing {
    fn from(failure: Failure) -> Self {
        Self { may_pass: failure.may_pass(), why: failure.to_string() }
    }
}

impl From<String> for Missing {
    fn from(why: String) -> Self {
        Self { why, may_pass: false }
    }
}

impl<T> From<Result<Option<T>, Missing>> for Reply<T> {
    fn from(result: Result<Option<T>, Missing>) -> Self {
        match result {
            Ok(Some(evidence)) => Self::Received(evidence),
            Ok(None) => Self::NotAsked,
            Err(missing) => Self::Missing(missing.why),
        }
    }
}

pub(super) async fn preflight<S: Source>(source: Option<&S>) -> Result<(), NoSource> {
    let Some(source) = source else { return Ok(()) };
    source.preflight().await.map_err(|failure| NoSource { source_name: S::NAME, why: failure.to_string() })
}

pub(super) async fn poll<S: Source>(
    source: Option<&S>,
    context: &Context<'_>,
    reply: &mut Reply<S::Evidence>,
) {
    let Some(source) = source else { return };
    let known = match std::mem::replace(reply, Reply::NotAsked) {
        Reply::Received(known) => Some(known),
        Reply::NotAsked | Reply::Missing(_) => None,
    };
    *reply = source.poll(context, known).await.into();
}

/// Asks again after a failure that may pass, a pause later.
pub(super) async fn collect<S: Source>(
    source: Option<&S>,
    context: &Context<'_>,
    pause: Duration,
) -> Reply<S::Evidence> {
    let Some(source) = source else { return Reply::NotAsked };
    for _ in 1..ATTEMPTS {
        match source.collect(context).await {
            Err(missing) if missing.may_pass => tokio::time::sleep(pause).await,
            result => return result.into(),
        }
    }
    source.collect(context).await.into()
}

pub(super) async fn explain<S: Source>(
    source: Option<&S>,
    wanted: &[Explain],
    reply: &mut Reply<S::Evidence>,
) {
    if let (Some(source), Reply::Received(known)) = (source, reply) {
        source.explain(wanted, known).await;
    }
}

/// Declares `Evidence`, with a member for each source, and `Opened`, which asks all of them at once.
macro_rules! sources {
    ($($(#[$doc:meta])* $member:ident: $evidence:ty = $source:ty,)*) => {
        /// What monitoring knew, by source.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Evidence {
            /// When it was collected, by the drill's clock: the evidence is of everything before.
            pub collected: Time,
            $($(#[$doc])* pub $member: Reply<$evidence>,)*
        }

        impl Evidence {
            /// Nothing, collected at this time.
            #[must_use]
            pub const fn none(collected: Time) -> Self {
                Self { collected, $($member: Reply::NotAsked,)* }
            }

            /// What alerts did, from the first source that was asked and can tell; and what people call that source.
            #[must_use]
            pub fn alert_history(&self) -> (&'static str, Reply<AlertHistory>) {
                $(if let Some(history) = <$source as source::Source>::ALERT_HISTORY
                    && self.$member != Reply::NotAsked
                {
                    let history = self.$member.map(|evidence| history(evidence, self.collected));
                    return (<$source as source::Source>::NAME, history);
                })*
                ("Prometheus", Reply::NotAsked)
            }
        }

        /// The sources that the drill was told of.
        struct Opened {
            $($member: Option<std::sync::Arc<$source>>,)*
        }

        impl Opened {
            fn open(setup: &source::Setup<'_>) -> Result<Self, String> {
                Ok(Self { $($member: <$source as source::Source>::open(setup)?.map(std::sync::Arc::new),)* })
            }

            async fn preflight(&self) -> Vec<NoSource> {
                let preflights = tokio::join!($(source::preflight(self.$member.as_deref())),*);
                let ($($member),*) = preflights;
                [$($member),*].into_iter().filter_map(Result::err).collect()
            }

            fn watch(&self) -> tokio::task::JoinSet<()> {
                let mut tasks = tokio::task::JoinSet::new();
                $(if let Some(source) = self.$member.clone() {
                    tasks.spawn(async move { source::Source::watch(&*source).await });
                })*
                tasks
            }

            async fn poll(&self, context: &source::Context<'_>, evidence: &mut Evidence) {
                tokio::join!($(source::poll(self.$member.as_deref(), context, &mut evidence.$member)),*);
                evidence.collected = context.now;
            }

            async fn collect(&self, context: &source::Context<'_>, pause: Duration) -> Evidence {
                let ($($member),*) =
                    tokio::join!($(source::collect(self.$member.as_deref(), context, pause)),*);
                Evidence { collected: context.now, $($member,)* }
            }

            async fn explain(&self, wanted: &[Explain], evidence: &mut Evidence) {
                tokio::join!($(source::explain(self.$member.as_deref(), wanted, &mut evidence.$member)),*);
            }
        }
    };
}
pub(super) use sources;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A source that fails so often before it answers.
    struct Flaky {
        failures: u32,
        may_pass: bool,
        asked: AtomicU32,
    }

    impl Source for Flaky {
        type Evidence = u32;

        const NAME: &'static str = "the flaky one";

        fn open(_setup: &Setup<'_>) -> Result<Option<Self>, String> {
            Ok(None)
        }

        async fn preflight(&self) -> Result<(), Failure> {
            Ok(())
        }

        async fn collect(&self, _context: &Context<'_>) -> Result<Option<u32>, Missing> {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            let missing = || Missing { why: format!("failure {asked}"), may_pass: self.may_pass };
            if asked > self.failures { Ok(Some(asked)) } else { Err(missing()) }
        }
    }

    #[tokio::test]
    async fn a_source_is_asked_again_after_a_failure_that_may_pass_and_no_other() {
        let collected = async |failures, may_pass| {
            let flaky = Flaky { failures, may_pass, asked: AtomicU32::new(0) };
            let (questions, time) = (Questions::default(), Time::from_millis(0));
            let context = Context { questions: &questions, began: time, known_until: time, now: time };
            let reply = collect(Some(&flaky), &context, Duration::ZERO).await;
            (reply, flaky.asked.into_inner())
        };
        assert_eq!(collected(0, true).await, (Reply::Received(1), 1));
        assert_eq!(collected(2, true).await, (Reply::Received(3), 3));
        assert_eq!(collected(9, true).await, (Reply::Missing("failure 3".to_owned()), 3));
        assert_eq!(collected(9, false).await, (Reply::Missing("failure 1".to_owned()), 1));
    }
}
