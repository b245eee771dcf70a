//! Distributions of latency, drawn by inversion so that one uniform number gives one latency.
//!
//! A draw is the quantile function at a uniform number between [`LOWEST`] and [`HIGHEST`]:
//! the rarest one in ten thousand at each end is never drawn. So every distribution has a
//! longest latency, a request's cap can be checked before anything is drawn, and no draw is
//! ever cut or repeated. `libm` makes the result the same on every platform.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::quantity::{DURATION_PATTERN, Malformed, format_duration, parse_duration};

/// The smallest uniform number that a latency is drawn from.
pub const LOWEST: f64 = 0.0001;
/// The largest uniform number that a latency is drawn from.
pub const HIGHEST: f64 = 1.0 - LOWEST;

/// How long requests take: a constant or a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Latency {
    /// Always the same: `40ms`.
    Constant(Duration),
    /// Anything between two durations, equally likely: `uniform(10ms,50ms)`.
    Uniform(Duration, Duration),
    /// `normal(mean,deviation)`; the mean is at least four deviations, so that nothing is negative.
    Normal(Duration, Duration),
    /// `exponential(mean)`: the time between independent events.
    Exponential(Duration),
    /// The log-normal distribution through two quantiles, `p50=40ms,p99=900ms`: a body and a long tail,
    /// as the latencies of real services have.
    LogNormal(Quantile, Quantile),
}

/// A point of a distribution: `percent` of all draws are at most `value`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    percent: f64,
    value: Duration,
}

impl Quantile {
    /// How many standard deviations of the logarithm lie between this point and the median.
    fn deviations(self) -> f64 {
        probit(self.percent / 100.0)
    }
}

/// What is wrong with a latency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LatencyError {
    /// No form of latency looks like this.
    #[error(
        "a duration such as 40ms, uniform(10ms,50ms), normal(40ms,10ms), exponential(40ms), or two quantiles such as p50=40ms,p99=900ms"
    )]
    Form,
    /// A form that is known, with a part that is not a duration.
    #[error("{0} in each place")]
    Part(String),
    /// The bounds of `uniform` are in the wrong order.
    #[error("uniform(low,high) with low not above high")]
    Order,
    /// A normal distribution that would be negative too often.
    #[error("normal(mean,deviation) with a mean of at least 4 deviations, so that no latency is negative")]
    Negative,
    /// Quantiles that no log-normal distribution passes through.
    #[error(
        "two quantiles between p0.1 and p99.9, each above 0, the larger quantile with the larger duration, such as p50=40ms,p99=900ms"
    )]
    Quantiles,
}

impl Latency {
    /// The latency that this `share` (0 to 1) of all draws does not exceed.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let seconds = match *self {
            Self::Constant(always) => return always,
            Self::Uniform(low, high) => low.as_secs_f64() + share * (high.as_secs_f64() - low.as_secs_f64()),
            Self::Normal(mean, deviation) => mean.as_secs_f64() + deviation.as_secs_f64() * probit(share),
            Self::Exponential(mean) => -mean.as_secs_f64() * libm::log1p(-share),
            Self::LogNormal(a, b) => {
                let (low, high) = (libm::log(a.value.as_secs_f64()), libm::log(b.value.as_secs_f64()));
                let (from, to) = (a.deviations(), b.deviations());
                libm::exp(low + (high - low) * (probit(share) - from) / (to - from))
            }
        };
        // Whole microseconds: far below what a timer keeps, far above what arithmetic differs by.
        Duration::try_from_secs_f64(libm::round(seconds * 1e6) / 1e6).unwrap_or(Duration::MAX)
    }

    /// The longest latency that can be drawn.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.quantile(HIGHEST)
    }

    /// The latency at a uniform number from 0 to 1.
    #[must_use]
    pub fn at(&self, uniform: f64) -> Duration {
        self.quantile(LOWEST + uniform * (HIGHEST - LOWEST))
    }
}

impl FromStr for Latency {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, LatencyError> {
        if text.starts_with('p') {
            return log_normal(text);
        }
        let Some((form, rest)) = text.split_once('(') else {
            return duration(text).map(Self::Constant).map_err(|_| LatencyError::Form);
        };
        let arguments = rest.strip_suffix(')').ok_or(LatencyError::Form)?;
        match (form, arguments.split_once(',')) {
            ("uniform", Some((low, high))) => match (duration(low)?, duration(high)?) {
                (low, high) if low <= high => Ok(Self::Uniform(low, high)),
                _ => Err(LatencyError::Order),
            },
            ("normal", Some((mean, deviation))) => match (duration(mean)?, duration(deviation)?) {
                (mean, deviation) if mean >= deviation.saturating_mul(4) => Ok(Self::Normal(mean, deviation)),
                _ => Err(LatencyError::Negative),
            },
            ("exponential", None) => duration(arguments).map(Self::Exponential),
            _ => Err(LatencyError::Form),
        }
    }
}

/// The regular expression of a latency. Which numbers do not go together it does not say.
#[must_use]
pub fn pattern() -> String {
    let duration = DURATION_PATTERN;
    let two = format!("(uniform|normal)\\({duration}, ?{duration}\\)");
    let quantile = format!(r"p[0-9]+(\.[0-9]+)?={duration}");
    format!(r"({duration}|{two}|exponential\({duration}\)|{quantile}, ?{quantile})")
}

