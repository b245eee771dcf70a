//! The drill's clock and the service's own: what lies between a latency that a client measured and the one that
//! monitoring has of it. The rule and its reasons: docs/decisions/0010-two-clocks-and-the-path.md.

use std::time::Duration;

use super::verdict::Finding;
use crate::file::value::{Quantity, Tolerance};
use crate::phase_ledger::PhaseLedger;
use firedrill_contract::display;
use firedrill_load::ledger::Ledger;
use firedrill_load::timings::Timings;

/// A lag, or a spread of round trips, that no machine and no network does without, and that spoils nothing.
const UNAVOIDABLE: Duration = Duration::from_millis(2);

/// The share of requests that may have been delayed by more than what is seen of delays.
const RARE: f64 = 0.01;

/// How much of a client's latency may have passed outside of the service's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// None of it.
    Nothing,
    /// What the path was measured to add to every request.
    Path,
    /// All that cannot be ruled out.
    Anything,
}

/// How little has to lie between the clocks for what monitoring says to be right; nothing where it is wrong whatever does.
pub(crate) fn least_between(right: impl Fn(Between) -> bool) -> Option<Between> {
    [Between::Nothing, Between::Path, Between::Anything].into_iter().find(|between| right(*between))
}

/// Whose a number is that monitoring is held against: the truth, or only what the client saw of it.
pub(crate) const fn whose(between: Option<Between>) -> &'static str {
    match between {
        None | Some(Between::Nothing) => "truth",
        Some(Between::Path | Between::Anything) => "client",
    }
}

/// What monitoring's number comes to, if it is right where this lies between the clocks. `difference` is what the client
/// measured and monitoring does not have.
pub(crate) fn finding(between: Option<Between>, says: String, difference: &str, ledger: &Ledger) -> Finding {
    match between {
        Some(Between::Nothing) => Finding::pass(says),
        Some(Between::Path) => {
            Finding::pass(format!("{says}, the path accounts for {difference}")).with([path_in_words(ledger)])
        }
        Some(Between::Anything) => {
            let says = format!("{says}, but {difference} may have passed on the way");
            let advice = "send from nearer to the service or from a quieter machine, or ask for the histogram of what is nearest to the drill";
            Finding::inconclusive(says).with([path_in_words(ledger), advice.to_owned()])
        }
        None if floor(ledger) > UNAVOIDABLE => {
            Finding::fail(format!("{says}, more than the path explains")).with([path_in_words(ledger)])
        }
        None => Finding::fail(says),
    }
}

/// What is known of the path, and of what the drill itself may have added.
fn path_in_words(ledger: &Ledger) -> String {
    let time = |duration: Duration| display::seconds(duration.as_secs_f64());
    let (path, lag) = (ledger.path(), own_lag(ledger));
    let mut words = match (path.overhead(), fastest(ledger)) {
        (Some(overhead), _) => {
            format!("every answer took at least {} longer than was injected", time(overhead))
        }
        (None, Some(fastest)) => format!("the fastest answer took {}", time(fastest)),
        (None, None) => "no answer says how long the path is".to_owned(),
    };
    if let (Some(least), Some(most)) = (path.handshake().min(), path.handshake().max()) {
        words += &format!(", connecting {} to {}", time(least), time(most));
    }
    if !lag.is_zero() {
        words += &format!(", the drill's own lag was {} (p99)", time(lag));
    }
    words
}

