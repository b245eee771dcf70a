//! What rang at the pager (`docs/pager.md`).

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use super::clock::Clock;
use super::series::Labels;
use super::source::{Context, LOOKBACK, Missing, Now, Setup, Source};
use firedrill_contract::Time;
use firedrill_contract::quantity::format_duration;
use firedrill_net::client::{Client, Failure, Question};

/// What rang at the pager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pager {
    /// How its clock compares with the drill's.
    pub clock: Clock,
    /// Since when it listens: before, it knows of nothing.
    pub listening_since: Time,
    /// What rang since before the drill.
    pub pages: Vec<Page>,
}

/// What a receiver was told about an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Who was told.
    pub receiver: String,
    /// The alert's labels.
    pub labels: Labels,
    /// The alert's annotations.
    pub annotations: Labels,
    /// When the alert began, as Alertmanager says.
    pub starts_at: Time,
    /// When it was told that it fires.
    pub rang_at: Option<Time>,
    /// When it was told that it no longer does.
    pub resolved_at: Option<Time>,
}

/// The part of `/pages` that is read.
#[derive(Debug, Clone, Deserialize)]
struct Pages {
    now: Timestamp,
    listening_since: Timestamp,
    kept: usize,
    forgotten: u64,
    truncated_alerts: u64,
    pages: Vec<Rung>,
}

#[derive(Debug, Clone, Deserialize)]
struct Rung {
    receiver: String,
    labels: Labels,
    annotations: Labels,
    starts_at: Timestamp,
    rang_at: Option<Timestamp>,
    resolved_at: Option<Timestamp>,
}

impl From<Rung> for Page {
    fn from(rung: Rung) -> Self {
        Self {
            receiver: rung.receiver,
            labels: rung.labels,
            annotations: rung.annotations,
            starts_at: rung.starts_at.into(),
            rang_at: rung.rang_at.map(Time::from),
            resolved_at: rung.resolved_at.map(Time::from),
        }
    }
}

pub(super) struct Backend {
    client: Client,
    now: Now,
    /// How it was when the drill began, or why that is not known.
    before: OnceCell<Result<Before, String>>,
}

/// How the pager was when a drill began.
#[derive(Debug, Clone, Copy)]
struct Before {
    /// Alerts that Alertmanager has left out of its notifications to the pager so far.
    left_out: u64,
    clock: Clock,
}

impl Source for Backend {
    type Evidence = Pager;

    const NAME: &'static str = "the pager";

    fn open(setup: &Setup<'_>) -> Result<Option<Self>, String> {
        let open = |client| Self { client, now: setup.now.clone(), before: OnceCell::new() };
        Ok(setup.sources.pager.clone().map(open))
    }

    async fn preflight(&self) -> Result<(), Failure> {
        pages(&self.client, Duration::ZERO).await.map(drop)
    }

    async fn watch(&self) {
        self.before().await;
    }

    async fn poll(&self, context: &Context<'_>, _known: Option<Pager>) -> Result<Option<Pager>, Missing> {
        self.collect(context).await
    }

    async fn collect(&self, context: &Context<'_>) -> Result<Option<Pager>, Missing> {
        let first = self.before().await.clone()?;
        let before = (self.now)();
        let ago = before.since(context.began).unwrap_or_default() + LOOKBACK;
        let pages = pages(&self.client, ago).await?;
        Ok(Some(read(pages, first, (before, (self.now)()))?))
    }
}

impl Backend {
    async fn before(&self) -> &Result<Before, String> {
        let ask = async || {
            let asked = (self.now)();
            let pages = pages(&self.client, Duration::ZERO).await.map_err(|failure| failure.to_string())?;
            let clock = Clock::measured(pages.now.into(), asked, (self.now)());
            Ok(Before { left_out: pages.truncated_alerts, clock })
        };
        self.before.get_or_init(ask).await
    }
}

/// Pages that were heard of since so long ago, by the pager's clock.
async fn pages(client: &Client, ago: Duration) -> Result<Pages, Failure> {
    let question = Question::get("/pages").with("since", format_duration(ago));
    client.fetch(&question).await?.json()
}

/// What the pager knows, or why that may not be all.
fn read(pages: Pages, first: Before, (before, after): (Time, Time)) -> Result<Pager, String> {
    // It forgets first what it was told of longest ago. So where it keeps older pages than those that
    // were asked for, it has forgotten none of these.
    if pages.forgotten > 0 && pages.kept == pages.pages.len() {
        let why = format!(
            "the pager keeps {} pages and forgot {} to make room, so that some of this drill may be among these: give it a larger --keep",
            pages.kept, pages.forgotten
        );
        return Err(why);
    }
    let more = pages.truncated_alerts.saturating_sub(first.left_out);
    if more > 0 {
        let why = format!(
            "Alertmanager left {more} alerts out of its notifications to the pager: raise max_alerts of its webhook_config"
        );
        return Err(why);
    }
    Ok(Pager {
        clock: Clock::measured(pages.now.into(), before, after).since(first.clock),
        listening_since: pages.listening_since.into(),
        pages: pages.pages.into_iter().map(Page::from).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: &str = include_str!("../../../../tests/data/pager/pages.json");

    fn recorded() -> Pages {
        serde_json::from_str(PAGES).unwrap()
    }

    fn around(pages: &Pages) -> (Time, Time) {
        let now = Time::from(pages.now);
        (now - Duration::from_millis(30), now + Duration::from_millis(10))
    }

    /// A pager that was asked before, whose clock is the drill's.
    fn before(left_out: u64) -> Before {
        Before { left_out, clock: Clock { ahead_ms: 0, give_or_take_ms: 1, moved_ms: 0 } }
    }

    fn missing(pages: Pages, left_out: u64) -> String {
        let around = around(&pages);
        read(pages, before(left_out), around).unwrap_err()
    }

    #[test]
    fn a_recorded_answer_is_read() {
        let pages = recorded();
        let around = around(&pages);
        let pager = read(pages, before(0), around).unwrap();
        assert_eq!(pager.clock, Clock { ahead_ms: 10, give_or_take_ms: 21, moved_ms: 0 });
        let [page] = &pager.pages[..] else { panic!("{:?}", pager.pages) };
        assert_eq!((page.receiver.as_str(), page.labels["alertname"].as_str()), ("pager", "DiskFull"));
        assert_eq!(page.annotations["summary"], "No room");
        assert!(pager.listening_since < page.starts_at && page.starts_at < page.rang_at.unwrap());
        assert!(page.rang_at < page.resolved_at);
    }

    #[test]
    fn what_it_may_not_know_is_not_taken_for_nothing() {
        let forgot = Pages { forgotten: 3, ..recorded() };
        assert!(missing(forgot.clone(), 0).contains("forgot 3"));
        let older = Pages { kept: 2, ..forgot };
        let around = around(&older);
        assert!(read(older, before(0), around).is_ok(), "what was forgotten is older still");
        let left_out = Pages { truncated_alerts: 5, ..recorded() };
        assert!(missing(left_out.clone(), 3).contains("left 2 alerts out"));
        assert!(read(left_out, before(5), around).is_ok(), "they were left out before");
    }
}
