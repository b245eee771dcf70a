//! What Prometheus knows: its clock, targets, rules and alerts, raw samples, answers to queries.
//!
//! Moments in questions are by the drill's clock and are asked in Prometheus' own; moments in answers
//! are by Prometheus' clock, as they came.

pub(super) mod api;
mod explain;

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::client::{Client, Failure};
use super::{Answer, Clock, LOOKBACK, Now, Prometheus, Selected, Source};
use crate::drill::question::Questions;
use crate::drill::time::Time;
use api::Api;
use explain::Explainer;

/// Questions under way at a time.
pub(super) const AT_A_TIME: usize = 4;

/// How often the clock is looked at: the quickest answer says it best.
const LOOKS: usize = 3;

/// That it is there and is a Prometheus.
pub(super) async fn preflight(client: &Client) -> Result<(), Failure> {
    Api(client).version().await.map(drop)
}

/// All that is asked, in a drill that began then.
pub(super) async fn collect(
    client: &Client,
    questions: &Questions,
    began: Time,
    now: &Now,
) -> Source<Prometheus> {
    match ask(Api(client), questions, began, now).await {
        Ok(prometheus) => Source::Said(prometheus),
        Err(failure) => Source::Missing(failure.to_string()),
    }
}

async fn ask(api: Api<'_>, questions: &Questions, began: Time, now: &Now) -> Result<Prometheus, Failure> {
    let clock = clock(api, now).await?;
    let (scrape_intervals, rules) = tokio::try_join!(api.scrape_intervals(), api.rules())?;
    let back = back(began, now(), clock);
    let alerts = api.raw("ALERTS", back).await?;
    let selectors = std::iter::once("up").chain(questions.selectors.iter().map(String::as_str));
    let mut selectors: Vec<_> = selectors.collect();
    selectors.sort_unstable();
    selectors.dedup();
    let samples = stream::iter(selectors)
        .map(async |selector| {
            let series = api.raw(selector, back).await?;
            Ok::<_, Failure>(Selected { selector: selector.to_owned(), series })
        })
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    let answers = stream::iter(&questions.queries)
        .map(async |question| {
            let said = api.instant(&question.query, Some(clock.there(question.at))).await?;
            Ok::<_, Failure>(Answer { query: question.query.clone(), at: question.at, said })
        })
        .buffered(AT_A_TIME)
        .try_collect()
        .await?;
    let explained = Explainer::new(api, &rules, clock).all(&questions.explain).await?;
    Ok(Prometheus { clock, scrape_intervals, rules, alerts, samples, answers, explained })
}

/// How long raw samples reach back from now, in milliseconds.
fn back(began: Time, now: Time, clock: Clock) -> u128 {
    // A clock that is ahead calls the same moment later, so that more lies between; one second is for
    // the questions before this one.
    let ahead = Duration::from_millis(clock.ahead_ms.unsigned_abs());
    let back = now.since(began).unwrap_or_default() + LOOKBACK + ahead + Duration::from_secs(1);
    back.as_millis()
}

/// Its clock against the drill's.
async fn clock(api: Api<'_>, now: &Now) -> Result<Clock, Failure> {
    let look = async || {
        let before = now();
        let there = api.time().await?;
        Ok::<_, Failure>(Clock::seen(there, before, now()))
    };
    let mut best = look().await?;
    for _ in 1..LOOKS {
        let clock = look().await?;
        if clock.give_or_take_ms < best.give_or_take_ms {
            best = clock;
        }
    }
    Ok(best)
}

impl Clock {
    /// A clock that showed `there` at some moment from `before` to `after`.
    pub(super) fn seen(there: Time, before: Time, after: Time) -> Self {
        let took = after.millis().saturating_sub(before.millis());
        let middle = before.millis().saturating_add(took / 2);
        // Half of the time that it took, and a millisecond for what both clocks round.
        Self { ahead_ms: there.millis().saturating_sub(middle), give_or_take_ms: took / 2 + 1 }
    }

    /// What this clock shows at a moment of the drill's.
    ///
    /// A difference that is no more than what cannot be told is taken for none.
    pub(super) fn there(self, here: Time) -> Time {
        if self.ahead_ms.abs() <= self.give_or_take_ms {
            here
        } else {
            Time::from_millis(here.millis().saturating_add(self.ahead_ms))
        }
    }
}
