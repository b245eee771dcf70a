//! Asks every source: whether it is there before the load begins, again and again while it runs where a
//! source forgets, and for all the rest at the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::service::{self, Scraped};
use super::{
    Alertmanager, Clock, Evidence, Exposed, Now, Pager, Prometheus, Source, alertmanager, pager, panels,
    prometheus,
};
use crate::question::Questions;
use firedrill_contract::Time;
use firedrill_net::client::{Client, Failure};

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

impl Sources {
    /// Asks each source whether it is there and what it should be.
    ///
    /// # Errors
    /// Each one that is not.
    pub async fn preflight(&self) -> Result<(), Vec<NoSource>> {
        // Where there is a Prometheus, what the service exposes only helps to explain, and not every service does.
        let service = self.service.as_ref().filter(|_| self.prometheus.is_none());
        let asked = tokio::join!(
            asked("Prometheus", self.prometheus.as_ref(), prometheus::preflight),
            asked("Alertmanager", self.alertmanager.as_ref(), alertmanager::preflight),
            asked("the pager", self.pager.as_ref(), pager::preflight),
            asked("Grafana", self.grafana.as_ref(), panels::preflight),
            asked("the service", service, async |client| service::scrape(client, |_| ()).await),
        );
        let absent: Vec<_> = <[_; 5]>::from(asked).into_iter().filter_map(Result::err).collect();
        if absent.is_empty() { Ok(()) } else { Err(absent) }
    }

    /// Begins to look at what forgets, as often as this. Ends when the collector is dropped.
    ///
    /// # Errors
    /// When a selector among the questions is none.
    pub fn start(self, questions: &Questions, every: Duration, now: Now) -> Result<Collector, String> {
        let mut tasks = JoinSet::new();
        let mut scraped = None;
        if let Some(client) = self.service.clone() {
            let watched = Watched::new(Scraped::new(every, &questions.selectors)?);
            tasks.spawn(keep_scraping(client, Arc::clone(&watched), every, Arc::clone(&now)));
            scraped = Some(watched);
        }
        let seen = self.alertmanager.clone().map(|client| {
            let watched = Watched::new(alertmanager::Seen::default());
            tasks.spawn(keep_looking(client, Arc::clone(&watched), every, Arc::clone(&now)));
            watched
        });
        let pager = self.pager.clone().map(|client| {
            let watched = Watched::new(Err("it was not looked at yet".to_owned()));
            tasks.spawn(note_pager(client, Arc::clone(&watched), Arc::clone(&now)));
            watched
        });
        let clock = self.prometheus.clone().map(|client| {
            let watched = Watched::new(None);
            tasks.spawn(note_clock(client, Arc::clone(&watched), every, Arc::clone(&now)));
            watched
        });
        Ok(Collector { sources: self, scraped, seen, pager, clock, now, _tasks: tasks })
    }
}

/// What a source is asked, if there is one.
async fn asked<'a>(
    source_name: &'static str,
    client: Option<&'a Client>,
    ask: impl AsyncFnOnce(&'a Client) -> Result<(), Failure>,
) -> Result<(), NoSource> {
    let Some(client) = client else { return Ok(()) };
    ask(client).await.map_err(|failure| NoSource { source_name, why: failure.to_string() })
}

/// What a task has found so far.
struct Watched<T> {
    found: Mutex<T>,
    /// Whether it has looked at least once.
    looked: watch::Sender<bool>,
}

impl<T> Watched<T> {
    fn new(found: T) -> Arc<Self> {
        Arc::new(Self { found: Mutex::new(found), looked: watch::Sender::new(false) })
    }

    /// What was found. This lock is held to copy or to add a few values.
    fn lock(&self) -> MutexGuard<'_, T> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that it has looked.
    fn looked(&self) {
        self.looked.send_replace(true);
    }

    /// Waits for the first look, which ends in time since its requests do.
    async fn first(&self) {
        // The sender is here, so that it cannot have gone.
        let _ = self.looked.subscribe().wait_for(|looked| *looked).await;
    }
}

