//! What Prometheus knows: its clock, targets, rules and alerts, raw samples, answers to queries.
//!
//! Moments in questions are by the drill's clock and are asked in Prometheus' own; moments in answers
//! are by Prometheus' clock, as they came.

pub(super) mod api;
mod explain;

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Answer, Clock, LOOKBACK, Now, Prometheus, Selected, Source};
use crate::question::Questions;
use api::Api;
use explain::Explainer;
use firedrill_contract::Time;
use firedrill_net::client::{Client, Failure};

/// Questions under way at a time.
pub(super) const AT_A_TIME: usize = 4;

/// How often the clock is looked at: the quickest answer says it best.
const LOOKS: usize = 3;

/// That it is there and is a Prometheus.
pub(super) async fn preflight(client: &Client) -> Result<(), Failure> {
    Api(client).version().await.map(drop)
}

/// All that is asked, in a drill that began then, and when its clock was looked at first.
pub(super) async fn collect(
    client: &Client,
    questions: &Questions,
    began: Time,
    first: Option<Clock>,
    now: &Now,
) -> Source<Prometheus> {
    match ask(Api(client), questions, began, first, now).await {
        Ok(prometheus) => Source::Said(prometheus),
        Err(failure) => Source::Missing(failure.to_string()),
    }
}

