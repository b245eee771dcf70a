//! When each request is due.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use firedrill_contract::Rate;

/// An open-loop schedule: when a request is due depends on its number, and on the seed where there is
/// chance in it, but never on an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrivals {
    curve: Curve,
    span: Option<Duration>,
}

/// How the rate goes over the span.
#[derive(Debug, Clone, PartialEq)]
enum Curve {
    Constant(Rate),
    /// In requests a second, at the start and at the end; how many seconds lie between.
    Ramp {
        from: f64,
        to: f64,
        seconds: f64,
    },
    Steps(Vec<Step>),
    Poisson {
        mean: Rate,
        seed: u64,
        stream: u64,
    },
}

/// A stretch of one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    per_second: f64,
    /// Its start, in seconds.
    begins: f64,
    /// How many requests fall due before it, a fraction being the next one's share of the way there.
    before: f64,
    /// How many fall due before its end.
    upto: f64,
}

impl Arrivals {
    /// The rates that can be asked for, in requests a second: 1/h to 100000/s.
    pub const RATES: RangeInclusive<f64> = 1.0 / 3_600.0..=100_000.0;

    /// Whether requests can be sent at this rate; where not, what would be right.
    ///
    /// # Errors
    /// Outside [`Arrivals::RATES`].
    pub fn check_rate(rate: Rate) -> Result<Rate, &'static str> {
        if Self::RATES.contains(&rate.per_second()) {
            Ok(rate)
        } else {
            Err("expected a rate from 1/h to 100000/s")
        }
    }

    /// The same rate all the time, until the span is over, or for ever.
    #[must_use]
    pub const fn constant(rate: Rate, span: Option<Duration>) -> Self {
        Self { curve: Curve::Constant(rate), span }
    }

    /// From one rate to another over the span, changing evenly.
    #[must_use]
    pub fn ramp(from: Rate, to: Rate, span: Duration) -> Self {
        let (from, to) = (from.per_second(), to.per_second());
        Self { curve: Curve::Ramp { from, to, seconds: span.as_secs_f64() }, span: Some(span) }
    }

    /// One rate after the other, each for an equal share of the span.
    #[must_use]
    pub fn steps(rates: &[Rate], span: Duration) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody writes so many steps")]
        let each = span.as_secs_f64() / rates.len() as f64;
        let (mut begins, mut before) = (0.0, 0.0);
        let step = |rate: &Rate| {
            let per_second = rate.per_second();
            let step =
                Step { per_second, begins, before, upto: round_if_nearly_whole(before + per_second * each) };
            (begins, before) = (begins + each, step.upto);
            step
        };
        Self { curve: Curve::Steps(rates.iter().map(step).collect()), span: Some(span) }
    }

    /// As many independent clients send (a Poisson process): the gaps between requests are exponential,
    /// drawn from the seed, and different ones on each stream.
    #[must_use]
    pub const fn poisson(mean: Rate, span: Duration, seed: u64, stream: u64) -> Self {
        Self { curve: Curve::Poisson { mean, seed, stream }, span: Some(span) }
    }

    /// How long requests keep falling due; nothing when they do so for ever.
    #[must_use]
    pub const fn span(&self) -> Option<Duration> {
        self.span
    }

    /// How long after the start each request is due, in their order.
    ///
    /// All but Poisson's are computed from the request's number each time and not from the request
    /// before, so that nothing adds up; exact to the nanosecond for the first hundred days. The span
    /// takes its start in and leaves its end out, so that spans can follow one another.
    pub fn due(&self) -> Box<dyn Iterator<Item = Duration> + Send + '_> {
        match &self.curve {
            Curve::Constant(rate) => {
                let per_second = rate.per_second();
                let due = move |k| Duration::try_from_secs_f64(exact(k) / per_second).ok();
                Box::new((0..).map_while(due).take_while(|due| self.holds(*due)))
            }
            Curve::Ramp { from, to, seconds } => {
                let (from, slope) = (*from, (to - from) / seconds);
                // The k-th request is due when the area under the rate is k.
                let due = move |k| {
                    let root = (from * from + 2.0 * slope * exact(k)).max(0.0).sqrt();
                    Duration::from_secs_f64(2.0 * exact(k) / (from + root))
                };
                Box::new(before((from + to) / 2.0 * seconds).map(due))
            }
            Curve::Steps(steps) => Box::new(steps.iter().flat_map(|step| {
                let due = |k| step.begins + (exact(k) - step.before) / step.per_second;
                (from(step.before)..from(step.upto)).map(move |k| Duration::from_secs_f64(due(k)))
            })),
            Curve::Poisson { mean, seed, stream } => {
                Box::new(Gaps::new(*mean, *seed, *stream).take_while(|due| self.holds(*due)))
            }
        }
    }

    fn holds(&self, due: Duration) -> bool {
        self.span.is_none_or(|span| due < span)
    }
}

