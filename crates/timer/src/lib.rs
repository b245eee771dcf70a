//! Waits as exact as the kernel's clock; tokio's own timer counts milliseconds.
//!
//! A timer of Linux is a file, which the runtime waits for as it does for sockets (timerfd_create(2)). A [`Timer`] has
//! one wait at a time; a [`TimerQueue`] has any number of them over one timer.

mod queue;

pub use queue::TimerQueue;

#[cfg(all(target_os = "linux", not(fuzzing)))]
pub use kernel::Timer;
#[cfg(not(all(target_os = "linux", not(fuzzing))))]
pub use runtime::Timer;

#[cfg(all(target_os = "linux", not(fuzzing)))]
mod kernel {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    /// A timer of the kernel, for one wait at a time.
    #[derive(Debug)]
    pub struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        /// # Errors
        /// Where the system grants no further file.
        ///
        /// # Panics
        /// Outside a runtime.
        pub fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "the unsafe one that replaces it asks that the file stays open and the same, as an OwnedFd does"
            )]
            AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
        }

        /// # Errors
        /// Where the system takes the timer back.
        pub async fn sleep_until(&self, deadline: Instant) -> io::Result<()> {
            let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
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
                // How often it expired, which nobody needs. Where it did not, it was set for an earlier deadline.
                let mut times = [0; 8];
                if let Ok(read) = expired.try_io(|timer| Ok(rustix::io::read(timer, &mut times)?)) {
                    read?;
                    // Otherwise the runtime would read it once more to learn that it is empty.
                    expired.clear_ready();
                }
            }
        }
    }
}

/// Other systems have no such timer, and fuzzers pause the clock of the runtime.
#[cfg(not(all(target_os = "linux", not(fuzzing))))]
mod runtime {
    use std::io;

    use tokio::time::Instant;

    /// The runtime's timer, for one wait at a time.
    #[derive(Debug)]
    pub struct Timer;

    impl Timer {
        /// # Errors
        /// Never.
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// # Errors
        /// Never.
        pub async fn sleep_until(&self, deadline: Instant) -> io::Result<()> {
            tokio::time::sleep_until(deadline).await;
            Ok(())
        }
    }
}
