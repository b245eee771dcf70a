//! Numbers, durations and texts as people read them: the one way in which all that this program says writes them.
//!
//! What a program reads back (flags, drill files, PromQL) is written by [`quantity`](crate::quantity).

use std::fmt;
use std::time::Duration;

/// A number to four significant digits, whole ones as they are.
#[must_use]
pub fn number(number: f64) -> String {
    if !number.is_finite() || (number.fract() == 0.0 && number.abs() < 1e15) {
        return number.to_string();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the magnitude of a float is small")]
    let digits = (3 - number.abs().log10().floor() as i32).clamp(0, 12);
    let text = format!("{number:.*}", usize::try_from(digits).unwrap_or(0));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share as percent: to one digit after the point, or as many as it takes to tell some from none and nearly all from
/// all.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let misleads = |text: &String| {
        let number: f64 = text.parse().unwrap_or(percent);
        (number == 0.0 && percent > 0.0) || (number >= 100.0 && percent < 100.0)
    };
    let mut texts = (1..=6).map(|digits| format!("{percent:.digits$}"));
    format!("{} %", texts.find(|text| !misleads(text)).unwrap_or_else(|| percent.to_string()))
}

/// A length of time: `35 s`, `1 min 20 s`, `250 ms`, `7.943 s`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    seconds(duration.as_secs_f64())
}

/// A length of time in seconds, as [`duration`] writes it.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    let text = match seconds.abs() {
        0.0 => "0 s".to_owned(),
        size if size < 1.0 => format!("{} ms", number(size * 1_000.0)),
        size if size < 60.0 => format!("{} s", number(size)),
        size => parts(size),
    };
    if seconds < 0.0 { format!("-{text}") } else { text }
}

/// A minute or more, as hours, minutes and seconds, those left out of which there are none.
fn parts(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float's range saturates")]
    let whole = seconds.round() as u64;
    let parts = [(whole / 3_600, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

/// So many of something, in the singular or the plural.
pub fn count<N: fmt::Display + PartialEq + From<u8>>(count: N, one: &str, more: &str) -> String {
    format!("{count} {}", if count == N::from(1) { one } else { more })
}

/// The first characters of a text that may be long, with `…` where it goes on.
#[must_use]
pub fn truncated(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_is_not_none_and_nearly_all_is_not_all() {
        for (share, text) in [
            (0.0, "0.0 %"),
            (0.502, "50.2 %"),
            (1.0 / 3_600.0, "0.03 %"),
            (0.9999, "99.99 %"),
            (1.0, "100.0 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn a_duration_is_written_in_the_units_that_people_use() {
        for (time, text) in [
            (0.0, "0 s"),
            (0.0004, "0.4 ms"),
            (0.11845, "118.5 ms"),
            (7.9432, "7.943 s"),
            (35.0, "35 s"),
            (80.0, "1 min 20 s"),
            (3_600.0, "1 h"),
            (3_650.0, "1 h 50 s"),
            (-1.5, "-1.5 s"),
        ] {
            assert_eq!(seconds(time), text);
        }
    }

    #[test]
    fn numbers_have_four_digits_and_whole_ones_all() {
        for (of, text) in [
            (0.50166, "0.5017"),
            (3600.0, "3600"),
            (12_345.6, "12346"),
            (0.000_123_456, "0.0001235"),
            (-2.5, "-2.5"),
            (0.0, "0"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(of), text);
        }
    }

    #[test]
    fn a_long_text_says_that_it_goes_on() {
        assert_eq!(truncated("grün", 3), "grü…");
        assert_eq!(truncated("grün", 4), "grün");
    }
}
