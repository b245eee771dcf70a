//! Quantities as people write them: `250ms`, `1.5s`, `64MiB`, `0.05`, `20/s`.
//!
//! Each reads text exactly or says what it takes instead; nothing is guessed, rounded to
//! a bound or defaulted.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const DURATION: &str = "a duration such as 250ms, 1.5s or 2m (units: ns, us, ms, s, m, h)";
const SIZE: &str = "a size such as 512, 64KiB or 1.5MB (units: B, KB, MB, GB, KiB, MiB, GiB)";
const SHARE: &str = "a share from 0 to 1, such as 0.05";
const RATE: &str = "a rate such as 20/s, 90/m or 0.5/s";

/// The regular expression of a duration. Which of them is too long or too fine it does not say.
pub const DURATION_PATTERN: &str = r"(0|[0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))";

/// The regular expression of a size, likewise.
pub const SIZE_PATTERN: &str = r"[0-9]+(\.[0-9]+)?(B|KB|MB|GB|KiB|MiB|GiB)?";

/// Text that is not the quantity it should be. Displays as what would have been right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct Malformed(&'static str);

/// Reads a duration: a decimal number and a unit, e.g. `250ms` or `1.5s`; a bare `0` is zero.
///
/// Exact to the nanosecond; anything finer is an error.
pub fn parse_duration(text: &str) -> Result<Duration, Malformed> {
    const UNITS: [(&str, u64); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    scaled(text, &UNITS).map(Duration::from_nanos).ok_or(Malformed(DURATION))
}

/// Writes a duration the way [`parse_duration`] reads it, to three decimals of its unit: `250ms`,
/// `1.5s`, `2h`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let (unit, per) = match nanos {
        0 => return "0s".to_owned(),
        n if n < 1_000 => ("ns", 1),
        n if n < 1_000_000 => ("us", 1_000),
        n if n < 1_000_000_000 => ("ms", 1_000_000),
        n if n % 3_600_000_000_000 == 0 => ("h", 3_600_000_000_000),
        _ => ("s", 1_000_000_000),
    };
    let (whole, rest) = (nanos / per, nanos % per);
    let thousandths = rest * 1_000 / per;
    if thousandths == 0 {
        return format!("{whole}{unit}");
    }
    let decimals = format!("{thousandths:03}");
    format!("{whole}.{}{unit}", decimals.trim_end_matches('0'))
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size(pub u64);

impl Size {
    /// `n` times 1,024 × 1,024 bytes.
    #[must_use]
    pub const fn mebibytes(n: u64) -> Self {
        Self(n << 20)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const UNITS: [(&str, u64); 8] = [
            ("", 1),
            ("B", 1),
            ("KB", 1_000),
            ("MB", 1_000_000),
            ("GB", 1_000_000_000),
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
        ];
        scaled(text, &UNITS).map(Size).ok_or(Malformed(SIZE))
    }
}

impl fmt::Display for Size {
    /// The largest binary unit that divides it: `64MiB`, `1KiB`, `1000B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shift, unit) = match self.0.trailing_zeros() {
            _ if self.0 == 0 => (0, "B"),
            30.. => (30, "GiB"),
            20.. => (20, "MiB"),
            10.. => (10, "KiB"),
            _ => (0, "B"),
        };
        write!(f, "{}{unit}", self.0 >> shift)
    }
}

/// A share of a whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// Nothing of it.
    pub const NONE: Self = Self(0.0);

    /// The share as a number from 0 to 1.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match number(text) {
            Some(share) if (0.0..=1.0).contains(&share) => Ok(Share(share)),
            _ => Err(Malformed(SHARE)),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How often something happens, kept as its period exactly as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    count: f64,
    per: Duration,
}

impl Rate {
    /// Events a second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        self.count / self.per.as_secs_f64()
    }
}

impl FromStr for Rate {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (count, unit) = text.split_once('/').ok_or(Malformed(RATE))?;
        let per = match unit {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3_600),
            _ => return Err(Malformed(RATE)),
        };
        match number(count) {
            Some(count) if count > 0.0 && count.is_finite() => Ok(Rate { count, per }),
            _ => Err(Malformed(RATE)),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            1 => "s",
            60 => "m",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

/// A plain decimal number: no sign, no exponent, no `inf` or `nan`, which `f64` would read.
fn number(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { text.parse().ok() } else { None }
}

/// `text` as a decimal number followed by one of `units`, in whole base units; exact, or nothing.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let scale = units.iter().find(|(name, _)| *name == unit)?.1;
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (digits, ""),
    };
    if whole.is_empty() {
        return None;
    }
    let tenths = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled = format!("{whole}{fraction}").parse::<u128>().ok()?.checked_mul(u128::from(scale))?;
    if scaled % tenths != 0 {
        return None;
    }
    u64::try_from(scaled / tenths).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let read = |text| parse_duration(text).unwrap();
        assert_eq!(read("250ms"), Duration::from_millis(250));
        assert_eq!(read("1.5s"), Duration::from_millis(1_500));
        assert_eq!(read("0.25us"), Duration::from_nanos(250));
        assert_eq!(read("2m"), Duration::from_secs(120));
        assert_eq!(read("0"), Duration::ZERO);
    }

    #[test]
    fn a_duration_that_is_not_one_is_refused() {
        for text in [
            "",
            "5",
            "ms",
            "-1s",
            "1 s",
            "1.s",
            ".5s",
            "1.2.3s",
            "1e3s",
            "0.1ns",
            "NaNs",
            "5 S",
            "99999999999h",
            "1s1s",
        ] {
            assert!(parse_duration(text).is_err(), "{text:?} was read as a duration");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["0s", "250ms", "1.5s", "90s", "2h", "20us", "7ns", "1.234ms"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn sizes_are_read_in_decimal_and_binary_units() {
        let read = |text: &str| text.parse::<Size>().map(Size::bytes);
        assert_eq!(read("512"), Ok(512));
        assert_eq!(read("64KiB"), Ok(65_536));
        assert_eq!(read("1.5MB"), Ok(1_500_000));
        assert_eq!(read("0.5KiB"), Ok(512));
        for text in ["", "KB", "-1", "0.5B", "1kb", "1 MB", "20000000000GiB"] {
            assert!(read(text).is_err(), "{text:?} was read as a size");
        }
        assert_eq!(Size::mebibytes(64).to_string(), "64MiB");
        assert_eq!(Size(1_000).to_string(), "1000B");
        assert_eq!(Size(0).to_string(), "0B");
    }

    #[test]
    fn shares_lie_between_none_and_all() {
        assert_eq!("0.05".parse::<Share>().unwrap().get(), 0.05);
        for text in ["", "1.01", "-0.1", "5%", "nan", "inf", "."] {
            assert!(text.parse::<Share>().is_err(), "{text:?} was read as a share");
        }
    }

    #[test]
    fn rates_have_a_unit_and_are_more_than_nothing() {
        assert_eq!("90/m".parse::<Rate>().unwrap().per_second(), 1.5);
        assert_eq!("0.5/s".parse::<Rate>().unwrap().to_string(), "0.5/s");
        for text in ["", "5", "0/s", "5/d", "-1/s", "5/"] {
            assert!(text.parse::<Rate>().is_err(), "{text:?} was read as a rate");
        }
    }
}
