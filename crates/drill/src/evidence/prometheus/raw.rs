//! Raw samples of any length of time: asked in pieces, each of which fits an answer.

use std::collections::HashMap;
use std::time::Duration;

use super::api::{Api, Raw};
use crate::evidence::clock::Clock;
use crate::evidence::series::{Labels, Series};
use crate::evidence::source::Now;
use firedrill_contract::Time;
use firedrill_net::client::Failure;

/// How much time is asked for first, while nobody knows how many samples there are.
const FIRST: Duration = Duration::from_secs(600);

/// The least that is asked for.
const LEAST: Duration = Duration::from_secs(10);

/// How large an answer should be, in bytes: far below what is read at most.
const WANTED: u128 = 16 << 20;

/// How much longer one piece may be than the one before, which may have been of a quiet time.
const GROWTH: u32 = 8;

/// For what passes between reading a clock and asking.
const SLACK: Duration = Duration::from_secs(1);

/// The most samples that a drill keeps of one selector.
const MOST_SAMPLES: usize = 10_000_000;

/// Reads raw samples of one Prometheus.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) api: Api<'a>,
    pub(super) clock: Clock,
    pub(super) now: &'a Now,
}

impl Reader<'_> {
    /// Every sample that a selector selects since then, by the drill's clock.
    pub(super) async fn since(self, selector: &str, from: Time) -> Result<Vec<Series>, Failure> {
        let mut series = Vec::new();
        self.update(&mut series, selector, from).await?;
        Ok(series)
    }

    /// Adds every sample since then that is not there yet.
    pub(super) async fn update(
        self,
        known: &mut Vec<Series>,
        selector: &str,
        from: Time,
    ) -> Result<(), Failure> {
        // A clock that is ahead calls the same moment later, so that more lies between.
        let mut from = self.clock.there(from) - Duration::from_millis(self.clock.ahead_ms.unsigned_abs());
        let mut merged = Merged::of(known);
        let mut span = FIRST;
        loop {
            let rest = self.clock.there((self.now)()).since(from).unwrap_or_default();
            // The newest samples are those that Prometheus calls so.
            let (range, at) = if rest <= span { (rest + SLACK, None) } else { (span, Some(from + span)) };
            match self.api.raw(selector, range, at).await {
                Ok(Raw { series, bytes }) => {
                    merged.add(series);
                    if merged.samples > MOST_SAMPLES {
                        return Err(self.api.too_many(selector, MOST_SAMPLES));
                    }
                    let Some(at) = at else { return Ok(()) };
                    from = at;
                    span = next_span(span, bytes);
                }
                Err(failure) if failure.is_too_large() && range > LEAST => span = (range / 2).max(LEAST),
                Err(failure) => return Err(failure),
            }
        }
    }
}

/// How much time to ask for after an answer of this size.
fn next_span(span: Duration, bytes: usize) -> Duration {
    let wanted = span.as_millis().saturating_mul(WANTED) / u128::try_from(bytes).unwrap_or(u128::MAX).max(1);
    let wanted = Duration::from_millis(u64::try_from(wanted).unwrap_or(u64::MAX));
    wanted.clamp(LEAST, span.max(LEAST) * GROWTH)
}

/// Series that were read in pieces.
struct Merged<'a> {
    series: &'a mut Vec<Series>,
    places: HashMap<Labels, usize>,
    samples: usize,
}

impl<'a> Merged<'a> {
    fn of(series: &'a mut Vec<Series>) -> Self {
        let places = series.iter().enumerate().map(|(place, one)| (one.labels.clone(), place)).collect();
        let samples = series.iter().map(|one| one.samples.len()).sum();
        Self { series, places, samples }
    }

