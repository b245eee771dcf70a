//! When each request is due.

use std::time::Duration;

use crate::contract::Rate;

/// An open-loop schedule: when request `k` is due depends on `k` alone, never on an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrivals {
    rate: Rate,
    span: Option<Duration>,
}

impl Arrivals {
    /// The same rate all the time, until the span is over, or for ever.
    #[must_use]
    pub const fn constant(rate: Rate, span: Option<Duration>) -> Self {
        Self { rate, span }
    }

    /// How long after the start request `k` is due, the first one being 0; nothing once the span is
    /// over, which takes its begin in and leaves its end out, so that spans can follow one another.
    ///
    /// Computed from `k` each time and not from the request before, so that nothing adds up; exact to
    /// the nanosecond for the first hundred days.
    #[must_use]
    pub fn due(&self, k: u64) -> Option<Duration> {
        #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 requests")]
        let seconds = k as f64 / self.rate.per_second();
        let due = Duration::try_from_secs_f64(seconds).ok()?;
        if self.span.is_some_and(|span| due >= span) { None } else { Some(due) }
    }

    /// How long requests keep falling due; nothing when they do so for ever.
    #[must_use]
    pub const fn span(&self) -> Option<Duration> {
        self.span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(rate: &str, span: Duration) -> usize {
        let arrivals = Arrivals::constant(rate.parse().unwrap(), Some(span));
        (0..).map_while(|k| arrivals.due(k)).count()
    }

    #[test]
    fn requests_are_due_evenly_from_the_start() {
        let arrivals = Arrivals::constant("4/s".parse().unwrap(), None);
        let due: Vec<_> = (0..4).filter_map(|k| arrivals.due(k)).map(|due| due.as_millis()).collect();
        assert_eq!(due, [0, 250, 500, 750]);
    }

    #[test]
    fn a_span_holds_exactly_its_rate_times_its_length() {
        assert_eq!(count("20/s", Duration::from_secs(30)), 600);
        assert_eq!(count("90/m", Duration::from_secs(60)), 90);
        // None of these periods is a whole number of nanoseconds, or exact in binary.
        for tenths in 1..100_u32 {
            let rate = format!("{}.{}/s", tenths / 10, tenths % 10);
            assert_eq!(count(&rate, Duration::from_secs(10)), tenths as usize, "{rate}");
        }
        for rate in [3_u32, 7, 11, 13, 49, 97, 999] {
            assert_eq!(count(&format!("{rate}/s"), Duration::from_secs(7)), rate as usize * 7, "{rate}/s");
        }
    }

    #[test]
    fn errors_do_not_add_up() {
        let arrivals = Arrivals::constant("3/s".parse().unwrap(), None);
        assert_eq!(arrivals.due(3 * 86_400 * 100), Some(Duration::from_secs(86_400 * 100)));
    }

    #[test]
    fn a_request_that_is_due_after_the_end_of_time_is_never_due() {
        let arrivals = Arrivals::constant("0.001/h".parse().unwrap(), None);
        assert_eq!(arrivals.due(u64::MAX), None);
    }
}