fn duration(text: &str) -> Result<Duration, LatencyError> {
    parse_duration(text.trim()).map_err(|malformed: Malformed| {
        LatencyError::Part(malformed.to_string().trim_start_matches("expected ").to_owned())
    })
}

fn log_normal(text: &str) -> Result<Latency, LatencyError> {
    let quantile = |part: &str| -> Result<Quantile, LatencyError> {
        let (percent, value) = part.trim().split_once('=').ok_or(LatencyError::Form)?;
        let percent: f64 = percent
            .strip_prefix('p')
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
            .and_then(|digits| digits.parse().ok())
            .ok_or(LatencyError::Form)?;
        Ok(Quantile { percent, value: duration(value)? })
    };
    let (first, second) = text.split_once(',').ok_or(LatencyError::Form)?;
    let (a, b) = (quantile(first)?, quantile(second)?);
    let within = |q: Quantile| (0.1..=99.9).contains(&q.percent) && q.value > Duration::ZERO;
    if within(a) && within(b) && a.percent < b.percent && a.value < b.value {
        Ok(Latency::LogNormal(a, b))
    } else {
        Err(LatencyError::Quantiles)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_duration;
        match *self {
            Self::Constant(always) => write!(f, "{}", text(always)),
            Self::Uniform(low, high) => write!(f, "uniform({},{})", text(low), text(high)),
            Self::Normal(mean, deviation) => {
                write!(f, "normal({},{})", text(mean), text(deviation))
            }
            Self::Exponential(mean) => write!(f, "exponential({})", text(mean)),
            Self::LogNormal(a, b) => {
                write!(f, "p{}={},p{}={}", a.percent, text(a.value), b.percent, text(b.value))
            }
        }
    }
}

/// The quantile function of the standard normal distribution, for `p` strictly between 0 and 1.
///
/// M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution",
/// Applied Statistics 37 (1988), routine PPND16: about 16 digits.
fn probit(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    let ratio = |top: &[f64; 8], bottom: &[f64; 8], r: f64| {
        let horner = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, &coefficient| sum * r + coefficient);
        horner(top) / horner(bottom)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&A, &B, 0.180_625 - q * q);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let z = if r <= 5.0 { ratio(&C, &D, r - 1.6) } else { ratio(&E, &F, r - 5.0) };
    if q < 0.0 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Latency {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn the_normal_quantile_inverts_the_normal_distribution() {
        // Φ(z) = erfc(-z/√2)/2, from an independent implementation.
        for i in 1..10_000 {
            let p = f64::from(i) / 10_000.0;
            let back = 0.5 * libm::erfc(-probit(p) / std::f64::consts::SQRT_2);
            assert!((back - p).abs() < 1e-14, "probit({p}) gives back {back}");
        }
        assert!((probit(1e-12) + 7.034_483_825_301_131).abs() < 1e-9, "{}", probit(1e-12));
    }

    #[test]
    fn a_log_normal_latency_passes_through_its_quantiles() {
        let latency = read("p50=40ms,p99=900ms");
        assert_eq!(latency.quantile(0.50), Duration::from_millis(40));
        assert_eq!(latency.quantile(0.99), Duration::from_millis(900));
        let latency = read("p90=100ms,p99.9=3s");
        assert_eq!(latency.quantile(0.90), Duration::from_millis(100));
        assert_eq!(latency.quantile(0.999), Duration::from_secs(3));
    }

    #[test]
    fn every_draw_lies_between_the_rarest_ends() {
        for text in
            ["40ms", "uniform(10ms,50ms)", "normal(40ms,10ms)", "exponential(40ms)", "p50=40ms,p99=900ms"]
        {
            let latency = read(text);
            assert_eq!(latency.at(1.0), latency.longest(), "{text}");
            assert!(latency.at(0.0) <= latency.at(0.5) && latency.at(0.5) <= latency.longest(), "{text}");
        }
        assert_eq!(read("exponential(1s)").quantile(0.5), Duration::from_micros(693_147));
        assert_eq!(read("normal(40ms,10ms)").quantile(0.5), Duration::from_millis(40));
        assert_eq!(read("uniform(10ms,50ms)").quantile(0.25), Duration::from_millis(20));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_with_what_would_be_right() {
        let refused = |text: &str| text.parse::<Latency>().expect_err(text).to_string();
        assert!(refused("soon").contains("uniform(10ms,50ms)"));
        assert!(refused("uniform(50ms,10ms)").contains("low not above high"));
        assert!(refused("normal(10ms,9ms)").contains("no latency is negative"));
        assert!(refused("uniform(10,50ms)").contains("a duration such as"));
        for text in
            ["p50=40ms,p99=40ms", "p99=40ms,p50=900ms", "p0=1ms,p99=2ms", "p50=0,p99=1s", "p50=1ms,p100=2ms"]
        {
            assert!(refused(text).contains("two quantiles"), "{text}");
        }
        for text in [
            "",
            "p50=40ms",
            "pareto(1s)",
            "uniform(1s)",
            "exponential(1s,2s)",
            "uniform(1ms,2ms",
            "p50=1ms,p90=2ms,p99=3ms",
        ] {
            assert!(text.parse::<Latency>().is_err(), "{text:?} was read");
        }
    }

    #[test]
    fn latencies_are_written_as_they_are_read() {
        for text in
            ["40ms", "uniform(10ms,50ms)", "normal(40ms,10ms)", "exponential(1.5s)", "p50=40ms,p99.9=900ms"]
        {
            assert_eq!(read(text).to_string(), text);
        }
    }
}