async fn ask(
    api: Api<'_>,
    questions: &Questions,
    began: Time,
    first: Option<Clock>,
    now: &Now,
) -> Result<Prometheus, Failure> {
    let clock = best_look(api, now).await?;
    let clock = first.map_or(clock, |first| clock.since(first));
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
pub(super) async fn clock(client: &Client, now: &Now) -> Result<Clock, Failure> {
    best_look(Api(client), now).await
}

async fn best_look(api: Api<'_>, now: &Now) -> Result<Clock, Failure> {
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
        Self { ahead_ms: there.millis().saturating_sub(middle), give_or_take_ms: took / 2 + 1, moved_ms: 0 }
    }

    /// The same, with how it moved since it was like that, as far as that is sure.
    pub(super) fn since(self, earlier: Self) -> Self {
        let moved = self.ahead_ms.saturating_sub(earlier.ahead_ms);
        let doubt = self.give_or_take_ms.saturating_add(earlier.give_or_take_ms);
        let surely = moved.saturating_abs().saturating_sub(doubt).max(0);
        Self { moved_ms: moved.signum() * surely, ..self }
    }

    /// What this clock shows at a moment of the drill's.
    ///
    /// A difference that is no more than what cannot be told is taken for none.
    pub(super) fn there(self, here: Time) -> Time {
        if self.ahead_ms.saturating_abs() <= self.give_or_take_ms {
            here
        } else {
            Time::from_millis(here.millis().saturating_add(self.ahead_ms))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::evidence::Said;
    use crate::question::Instant;
    use firedrill_net::Target;
    use firedrill_net::fake::{Fake, answer};

    const RULES: &str = include_str!("../../../../tests/data/prometheus/rules.json");
    const TARGETS: &str = include_str!("../../../../tests/data/prometheus/targets.json");
    const MATRIX: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    const NOW: i64 = 1_763_844_000_000;

    /// A Prometheus that answers as a real one did, but for what the test says of a request.
    async fn fake(other: impl Fn(&str) -> Option<Option<Vec<u8>>> + Send + Sync + 'static) -> Fake {
        Fake::start(move |request| {
            if let Some(answer) = other(request) {
                return answer;
            }
            let path = request.split(' ').nth(1).unwrap().split('?').next().unwrap();
            let json = match path {
                "/api/v1/rules" => RULES.to_owned(),
                "/api/v1/targets" => TARGETS.to_owned(),
                "/api/v1/query" if request.ends_with("query=time%28%29") => {
                    let data = r#"{"resultType":"scalar","result":[1763844060.5,"1763844060.5"]}"#;
                    format!(r#"{{"status":"success","data":{data}}}"#)
                }
                "/api/v1/query" => MATRIX.to_owned(),
                path => panic!("{path}"),
            };
            Some(answer("200 OK", "application/json", json.as_bytes()))
        })
        .await
    }

    async fn found(fake: &Fake, queries: &[&str]) -> Source<Prometheus> {
        let client = Client::new(Target::parse(&fake.url).unwrap(), None).within(Duration::from_millis(500));
        let now: Now = Arc::new(|| Time::from_millis(NOW));
        let query = |query: &&str| Instant { query: (*query).to_owned(), at: Time::from_millis(NOW) };
        let questions = Questions { queries: queries.iter().map(query).collect(), ..Questions::default() };
        collect(&client, &questions, Time::from_millis(NOW - 60_000), None, &now).await
    }

    #[tokio::test]
    async fn moments_are_asked_in_the_clock_of_prometheus() {
        let fake = fake(|request| {
            let vector = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"NaN"]},{"metric":{},"value":[1,"-Inf"]}]}}"#;
            request.contains("query=mine").then(|| Some(answer("200 OK", "application/json", vector.as_bytes())))
        })
        .await;
        let Source::Said(said) = found(&fake, &["mine"]).await else { panic!() };
        assert_eq!(said.clock, Clock { ahead_ms: 60_500, give_or_take_ms: 1, moved_ms: 0 });
        let Said::Values(values) = &said.answers[0].said else { panic!("{:?}", said.answers) };
        assert!(values[0].value.is_nan() && values[0].labels["a"] == "b", "{values:?}");
        assert_eq!(values[1].value, f64::NEG_INFINITY);
        let asked = fake.asked();
        assert!(
            asked.iter().any(|request| request.ends_with("query=mine&time=1763844060.500")),
            "{asked:#?}"
        );
        // A minute of drill, five before it, a clock that is a minute ahead, and a second.
        assert!(asked.iter().any(|request| request.ends_with("query=up%5B421500ms%5D")), "{asked:#?}");
        assert!(asked.iter().any(|request| request.ends_with("query=ALERTS%5B421500ms%5D")), "{asked:#?}");
        assert_eq!(said.scrape_intervals, [("app".to_owned(), 1_000)].into());
        assert_eq!(
            said.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(),
            ["Busy", "workload:requests:rate10s", "requests:rate10s"]
        );
    }

    #[tokio::test]
    async fn a_query_that_is_refused_spoils_no_other() {
        let refusal = r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error"}"#;
        let fake = fake(move |request| {
            let json = |status: &str, json: &str| Some(Some(answer(status, "application/json", json.as_bytes())));
            if request.contains("query=wrong") {
                return json("400 Bad Request", refusal);
            }
            let partly = r#"{"status":"success","warnings":["store is away"],"data":{"resultType":"vector","result":[]}}"#;
            request.contains("query=partly").then(|| json("200 OK", partly)).flatten()
        })
        .await;
        let Source::Said(said) = found(&fake, &["wrong", "partly", "ranges"]).await else { panic!() };
        let said: Vec<_> = said.answers.into_iter().map(|answer| answer.said).collect();
        let refused = |why: &str| Said::Refused(why.to_owned());
        let ranges = "it gives ranges of samples, not one value each";
        let partly = "only a part could be answered: store is away";
        assert_eq!(said, [refused("1:4: parse error"), refused(partly), refused(ranges)]);
    }

    #[tokio::test]
    async fn trouble_with_any_question_makes_all_of_it_missing() {
        type Answered = fn() -> Option<Vec<u8>>;
        let cases: [(&str, Answered, &str); 7] = [
            (
                "/api/v1/rules",
                || Some(answer("500 Oops", "text/plain", b"out of memory")),
                "found 500 Internal Server Error: out of memory",
            ),
            (
                "/api/v1/targets",
                || Some(answer("200 OK", "text/html", b"<html>Log in</html>")),
                "expected JSON (expected value at line 1 column 1), found 200 OK: <html>Log in</html>",
            ),
            ("query=time", || None, "no whole answer within 500ms"),
            (
                "query=up",
                || Some(answer("200 OK", "text/plain", b"{}")),
                "expected JSON (missing field `status`",
            ),
            (
                "query=ALERTS",
                || {
                    Some(answer(
                        "200 OK",
                        "text/plain",
                        br#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#,
                    ))
                },
                "expected a matrix",
            ),
            (
                "query=mine",
                || {
                    Some(answer(
                        "503 Busy",
                        "application/json",
                        br#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
                    ))
                },
                "query timed out",
            ),
            (
                "query=mine",
                || Some(answer("200 OK", "application/json", br#"{"status":"error"}"#)),
                "expected data",
            ),
        ];
        for (part, answered, expected) in cases {
            let fake = fake(move |request| request.contains(part).then(answered)).await;
            match found(&fake, &["mine"]).await {
                Source::Missing(why) => assert!(why.contains(expected), "{part}: {why}"),
                other => panic!("{part}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_clock_is_as_sure_as_the_answer_was_quick() {
        let at = Time::from_millis;
        let clock = Clock::seen(at(10_000), at(9_000), at(9_400));
        assert_eq!(clock, Clock { ahead_ms: 800, give_or_take_ms: 201, moved_ms: 0 });
        let clock_at = |ahead_ms| Clock { ahead_ms, give_or_take_ms: 200, moved_ms: 0 };
        let moved = [5_000, -5_000, 300].map(|ahead| clock_at(ahead).since(clock_at(0)).moved_ms);
        assert_eq!(moved, [4_600, -4_600, 0], "what may be the time that asking took is no move");
        assert_eq!(clock.there(at(0)), at(800));
        let same = Clock::seen(at(9_300), at(9_000), at(9_400));
        assert_eq!(same.there(at(5)), at(5), "a difference that may be none is none");
    }

    #[test]
    fn a_clock_that_is_as_far_off_as_can_be_is_read() {
        let (now, never) = (Time::from_millis(NOW), Time::from_millis(i64::MIN));
        let clock = Clock::seen(never, now, now);
        assert_eq!(clock.there(now), never + Duration::from_millis(NOW.unsigned_abs()));
    }
}
