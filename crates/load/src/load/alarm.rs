//! Wakes the sender when it should.

use std::io;
use std::time::Duration;

use firedrill_timer::Timer;
use tokio::time::Instant;

/// How long it stays awake behind each request that left.
///
/// To fall asleep and to be woken takes about as long, and costs the service a wake-up of the sender with each answer.
/// So a high rate, which has its next request or answer within this time, is sent awake and on time. Where none
/// leaves, because the service is busy with all that may be in flight, no core is taken from it.
const AWAKE: Duration = Duration::from_micros(100);

/// Waits until a time.
pub(super) struct Alarm {
    timer: Timer,
    /// Until when it does not sleep.
    awake: Instant,
}

impl Alarm {
    pub(super) fn new(now: Instant) -> io::Result<Self> {
        Ok(Self { timer: Timer::new()?, awake: now })
    }

    /// A request leaves now.
    pub(super) fn stay_awake(&mut self) {
        self.awake = Instant::now() + AWAKE;
    }

    /// Waits until this time, while others on this thread run. Where that has passed it lets them run now and then.
    pub(super) async fn wait_until(&self, time: Instant) -> io::Result<()> {
        if Instant::now() >= time {
            tokio::task::consume_budget().await;
            return Ok(());
        }
        if time >= self.awake {
            return self.timer.sleep_until(time).await;
        }
        while Instant::now() < time {
            // The core is for whoever else has a use for it.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
