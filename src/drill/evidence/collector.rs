//! Asks every source: whether it is there before the load begins, again and again while it runs where a
//! source forgets, and for all the rest at the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::client::{Client, Failure};
use super::service::{self, Scraped};
use super::{Evidence, Exposed, Now, Source, prometheus};
use crate::drill::question::Questions;
use crate::drill::time::Time;

/// Where evidence is.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Prometheus.
    pub prometheus: Option<Client>,
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

impl Sources {
    /// Asks each source whether it is there and what it should be.
    ///
    /// # Errors
    /// Each one that is not.
    pub async fn preflight(&self) -> Result<(), Vec<NoSource>> {
        let prometheus = async { absent("Prometheus", asked(&self.prometheus, prometheus::preflight).await) };
        let service = async { absent("the service", asked(&self.service, scraped).await) };
        let (prometheus, service) = tokio::join!(prometheus, service);
        let absent: Vec<_> = [prometheus, service].into_iter().flatten().collect();
        if absent.is_empty() { Ok(()) } else { Err(absent) }
    }

    /// Begins to look at what forgets, as often as this. Ends when the collector is dropped.
    ///
    /// # Errors
    /// When a selector among the questions is none.
    pub fn start(self, questions: &Questions, every: Duration, now: Now) -> Result<Collector, String> {
        let mut tasks = JoinSet::new();
        let scraped = match &self.service {
            None => None,
            Some(client) => {
                let scraped = Arc::new(Mutex::new(Scraped::new(every, &questions.selectors)?));
                tasks.spawn(keep_scraping(client.clone(), Arc::clone(&scraped), every, Arc::clone(&now)));
                Some(scraped)
            }
        };
        Ok(Collector { sources: self, scraped, now, _tasks: tasks })
    }
}

async fn scraped(client: &Client) -> Result<(), Failure> {
    service::scrape(client, |_| ()).await
}

/// What a source is asked, if there is one.
async fn asked<'a, F>(client: &'a Option<Client>, ask: impl FnOnce(&'a Client) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    match client {
        Some(client) => ask(client).await,
        None => Ok(()),
    }
}

fn absent(source_name: &'static str, asked: Result<(), Failure>) -> Option<NoSource> {
    asked.err().map(|failure| NoSource { source_name, why: failure.to_string() })
}

/// Looks at sources for as long as it lives.
pub struct Collector {
    sources: Sources,
    scraped: Option<Arc<Mutex<Scraped>>>,
    now: Now,
    /// What looks; ended with this.
    _tasks: JoinSet<()>,
}

impl Collector {
    /// All that there is by now, about a drill that began then. It may be asked for again later.
    pub async fn collect(&self, questions: &Questions, began: Time) -> Evidence {
        let prometheus = async {
            match &self.sources.prometheus {
                Some(client) => prometheus::collect(client, questions, began, &self.now).await,
                None => Source::NotAsked,
            }
        };
        let mut evidence = Evidence::none((self.now)());
        evidence.prometheus = prometheus.await;
        evidence.service = self.exposed(questions);
        evidence.collected = (self.now)();
        evidence
    }

    fn exposed(&self, questions: &Questions) -> Source<Exposed> {
        let Some(scraped) = &self.scraped else { return Source::NotAsked };
        match lock(scraped).found(&questions.selectors) {
            Ok(exposed) if exposed.scrapes.is_empty() => Source::Missing("it was not scraped yet".to_owned()),
            Ok(exposed) => Source::Said(exposed),
            Err(why) => Source::Missing(why),
        }
    }
}

async fn keep_scraping(client: Client, scraped: Arc<Mutex<Scraped>>, every: Duration, now: Now) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let at = now();
        let taken = service::scrape(&client, |samples| lock(&scraped).keep(at, samples)).await;
        lock(&scraped).note(at, taken.err().map(|failure| failure.to_string()));
    }
}

/// These locks are held to copy or to add a few values.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
