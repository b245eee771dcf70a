//! Values of flags: read as people write them, refused outside their bounds.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use clap::builder::{RangedI64ValueParser, StringValueParser, TypedValueParser};

use firedrill_contract::Size;
use firedrill_contract::quantity::{Malformed, format_duration, parse_duration};

/// A duration from `least` to `most`.
fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let duration = parse_duration(text).map_err(|error| error.to_string())?;
    if (least..=most).contains(&duration) {
        Ok(duration)
    } else {
        Err(format!("expected a duration from {} to {}", format_duration(least), format_duration(most)))
    }
}

/// How long to wait for something: 1 ms to an hour.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_millis(1), Duration::from_secs(3_600))
}

/// How long to let things end: 0 to an hour.
pub(super) fn grace(text: &str) -> Result<Duration, String> {
    duration(text, Duration::ZERO, Duration::from_secs(3_600))
}

/// How long to go on: 1 ms to 30 days.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_millis(1), Duration::from_secs(30 * 86_400))
}

/// A number that is not none.
pub(super) fn some() -> RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..)
}

/// A size from `least` to `most`.
pub(super) fn size(least: Size, most: Size) -> impl TypedValueParser<Value = Size> {
    StringValueParser::new().try_map(move |text| {
        let size: Size = text.parse().map_err(|error: Malformed| error.to_string())?;
        let bounds = least..=most;
        if bounds.contains(&size) { Ok(size) } else { Err(format!("expected a size from {least} to {most}")) }
    })
}

/// A random seed, short enough to type again and exact in JSON.
pub(super) fn random_seed() -> u64 {
    RandomState::new().hash_one(()) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_outside_its_bounds_is_refused_with_the_bounds() {
        assert_eq!(wait("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(wait("0"), Err("expected a duration from 1ms to 1h".to_owned()));
        assert_eq!(grace("0"), Ok(Duration::ZERO));
        assert!(span("31h").is_ok() && span("9999h").is_err() && span("soon").is_err());
    }
}
