//! Wakes the sender when it should.
//!
//! An async runtime's own timer is only as fine as a millisecond. Linux has a timer that is a file, which the
//! runtime can wait for as it does for sockets, and which is as fine as the kernel's clock.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

/// How long it sleeps at least where it sleeps: what falls due meanwhile leaves together, so that a high rate
/// does not spend the machine's time on waking up.
const NAP: Duration = Duration::from_micros(100);

/// Sleeps until a time.
pub(super) struct Alarm {
    timer: Timer,
    /// When it was woken last.
    woken: Instant,
}

impl Alarm {
    pub(super) fn new(now: Instant) -> io::Result<Self> {
        Ok(Self { timer: Timer::new()?, woken: now })
    }

    /// Sleeps until this time. Where that has passed it lets others on this thread run now and then instead.
    pub(super) async fn wait_until(&mut self, time: Instant) -> io::Result<()> {
        if Instant::now() >= time {
            tokio::task::consume_budget().await;
            return Ok(());
        }
        let wake = time.max(self.woken + NAP);
        self.timer.sleep_until(wake).await?;
        self.woken = Instant::now();
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