async fn keep_scraping(client: Client, scraped: Arc<Watched<Scraped>>, every: Duration, now: Now) {
    let mut ticks = ticks(every);
    loop {
        ticks.tick().await;
        let at = now();
        let taken = service::scrape(&client, |samples| scraped.lock().keep(at, samples)).await;
        scraped.lock().note(at, taken.err().map(|failure| failure.to_string()));
        scraped.looked();
    }
}

async fn keep_looking(client: Client, seen: Arc<Watched<alertmanager::Seen>>, every: Duration, now: Now) {
    let failures = alertmanager::failures(&client).await.map_err(|failure| failure.to_string());
    seen.lock().begin(failures);
    let mut ticks = ticks(every);
    loop {
        ticks.tick().await;
        let at = now();
        let alerts = alertmanager::alerts(&client).await.map_err(|failure| failure.to_string());
        seen.lock().take(at, alerts);
        seen.looked();
    }
}

async fn note_pager(client: Client, noted: Arc<Watched<Result<pager::Before, String>>>, now: Now) {
    let before = pager::before(&client, &now).await.map_err(|failure| failure.to_string());
    *noted.lock() = before;
    noted.looked();
}

/// Looks at Prometheus' clock once: as soon as it says.
async fn note_clock(client: Client, noted: Arc<Watched<Option<Clock>>>, every: Duration, now: Now) {
    let mut ticks = ticks(every);
    loop {
        ticks.tick().await;
        if let Ok(clock) = prometheus::clock(&client, &now).await {
            *noted.lock() = Some(clock);
            return;
        }
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    // One that took longer than it should is no reason to hurry later.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Looks at sources for as long as it lives.
pub struct Collector {
    sources: Sources,
    scraped: Option<Arc<Watched<Scraped>>>,
    seen: Option<Arc<Watched<alertmanager::Seen>>>,
    /// How the pager was when the watch began.
    pager: Option<Arc<Watched<Result<pager::Before, String>>>>,
    /// What Prometheus' clock showed then.
    clock: Option<Arc<Watched<Option<Clock>>>>,
    now: Now,
    /// What looks; ended with this.
    _tasks: JoinSet<()>,
}

impl Collector {
    /// All that there is by now, about a drill that began then. It may be asked for again later.
    pub async fn collect(&self, questions: &Questions, began: Time) -> Evidence {
        // By the time at which the first was asked: all that was before is in what follows.
        let collected = (self.now)();
        let Sources { prometheus, grafana, .. } = &self.sources;
        let (prometheus, grafana) = (prometheus.as_ref(), grafana.as_ref());
        let ask = panels::Ask { prometheus, grafana, from: began, to: collected };
        let (prometheus, alertmanager, pager, panels, service) = tokio::join!(
            self.prometheus(questions, began),
            self.alertmanager(),
            self.pager(began),
            panels::collect(ask, &questions.panels),
            self.service(questions)
        );
        Evidence { collected, prometheus, alertmanager, pager, panels, service }
    }

    async fn prometheus(&self, questions: &Questions, began: Time) -> Source<Prometheus> {
        match &self.sources.prometheus {
            Some(client) => {
                let first = self.clock.as_ref().and_then(|clock| *clock.lock());
                prometheus::collect(client, questions, began, first, &self.now).await
            }
            None => Source::NotAsked,
        }
    }

    async fn alertmanager(&self) -> Source<Alertmanager> {
        let (Some(client), Some(seen)) = (&self.sources.alertmanager, &self.seen) else {
            return Source::NotAsked;
        };
        seen.first().await;
        let seen = seen.lock().clone();
        alertmanager::collect(client, &seen, (self.now)()).await
    }

    async fn pager(&self, began: Time) -> Source<Pager> {
        let (Some(client), Some(before)) = (&self.sources.pager, &self.pager) else {
            return Source::NotAsked;
        };
        before.first().await;
        let before = before.lock().clone();
        match before {
            Ok(before) => pager::collect(client, before, began, &self.now).await,
            Err(why) => Source::Missing(why),
        }
    }

    async fn service(&self, questions: &Questions) -> Source<Exposed> {
        let Some(scraped) = &self.scraped else { return Source::NotAsked };
        scraped.first().await;
        scraped.lock().found(&questions.selectors).map_or_else(Source::Missing, Source::Said)
    }
}
