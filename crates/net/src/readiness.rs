//! Whether a host is there, as a run of attempts shows it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{HostPort, Unreached};

/// Logs when a host goes away and when it comes back, and not each attempt.
#[derive(Debug)]
pub struct Readiness {
    of: HostPort,
    born: Instant,
    state: Mutex<State>,
}

impl Readiness {
    /// Of a host that has not been tried.
    #[must_use]
    pub fn new(of: HostPort) -> Self {
        Self { of, born: Instant::now(), state: Mutex::default() }
    }

    /// Takes note of an attempt to connect to it.
    pub fn note<T>(&self, attempt: &Result<T, Unreached>) {
        let now = self.born.elapsed();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match attempt {
            Ok(_) => {
                if let Some(away) = state.reached(now) {
                    let away_seconds = away.as_secs_f64();
                    tracing::info!(host = %self.of, away_seconds, "target came back");
                }
            }
            Err(error) => {
                if state.missed(now) {
                    tracing::warn!(host = %self.of, %error, "target went away");
                }
            }
        }
    }
}

/// What the attempts so far say, each with the time since the first.
///
/// A host that takes some connections and fails others within a second counts as present.
#[derive(Debug, Default)]
enum State {
    /// Never tried.
    #[default]
    Unknown,
    Present {
        reached: Duration,
    },
    Away {
        since: Duration,
    },
}

/// How long a host must not have been reached for a failure to mean that it went away.
const PATIENCE: Duration = Duration::from_secs(1);

impl State {
    /// It was reached: how long it had been away, when it comes back by this.
    fn reached(&mut self, now: Duration) -> Option<Duration> {
        let away = match *self {
            Self::Away { since } => Some(now.saturating_sub(since)),
            Self::Unknown | Self::Present { .. } => None,
        };
        *self = Self::Present { reached: now };
        away
    }

    /// It was not reached: whether it went away by this.
    fn missed(&mut self, now: Duration) -> bool {
        let went = match *self {
            Self::Unknown => true,
            Self::Present { reached } => now.saturating_sub(reached) >= PATIENCE,
            Self::Away { .. } => false,
        };
        if went {
            *self = Self::Away { since: now };
        }
        went
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn each_change_is_told_once() {
        let mut state = State::default();
        assert!(state.missed(at(0)), "away at start");
        assert!(!state.missed(at(1)));
        assert_eq!(state.reached(at(3)), Some(at(3)));
        assert_eq!(state.reached(at(4)), None);
        assert!(state.missed(at(9)), "away again");
        assert!(!state.missed(at(10)));
        assert_eq!(state.reached(at(11)), Some(at(2)));
    }

    #[test]
    fn a_host_that_is_there_now_and_then_is_not_told_of_for_each_attempt() {
        let mut state = State::default();
        for tenth in 0..100 {
            let now = Duration::from_millis(tenth * 100);
            assert_eq!(state.reached(now), None);
            assert!(!state.missed(now + Duration::from_millis(50)));
        }
    }
}
