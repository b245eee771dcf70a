//! How a running command is asked to stop: gently first, then at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How urgently to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    No,
    /// Take nothing new, finish what has begun.
    Gently,
    /// Leave everything as it is.
    AtOnce,
}

/// Asks for a stop.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Stop>);

/// Hears of it. When its [`Stopper`] is gone, it never does.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Receiver<Stop>);

/// A stop that has not been asked for, and the means to ask.
#[must_use]
pub fn channel() -> (Stopper, Stopping) {
    let (asks, hears) = watch::channel(Stop::No);
    (Stopper(asks), Stopping(hears))
}

/// A stop that SIGTERM or SIGINT asks for: gently the first time, at once the second.
///
/// # Errors
/// When the system does not let the signals be handled.
pub fn on_signals() -> io::Result<Stopping> {
    let (stopper, stopping) = channel();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        for stop in [Stop::Gently, Stop::AtOnce] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stopper.ask(stop);
        }
    });
    Ok(stopping)
}

impl Stopper {
    /// Asks to stop, or to stop more urgently; a stop is never taken back.
    pub fn ask(&self, stop: Stop) {
        self.0.send_if_modified(|asked| {
            let more = stop > *asked;
            *asked = stop.max(*asked);
            more
        });
    }
}

impl Stopping {
    /// Waits until a stop as urgent as this is asked for.
    pub async fn wait_for(&mut self, stop: Stop) {
        if self.0.wait_for(|asked| *asked >= stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// How urgently a stop has been asked for so far.
    #[must_use]
    pub fn asked(&self) -> Stop {
        *self.0.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_at_once_is_a_gentle_one_too_and_is_never_taken_back() {
        let (stopper, mut stopping) = channel();
        assert_eq!(stopping.asked(), Stop::No);
        stopper.ask(Stop::AtOnce);
        stopper.ask(Stop::Gently);
        stopping.wait_for(Stop::Gently).await;
        stopping.wait_for(Stop::AtOnce).await;
        assert_eq!(stopping.asked(), Stop::AtOnce);
    }
}
