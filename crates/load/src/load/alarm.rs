//! Wakes the sender when it should.
//!
//! An async runtime's own timer is only as fine as a millisecond. Linux has a timer that is a file, which the
//! runtime can wait for as it does for sockets, and which is as fine as the kernel's clock.

use std::io;
use std::time::Duration;

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

#[cfg(target_os = "linux")]
use linux::Timer;
#[cfg(not(target_os = "linux"))]
use other::Timer;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "the unsafe one that replaces it asks that the file stays open and the same, as an OwnedFd does"
            )]
            AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
        }

        pub(super) async fn sleep_until(&self, time: Instant) -> io::Result<()> {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            loop {
                let left = time.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(());
                }
                let once = Itimerspec {
                    it_interval: zero,
                    it_value: Timespec {
                        tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
                        tv_nsec: left.subsec_nanos().into(),
                    },
                };
                timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
                let mut expired = self.0.readable().await?;
                // How often it did, which nobody needs. Where it did not, it was for an earlier time.
                let mut times = [0; 8];
                if let Ok(read) = expired.try_io(|timer| Ok(rustix::io::read(timer, &mut times)?)) {
                    read?;
                    // One that was read has nothing more to say, which the runtime would try to read first.
                    expired.clear_ready();
                }
            }
        }
    }
}

/// Elsewhere the runtime's own timer has to do.
#[cfg(not(target_os = "linux"))]
mod other {
    use std::io;

    use tokio::time::Instant;

    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn sleep_until(&self, time: Instant) -> io::Result<()> {
            tokio::time::sleep_until(time).await;
            Ok(())
        }
    }
}
