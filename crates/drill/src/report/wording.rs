//! Numbers as people read them.

/// A share as percent, to one digit after the point, or as many as it takes to tell some from none and nearly all from all.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let mut shown = (1..=6).map(|digits| format!("{percent:.digits$}"));
    let misleads = |text: &String| {
        let number: f64 = text.parse().unwrap_or(percent);
        (number == 0.0 && percent > 0.0) || (number >= 100.0 && percent < 100.0)
    };
    let text = shown.find(|text| !misleads(text)).unwrap_or_else(|| percent.to_string());
    format!("{text} %")
}

/// A length of time in seconds: to a tenth, whole ones as they are, short ones in milliseconds.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds > 0.0 && seconds < 0.95 {
        return millis(seconds);
    }
    let text = format!("{seconds:.1}");
    format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
}

/// A latency: milliseconds to three digits, or as many as it takes; seconds above ten of them.
pub(super) fn millis(seconds: f64) -> String {
    let ms = seconds * 1e3;
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms if ms < 10_000.0 => format!("{ms:.0} ms"),
        _ => format!("{seconds:.1} s"),
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
    fn times_are_short() {
        for (time, text) in
            [(0.0, "0 s"), (0.0004, "0.40 ms"), (0.25, "250 ms"), (30.0, "30 s"), (7.94, "7.9 s")]
        {
            assert_eq!(seconds(time), text);
        }
        for (time, text) in [(0.0119, "11.9 ms"), (0.1184, "118 ms"), (2.5, "2500 ms"), (30.0, "30.0 s")] {
            assert_eq!(millis(time), text);
        }
    }
}
