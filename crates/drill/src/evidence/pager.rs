//! What rang at the pager (`docs/pager.md`).

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Clock, LOOKBACK, Labels, Now, Page, Pager, Source};
use firedrill_contract::Time;
use firedrill_contract::quantity::format_duration;
use firedrill_net::client::{Client, Failure, Question};

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

/// That it is there and is a pager.
pub(super) async fn preflight(client: &Client) -> Result<(), Failure> {
    pages(client, Duration::ZERO).await.map(drop)
}

/// How the pager was when a drill began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    /// Alerts that Alertmanager has left out of its notifications to the pager so far.
    left_out: u64,
    clock: Clock,
}

/// How it is now.
pub(super) async fn before(client: &Client, now: &Now) -> Result<Before, Failure> {
    let asked = now();
    let pages = pages(client, Duration::ZERO).await?;
    let clock = Clock::seen(pages.now.into(), asked, now());
    Ok(Before { left_out: pages.truncated_alerts, clock })
}

/// What rang since some minutes before the drill began, before which the pager was like that.
pub(super) async fn collect(client: &Client, first: Before, began: Time, now: &Now) -> Source<Pager> {
    let before = now();
    let ago = before.since(began).unwrap_or_default() + LOOKBACK;
    match pages(client, ago).await {
        Ok(pages) => found(pages, first, (before, now())),
        Err(failure) => Source::Missing(failure.to_string()),
    }
}

/// Pages that were heard of since so long ago, by the pager's clock.
async fn pages(client: &Client, ago: Duration) -> Result<Pages, Failure> {
    let question = Question::get("/pages").with("since", format_duration(ago));
    client.fetch(&question).await?.json()
}

fn found(pages: Pages, first: Before, (before, after): (Time, Time)) -> Source<Pager> {
    // It forgets first what it was told of longest ago. So where it keeps older pages than those that
    // were asked for, it has forgotten none of these.
    if pages.forgotten > 0 && pages.kept == pages.pages.len() {
        let why = format!(
            "the pager keeps {} pages and forgot {} to make room, so that some of this drill may be among these: give it a larger --keep",
            pages.kept, pages.forgotten
        );
        return Source::Missing(why);
    }
    let more = pages.truncated_alerts.saturating_sub(first.left_out);
    if more > 0 {
        let why = format!(
            "Alertmanager left {more} alerts out of its notifications to the pager: raise max_alerts of its webhook_config"
        );
        return Source::Missing(why);
    }
    Source::Said(Pager {
        clock: Clock::seen(pages.now.into(), before, after).since(first.clock),
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
        match found(pages, before(left_out), around) {
            Source::Missing(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_recorded_answer_is_read() {
        let pages = recorded();
        let around = around(&pages);
        let Source::Said(pager) = found(pages, before(0), around) else { panic!() };
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
        assert!(found(older, before(0), around).said().is_some(), "what was forgotten is older still");
        let left_out = Pages { truncated_alerts: 5, ..recorded() };
        assert!(missing(left_out.clone(), 3).contains("left 2 alerts out"));
        assert!(found(left_out, before(5), around).said().is_some(), "they were left out before");
    }
}
