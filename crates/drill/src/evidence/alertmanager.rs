//! What Alertmanager has. It forgets what is over, so it is polled all the time while the drill runs.

mod evidence;
mod failures;
#[cfg(any(test, feature = "testing"))]
pub(super) mod fuzz;
mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::series::Labels;
use super::source::{Context, Missing, Now, Setup, Source};
use super::watched::{Watched, ticks};
pub use evidence::{Alertmanager, AlertmanagerAlert, FailedNotifications, Unseen};
use failures::Failures;
use firedrill_net::client::{Client, Failure, Question};
use watch::AlertLog;

pub(super) struct Backend {
    client: Client,
    poll_interval: Duration,
    now: Now,
    log: Watched<AlertLog>,
    /// What it had counted of failures when the drill began, or why that is not known.
    failures_before: OnceCell<Result<Failures, String>>,
}

impl Source for Backend {
    type Evidence = Alertmanager;

    const NAME: &'static str = "Alertmanager";

    fn open(setup: &Setup<'_>) -> Result<Option<Self>, String> {
        Ok(setup.sources.alertmanager.clone().map(|client| Self {
            client,
            poll_interval: setup.poll_interval,
            now: setup.now.clone(),
            log: Watched::new(AlertLog::default()),
            failures_before: OnceCell::new(),
        }))
    }

    async fn preflight(&self) -> Result<(), Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Overall {
            #[serde(rename = "versionInfo")]
            _version: Labels,
        }
        self.client.fetch(&Question::get("/api/v2/status")).await?.json::<Overall>().map(drop)
    }

    async fn watch(&self) {
        self.failures_before().await;
        let mut ticks = ticks(self.poll_interval);
        loop {
            ticks.tick().await;
            let at = (self.now)();
            let alerts = alerts(&self.client).await.map_err(|failure| failure.to_string());
            self.log.lock().take(at, alerts);
            self.log.set_written();
        }
    }

    async fn poll(
        &self,
        context: &Context<'_>,
        known: Option<Alertmanager>,
    ) -> Result<Option<Alertmanager>, Missing> {
        let failed = self.failed().await;
        let log = self.log.written().await;
        if let Some(why) = log.never() {
            return Err(why.into());
        }
        let receivers = known.map(|known| known.receivers).unwrap_or_default();
        let (alerts, unseen) = (log.held.clone(), log.unseen(context.now));
        Ok(Some(Alertmanager { alerts, unseen, receivers, failed }))
    }

    async fn collect(&self, context: &Context<'_>) -> Result<Option<Alertmanager>, Missing> {
        let receivers = receivers(&self.client).await?;
        let polled = self.poll(context, None).await?;
        Ok(polled.map(|polled| Alertmanager { receivers, ..polled }))
    }
}

impl Backend {
    async fn failures_before(&self) -> &Result<Failures, String> {
        let read = async || Failures::read(&self.client).await.map_err(|failure| failure.to_string());
        self.failures_before.get_or_init(read).await
    }

    /// The notifications that failed since the drill began.
    async fn failed(&self) -> Result<Vec<FailedNotifications>, String> {
        let before = self.failures_before().await.as_ref().map_err(Clone::clone)?;
        let after = Failures::read(&self.client).await.map_err(|failure| failure.to_string())?;
        Ok(after.since(before))
    }
}

/// The part of an alert of `/api/v2/alerts` that is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    fingerprint: String,
    labels: Labels,
    starts_at: Timestamp,
    receivers: Vec<Receiver>,
    status: Status,
}

#[derive(Debug, Clone, Deserialize)]
struct Receiver {
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    inhibited_by: Vec<String>,
    silenced_by: Vec<String>,
    /// Alertmanager before 0.28 has none.
    #[serde(default)]
    muted_by: Vec<String>,
}

/// Alerts of one group, of `/api/v2/alerts/groups`.
#[derive(Debug, Clone, Deserialize)]
struct Group {
    alerts: Vec<Alert>,
}

/// Every alert that it has now, silenced and inhibited ones too.
pub(super) async fn alerts(client: &Client) -> Result<Vec<Alert>, Failure> {
    let question = Question::get("/api/v2/alerts")
        .with("active", "true")
        .with("silenced", "true")
        .with("inhibited", "true")
        .with("unprocessed", "true");
    let alerts = async { client.fetch(&question).await?.json() };
    let groups = async { client.fetch(&Question::get("/api/v2/alerts/groups")).await?.json() };
    let (alerts, groups) = tokio::try_join!(alerts, groups)?;
    Ok(muted(alerts, groups))
}

/// The alerts with what mutes them, which only the groups know that they are in.
fn muted(mut alerts: Vec<Alert>, groups: Vec<Group>) -> Vec<Alert> {
    let places: BTreeMap<_, _> =
        alerts.iter().enumerate().map(|(place, alert)| (alert.fingerprint.clone(), place)).collect();
    for grouped in groups.into_iter().flat_map(|group| group.alerts) {
        if let Some(place) = places.get(&grouped.fingerprint) {
            alerts[*place].status.muted_by.extend(grouped.status.muted_by);
        }
    }
    alerts
}

async fn receivers(client: &Client) -> Result<Vec<String>, Failure> {
    let receivers: Vec<Receiver> = client.fetch(&Question::get("/api/v2/receivers")).await?.json()?;
    Ok(receivers.into_iter().map(|receiver| receiver.name).collect())
}