/// The numbers of the requests that fall due where so many do, the last one perhaps in part.
fn before(total: f64) -> std::ops::Range<u64> {
    0..from(round_if_nearly_whole(total))
}

/// The number of the first request that falls due when so many have.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no less than 0, far below 2^63")]
fn from(total: f64) -> u64 {
    total.ceil() as u64
}

/// A number of requests that is whole but for rounding, made whole.
fn round_if_nearly_whole(total: f64) -> f64 {
    let whole = total.round();
    if (total - whole).abs() <= 1e-9_f64.max(total * 1e-15) { whole } else { total }
}

#[expect(clippy::cast_precision_loss, reason = "exact below 2^53 requests")]
const fn exact(k: u64) -> f64 {
    k as f64
}

/// Exponential gaps, added up to when each request is due.
struct Gaps {
    random: ChaCha8Rng,
    per_second: f64,
    /// In whole nanoseconds, which add up without loss.
    due: Duration,
}

impl Gaps {
    fn new(mean: Rate, seed: u64, stream: u64) -> Self {
        let mut random = seeded(seed, *b"arrivals");
        random.set_stream(stream);
        Self { random, per_second: mean.per_second(), due: Duration::ZERO }
    }
}

impl Iterator for Gaps {
    type Item = Duration;

    /// By inversion, with functions that are the same on every platform.
    fn next(&mut self) -> Option<Duration> {
        let uniform = exact(self.random.next_u64() >> 11) / exact(1 << 53);
        let gap = -libm::log1p(-uniform) / self.per_second;
        self.due = self.due.checked_add(Duration::try_from_secs_f64(gap).ok()?)?;
        Some(self.due)
    }
}