/// The least and the most that a latency of the service can be, seen from a client, where this lies between; nothing
/// for what is no latency, or where nothing was answered.
pub(crate) fn latency(quantity: Quantity, ledger: &Ledger, between: Between) -> Option<(f64, f64)> {
    let Some(times) = ledger.service_time() else {
        let exact = statistic(quantity, ledger.latency(), Duration::ZERO, 0.0)?;
        return Some((exact, exact));
    };
    let most = statistic(quantity, times, Duration::ZERO, 0.0)?;
    let least = match between {
        Between::Nothing => most,
        Between::Path => statistic(quantity, times, floor(ledger), 0.0)?,
        Between::Anything => match ledger.path().injected() {
            Some(injected) if injected.count() == times.count() => {
                statistic(quantity, injected, Duration::ZERO, 0.0)?
            }
            _ => {
                let delays = own_lag(ledger) + spread(ledger);
                let rare = if delays.is_zero() { 0.0 } else { RARE };
                let floor = ledger.path().overhead().or_else(|| fastest(ledger)).unwrap_or_default();
                statistic(quantity, times, floor + delays, rare)?
            }
        },
    };
    Some((least, most))
}

/// What the path was measured to add to every request.
fn floor(ledger: &Ledger) -> Duration {
    let connecting = || ledger.path().handshake().min().min(fastest(ledger)).unwrap_or_default();
    ledger.path().overhead().unwrap_or_else(connecting)
}

fn fastest(ledger: &Ledger) -> Option<Duration> {
    ledger.service_time()?.min()
}

/// How late the drill may have read answers: nearly as late as its requests left, since the same thread does both.
fn own_lag(ledger: &Ledger) -> Duration {
    avoidable(ledger.lag().quantile(1.0 - RARE).unwrap_or_default())
}

/// By how much round trips differed.
fn spread(ledger: &Ledger) -> Duration {
    let handshake = ledger.path().handshake();
    avoidable(handshake.max().unwrap_or_default().saturating_sub(handshake.min().unwrap_or_default()))
}

fn avoidable(delay: Duration) -> Duration {
    if delay > UNAVOIDABLE { delay } else { Duration::ZERO }
}

/// A quantity of latencies, each of which may have been shorter by so much, but for a share that may have been anything.
fn statistic(quantity: Quantity, times: &Timings, by: Duration, rare: f64) -> Option<f64> {
    let shorter = |time: Duration| time.saturating_sub(by).as_secs_f64();
    match quantity {
        Quantity::Quantile(share) => times.quantile((share - rare).max(0.0)).map(shorter),
        Quantity::Mean => times.mean().map(shorter),
        Quantity::LatencySum => {
            #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 requests")]
            let all = by.as_secs_f64() * times.count() as f64;
            Some((times.sum().as_secs_f64() - all).max(0.0))
        }
        Quantity::SlowRatio(edge) => {
            let slow = times.above(edge.0.saturating_add(by));
            #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 requests")]
            let share = |all: u64| (slow as f64 / all as f64 - rare).max(0.0);
            (times.count() > 0).then(|| share(times.count()))
        }
        Quantity::Number(_)
        | Quantity::Requests
        | Quantity::Errors
        | Quantity::ErrorRatio
        | Quantity::Rate => None,
    }
}

/// In run files without service times, latencies count from when a request was due, so that the drill's own lateness is in them.
pub(crate) fn spoiled_by_lag(
    quantity: Quantity,
    phase: &PhaseLedger,
    within: Tolerance,
) -> Result<(), Finding> {
    let ledger = &phase.ledger;
    if ledger.service_time().is_some() {
        return Ok(());
    }
    // Only requests close to the edge can have come to its other side, by leaving late and being read late.
    let lag = if matches!(quantity, Quantity::SlowRatio(_)) { own_lag(ledger) * 2 } else { own_lag(ledger) };
    let statistic = |lag| statistic(quantity, ledger.latency(), lag, 0.0);
    let (Some(truth), Some(least)) = (statistic(Duration::ZERO), statistic(lag)) else { return Ok(()) };
    if truth - least > within.of(truth) {
        return Err(Finding::inconclusive(format!(
            "the drill's own lag was {} (p99), more than the tolerance: use a lower rate, a quieter machine or a wider tolerance",
            display::duration(own_lag(ledger))
        )));
    }
    Ok(())
}
