//! How a running command is asked to stop: gently first, then at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How urgently to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shutdown {
    /// Not at all.
    NotRequested,
    /// Take nothing new, finish what has begun.
    Graceful,
    /// Leave everything as it is.
    Immediate,
}

/// Asks for a stop.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<Shutdown>);

/// Hears of it. When its [`ShutdownTrigger`] is gone, it never does.
#[derive(Debug, Clone)]
pub struct ShutdownSignal(watch::Receiver<Shutdown>);

/// A stop that has not been asked for, and the means to ask.
#[must_use]
pub fn channel() -> (ShutdownTrigger, ShutdownSignal) {
    let (asks, hears) = watch::channel(Shutdown::NotRequested);
    (ShutdownTrigger(asks), ShutdownSignal(hears))
}

/// A stop that SIGTERM or SIGINT asks for: gently the first time, at once the second.
///
/// # Errors
/// When the system does not let the signals be handled.
pub fn on_signals() -> io::Result<ShutdownSignal> {
    let (stopper, stopping) = channel();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        for stop in [Shutdown::Graceful, Shutdown::Immediate] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stopper.ask(stop);
        }
    });
    Ok(stopping)
}

impl ShutdownTrigger {
    /// Asks to stop, or to stop more urgently; a stop is never taken back.
    pub fn ask(&self, stop: Shutdown) {
        self.0.send_if_modified(|asked| {
            let more = stop > *asked;
            *asked = stop.max(*asked);
            more
        });
    }
}

impl ShutdownSignal {
    /// Waits until a stop as urgent as this is asked for.
    pub async fn wait_for(&mut self, stop: Shutdown) {
        if self.0.wait_for(|asked| *asked >= stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// How urgently a stop has been asked for so far.
    #[must_use]
    pub fn asked(&self) -> Shutdown {
        *self.0.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_at_once_is_a_gentle_one_too_and_is_never_taken_back() {
        let (stopper, mut stopping) = channel();
        assert_eq!(stopping.asked(), Shutdown::NotRequested);
        stopper.ask(Shutdown::Immediate);
        stopper.ask(Shutdown::Graceful);
        stopping.wait_for(Shutdown::Graceful).await;
        stopping.wait_for(Shutdown::Immediate).await;
        assert_eq!(stopping.asked(), Shutdown::Immediate);
    }
}