/// Chance for one purpose of the drill, the same for a seed on every platform and in every release
/// (ChaCha8, as [`Work::draw`](firedrill_contract::Work::draw) has it, under another key).
pub(super) fn seeded(seed: u64, purpose: [u8; 8]) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&purpose);
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn count(rate: &str, span: Duration) -> usize {
        Arrivals::constant(rate.parse().unwrap(), Some(span)).due().count()
    }

    fn millis(arrivals: &Arrivals) -> Vec<u128> {
        arrivals.due().map(|due| due.as_millis()).collect()
    }

    #[test]
    fn requests_are_due_evenly_from_the_start() {
        let arrivals = Arrivals::constant(rate("4/s"), None);
        let due: Vec<_> = arrivals.due().take(4).map(|due| due.as_millis()).collect();
        assert_eq!(due, [0, 250, 500, 750]);
    }

    #[test]
    fn a_span_holds_exactly_its_rate_times_its_length() {
        assert_eq!(count("20/s", seconds(30)), 600);
        assert_eq!(count("90/m", seconds(60)), 90);
        // None of these periods is a whole number of nanoseconds, or exact in binary.
        for tenths in 1..100_u32 {
            let rate = format!("{}.{}/s", tenths / 10, tenths % 10);
            assert_eq!(count(&rate, seconds(10)), tenths as usize, "{rate}");
        }
        for rate in [3_u32, 7, 11, 13, 49, 97, 999] {
            assert_eq!(count(&format!("{rate}/s"), seconds(7)), rate as usize * 7, "{rate}/s");
        }
    }

    #[test]
    fn errors_do_not_add_up() {
        let arrivals = Arrivals::constant(rate("3/s"), None);
        let last = arrivals.due().nth(3 * 86_400 * 10).unwrap();
        assert_eq!(last, seconds(86_400 * 10));
    }

    #[test]
    fn a_ramp_holds_the_mean_of_its_rates_times_its_length() {
        for (from, to, span, requests) in [
            ("5/s", "50/s", 10, 275),
            ("50/s", "5/s", 10, 275),
            ("20/s", "20/s", 30, 600),
            ("0.1/s", "1.1/s", 10, 6),
            ("100/s", "1/h", 4, 201),
            ("1/h", "100/s", 4, 201),
            ("1.7/s", "8.3/s", 7, 35),
        ] {
            let arrivals = Arrivals::ramp(rate(from), rate(to), seconds(span));
            assert_eq!(arrivals.due().count(), requests, "{from} to {to}");
            assert!(arrivals.due().is_sorted(), "{from} to {to}");
            assert!(arrivals.due().last().unwrap() < seconds(span), "{from} to {to}");
        }
    }

    #[test]
    fn a_ramp_has_every_rate_between_its_ends() {
        let due: Vec<_> = Arrivals::ramp(rate("5/s"), rate("50/s"), seconds(10)).due().collect();
        let between = |from, to| due.iter().filter(|due| (seconds(from)..seconds(to)).contains(due)).count();
        // The area under the rate: 5 t + 2.25 t².
        assert_eq!([between(0, 1), between(0, 2), between(4, 5), between(9, 10)], [8, 19, 26, 47]);
    }

    #[test]
    fn steps_take_equal_shares_of_the_span() {
        let arrivals = Arrivals::steps(&[rate("2/s"), rate("4/s"), rate("1/s")], seconds(3));
        assert_eq!(millis(&arrivals), [0, 500, 1_000, 1_250, 1_500, 1_750, 2_000]);
        let thirds = Arrivals::steps(&[rate("3/s"), rate("30/s"), rate("300/s")], seconds(10));
        assert_eq!(thirds.due().count(), 1_110);
    }

    #[test]
    fn what_a_step_begins_the_next_one_goes_on_with() {
        let arrivals = Arrivals::steps(&[rate("1/s"), rate("10/s")], seconds(3));
        // Half of the third request's way is behind it when the rate changes.
        assert_eq!(millis(&arrivals)[..4], [0, 1_000, 1_550, 1_650]);
        assert_eq!(arrivals.due().count(), 17);
    }

    #[test]
    fn poisson_arrivals_are_the_same_for_a_seed_and_others_for_another() {
        let due = |seed, stream| millis(&Arrivals::poisson(rate("10/s"), seconds(1), seed, stream));
        // Written down once; a change here breaks everybody's recorded runs.
        assert_eq!(due(7, 0)[..4], [110, 118, 280, 462]);
        assert_ne!(due(7, 0), due(8, 0));
        assert_ne!(due(7, 0), due(7, 1));
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let due: Vec<_> = Arrivals::poisson(rate("100/s"), seconds(1_000), 7, 0).due().collect();
        // Within five standard deviations of 100,000.
        assert!((98_400..101_600).contains(&due.len()), "{}", due.len());
        let gaps: Vec<_> = due.windows(2).map(|two| (two[1] - two[0]).as_secs_f64()).collect();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let share = |longer: f64| gaps.iter().filter(|gap| **gap > longer).count() as f64 / gaps.len() as f64;
        for (longer, truth) in [(0.01, 0.367_9), (0.02, 0.135_3), (0.05, 0.006_7)] {
            assert!((share(longer) - truth).abs() < 0.005, "{} are longer than {longer} s", share(longer));
        }
        assert!(due.iter().all(|due| *due < seconds(1_000)));
    }

    #[test]
    fn a_request_that_is_due_after_the_end_of_time_is_never_due() {
        let arrivals = Arrivals::constant(rate("0.000000000000000001/h"), None);
        assert_eq!(arrivals.due().take(2).count(), 1);
    }

    #[test]
    fn rates_that_cannot_be_sent_are_refused() {
        assert!(Arrivals::check_rate(rate("1/h")).is_ok() && Arrivals::check_rate(rate("100000/s")).is_ok());
        assert!(
            Arrivals::check_rate(rate("0.5/h")).is_err() && Arrivals::check_rate(rate("100001/s")).is_err()
        );
    }
}