    /// Adds the samples of a piece that are not there yet. A piece is open on its left since Prometheus 3, and before
    /// that it was closed, so that the sample between two pieces came with both.
    fn add(&mut self, piece: Vec<Series>) {
        for Series { labels, mut samples } in piece {
            let Some(place) = self.places.get(&labels) else {
                self.samples += samples.len();
                self.places.insert(labels.clone(), self.series.len());
                self.series.push(Series { labels, samples });
                continue;
            };
            let known = &mut self.series[*place].samples;
            let before = known.len();
            let in_order =
                known.last().is_none_or(|last| samples.first().is_none_or(|first| last.0 < first.0));
            known.append(&mut samples);
            if !in_order {
                known.sort_by_key(|sample| sample.0);
                known.dedup_by_key(|sample| sample.0);
            }
            self.samples += known.len() - before;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::evidence::series::Sample;
    use firedrill_contract::quantity::Size;
    use firedrill_net::fake::{Fake, answer};
    use firedrill_net::{Client, Target};

    const NOW: i64 = 1_763_844_000_000;

    /// The parameter of this name in a request.
    fn parameter<'a>(request: &'a str, name: &str) -> Option<&'a str> {
        request
            .split("\r\n\r\n")
            .nth(1)?
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// The range of a request in milliseconds and the moment that it ends with.
    fn window(request: &str) -> (i64, i64) {
        let query = parameter(request, "query").unwrap();
        let range = query.trim_start_matches("a%5B").trim_end_matches("ms%5D").parse().unwrap();
        let at =
            parameter(request, "time").map(|seconds| Time::from_seconds(seconds.parse().unwrap()).millis());
        (range, at.unwrap_or(NOW))
    }

    /// A Prometheus with a sample at each full second, of which an answer has the first bound or not.
    async fn prometheus(closed: bool) -> Fake {
        Fake::start(move |request| {
            let (range, end) = window(request);
            let first = if closed { end - range } else { end - range + 1 };
            let seconds = first.div_euclid(1_000)..=end / 1_000;
            let samples =
                seconds.filter(|second| second * 1_000 >= first).map(|second| format!("[{second},\"1\"]"));
            let values = samples.collect::<Vec<_>>().join(",");
            let data =
                format!(r#"{{"resultType":"matrix","result":[{{"metric":{{}},"values":[{values}]}}]}}"#);
            let json = format!(r#"{{"status":"success","data":{data}}}"#);
            Some(answer("200 OK", "application/json", json.as_bytes()))
        })
        .await
    }

    async fn read(fake: &Fake, largest: Size, from: i64) -> Result<Vec<Series>, Failure> {
        let client = Client::new(Target::parse(&fake.url).unwrap(), None).up_to(largest);
        let clock = Clock { ahead_ms: 0, give_or_take_ms: 1, moved_ms: 0 };
        let now: Now = Arc::new(|| Time::from_millis(NOW));
        Reader { api: Api(&client), clock, now: &now }.since("a", Time::from_millis(from)).await
    }

    #[tokio::test]
    async fn pieces_lose_no_sample_and_double_none() {
        const HOURS: i64 = 6;
        for closed in [false, true] {
            let fake = prometheus(closed).await;
            let series = read(&fake, Size(40_000), NOW - HOURS * 3_600_000).await.unwrap();
            let [Series { samples, .. }] = &series[..] else { panic!("{series:?}") };
            let begin = NOW / 1_000 - HOURS * 3_600;
            let seconds: Vec<_> = samples.iter().map(|Sample(at, _)| at.millis() / 1_000).collect();
            let first = if closed { begin } else { begin + 1 };
            assert_eq!(seconds, (first..=NOW / 1_000).collect::<Vec<_>>());
            assert!(fake.asked().len() > 10, "{}", fake.asked().len());
        }
    }

    #[tokio::test]
    async fn a_short_time_is_one_question_and_a_long_one_few() {
        let fake = prometheus(false).await;
        read(&fake, Size::mebibytes(64), NOW - 400_000).await.unwrap();
        assert_eq!(fake.asked().len(), 1);
        read(&fake, Size::mebibytes(64), NOW - 6 * 3_600_000).await.unwrap();
        assert_eq!(fake.asked().len(), 1 + 3);
    }

    #[tokio::test]
    async fn what_prometheus_does_not_load_at_once_is_asked_in_less() {
        let fake = Fake::start(|request| {
            let (range, _) = window(request);
            let (status, json) = if range > 300_000 {
                let why = "query processing would load too many samples into memory in query execution";
                (
                    "422 Unprocessable Entity",
                    format!(r#"{{"status":"error","errorType":"execution","error":"{why}"}}"#),
                )
            } else {
                ("200 OK", r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.to_owned())
            };
            Some(answer(status, "application/json", json.as_bytes()))
        })
        .await;
        read(&fake, Size::mebibytes(64), NOW - 550_000).await.unwrap();
        let ranges: Vec<_> = fake.asked().iter().map(|request| window(request).0).collect();
        assert_eq!(ranges, [551_000, 275_500, 275_500]);
    }

    #[tokio::test]
    async fn what_does_not_fit_an_answer_however_short_is_a_failure() {
        let fake = prometheus(false).await;
        let failure = read(&fake, Size(50), NOW - 3_600_000).await.unwrap_err();
        assert!(failure.to_string().ends_with("the answer has more than 50 bytes"), "{failure}");
    }
}
