//! What holds of all quantities, latencies and requests, and not of examples alone.

use std::time::Duration;

use proptest::prelude::*;
use proptest::string::string_regex;

use firedrill_contract::latency::{self, LatencyError};
use firedrill_contract::parameter::PARAMETERS;
use firedrill_contract::quantity::{DURATION_PATTERN, SIZE_PATTERN, format_duration, parse_duration};
use firedrill_contract::{Latency, Rate, Share, Size};

use crate::{cases, work};

/// A duration as a whole number of one of its units, none too long for a thousand years.
fn durations() -> impl Strategy<Value = Duration> {
    let nanos = (0..=u64::MAX).prop_flat_map(|most| 0..=most);
    let millis = (0..100_000_000_u64).prop_map(Duration::from_millis);
    prop_oneof![nanos.prop_map(Duration::from_nanos), millis]
}

/// A latency as it may be asked for.
fn latencies() -> impl Strategy<Value = String> {
    let millis = || 0..100_000_u64;
    prop_oneof![
        millis().prop_map(|a| format!("{a}ms")),
        (millis(), millis()).prop_map(|(a, b)| format!("uniform({}ms,{}ms)", a.min(b), a.max(b))),
        (millis(), millis()).prop_map(|(a, b)| format!("normal({}ms,{b}ms)", a + 4 * b)),
        millis().prop_map(|a| format!("exponential({a}ms)")),
        (1..500_u64, 500..1_000_u64, 1..1_000_u64, 1_000..100_000_u64).prop_map(|(p, q, a, b)| format!(
            "p{}={a}ms,p{}={b}ms",
            p as f64 / 10.0,
            q as f64 / 10.0 - 0.05
        )),
    ]
}

/// The name of a parameter, or nearly one, and what it may be given.
fn pair() -> impl Strategy<Value = (String, String)> {
    let parameter = || prop::sample::select(PARAMETERS.to_vec());
    let name = prop_oneof![9 => parameter().prop_map(|p| p.name.to_owned()), 1 => "[a-z_]{0,9}"];
    let value = prop_oneof![
        parameter().prop_map(|p| p.example.to_owned()),
        latencies(),
        "[0-9]{1,6}(\\.[0-9]{1,4})?(ns|us|ms|s|m|h|B|KB|MiB|GiB|)",
        any::<u64>().prop_map(|n| n.to_string()),
        "[ -~]{0,20}",
        any::<String>(),
    ];
    (name, value)
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_duration_is_read_as_it_was_written_to_three_decimals(duration in durations()) {
        let written = format_duration(duration);
        let read = parse_duration(&written).map_err(|_| TestCaseError::fail(written.clone()))?;
        prop_assert!(read <= duration && duration - read <= duration / 1_000, "{written}");
        if duration.subsec_nanos() % 1_000_000 == 0 {
            prop_assert_eq!(read, duration);
        }
        prop_assert_eq!(format_duration(read), written);
    }

    #[test]
    fn a_size_is_read_as_it_was_written(bytes: u64, shift in 0..64_u32) {
        let size = Size(bytes << shift);
        prop_assert_eq!(size.to_string().parse(), Ok(size));
    }

    #[test]
    fn a_share_is_read_as_it_was_written_and_lies_between_none_and_all(text in "(0|1|)\\.?[0-9]{0,20}") {
        if let Ok(share) = text.parse::<Share>() {
            prop_assert!((0.0..=1.0).contains(&share.get()));
            prop_assert_eq!(share.to_string().parse(), Ok(share));
        }
    }

    #[test]
    fn a_rate_is_read_as_it_was_written(count in any::<f64>(), unit in "[smh]") {
        let text = format!("{count}/{unit}");
        if let Ok(rate) = text.parse::<Rate>() {
            prop_assert!(count > 0.0 && rate.per_second() > 0.0);
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }

    #[test]
    fn a_latency_is_read_as_it_was_written(text in latencies()) {
        if let Ok(latency) = text.parse::<Latency>() {
            prop_assert_eq!(latency.to_string().parse(), Ok(latency));
        }
    }

    #[test]
    fn what_is_drawn_lies_between_the_rarest_ends_and_in_order(text in latencies(), at in 0.0..=1.0, more in 0.0..=1.0) {
        if let Ok(latency) = text.parse::<Latency>() {
            let (low, high) = (f64::min(at, more), f64::max(at, more));
            prop_assert!(latency.at(0.0) <= latency.at(low));
            prop_assert!(latency.at(low) <= latency.at(high));
            prop_assert!(latency.at(high) <= latency.longest());
        }
    }

    #[test]
    fn what_the_published_patterns_allow_has_the_form_that_is_read(
        duration in string_regex(DURATION_PATTERN).unwrap(), size in string_regex(SIZE_PATTERN).unwrap(),
        latency in string_regex(&latency::pattern()).unwrap()
    ) {
        // A fraction of a nanosecond or a byte is no quantity, nor are ten million hours.
        let odd = |text: &str| {
            text.contains('.') || text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 6)
        };
        prop_assert!(odd(&duration) || parse_duration(&duration).is_ok(), "{duration}");
        prop_assert!(odd(&size) || size.parse::<Size>().is_ok(), "{size}");
        prop_assert!(odd(&latency) || latency.parse::<Latency>() != Err(LatencyError::Form), "{latency}");
    }

    #[test]
    fn a_request_is_taken_within_its_caps_or_refused_by_name(pairs in prop::collection::vec(pair(), 0..4), json: bool) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&pairs);
        let members: Vec<_> = pairs.iter().map(|(name, value)| format!("{name:?}:{value:?}")).collect();
        let input = if json { format!("\n{{{}}}", members.join(",")) } else { query.finish() };
        work(input.as_bytes());
    }
}
