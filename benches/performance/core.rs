//! A thread that keeps to one core, so that what is measured does not depend on who else has turns on it.

use std::sync::mpsc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Handle};

/// A running thread with an async runtime, on a core of its own where there are several.
pub(crate) struct Core(Handle);

impl Core {
    /// Starts the thread on the nth core, counted round.
    pub(crate) fn start(n: usize) -> Self {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            pin(n);
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            sender.send(runtime.handle().clone()).unwrap();
            runtime.block_on(std::future::pending::<()>());
        });
        Self(receiver.recv().unwrap())
    }

    /// Has the thread look for work all the time instead of sleeping, so that it costs nobody anything to wake it.
    pub(crate) fn never_sleep(&self) {
        self.keep_running(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Does this on the thread, and waits for what it says.
    pub(crate) fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (sender, receiver) = mpsc::channel();
        self.0.spawn(async move { sender.send(work.await).unwrap() });
        receiver.recv().unwrap()
    }

    /// Does this on the thread for as long as the bench lasts.
    pub(crate) fn keep_running(&self, work: impl Future<Output: Send + 'static> + Send + 'static) {
        self.0.spawn(work);
    }

    /// The CPU time that the thread has spent.
    pub(crate) fn spent(&self) -> Duration {
        self.run(async { spent() })
    }
}

/// The CPU time that this thread has spent.
pub(crate) fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

#[cfg(target_os = "linux")]
fn pin(n: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None).unwrap();
    let cores: Vec<_> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
    let mut one = CpuSet::new();
    one.set(cores[n % cores.len()]);
    sched_setaffinity(None, &one).unwrap();
}

/// Elsewhere a thread cannot be told.
#[cfg(not(target_os = "linux"))]
fn pin(_: usize) {}
