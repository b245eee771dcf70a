//! Any number of waits over one [`Timer`], so that each costs a place in a tree and no file.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Timer;

/// Wakes whoever waits on it. Its waits end only while it lives.
#[derive(Debug)]
pub struct TimerQueue {
    shared: Arc<Shared>,
    /// The task that waits for the timer; ends when this is dropped.
    _driver: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    deadlines: Mutex<Deadlines>,
    /// There is a deadline before the one that the timer is set for.
    earlier: Notify,
}

impl TimerQueue {
    /// Starts the task that waits for the timer.
    ///
    /// # Errors
    /// Where the system grants no further file.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn start() -> io::Result<Self> {
        let (timer, shared) = (Timer::new()?, Arc::<Shared>::default());
        let mut driver = JoinSet::new();
        driver.spawn(drive(timer, Arc::clone(&shared)));
        Ok(Self { shared, _driver: driver })
    }

    /// Waits this long: not at all for zero.
    pub async fn sleep(&self, duration: Duration) {
        if !duration.is_zero() {
            Sleep { shared: &self.shared, deadline: Instant::now() + duration, id: None }.await;
        }
    }
}

/// Sets the timer for the first deadline, time and again.
async fn drive(timer: Timer, shared: Arc<Shared>) {
    loop {
        let first = shared.deadlines().first();
        let expired = async {
            match first {
                Some(deadline) => timer.sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            expired = expired => if let Err(error) = expired {
                tracing::error!(%error, "the kernel's timer failed: waits are exact to a millisecond only");
                tokio::time::sleep(Duration::from_millis(1)).await;
            },
            () = shared.earlier.notified() => {}
        }
        let due = shared.deadlines().take_due(Instant::now());
        due.into_values().for_each(Waker::wake);
    }
}

impl Shared {
    /// The lock is held for a step in the tree, which does not panic.
    fn deadlines(&self) -> MutexGuard<'_, Deadlines> {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One wait.
struct Sleep<'a> {
    shared: &'a Shared,
    deadline: Instant,
    /// Tells waits for the same deadline apart, once this one is among the deadlines.
    id: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.deadline {
            return Poll::Ready(());
        }
        let Self { shared, deadline, id } = *self;
        let mut deadlines = shared.deadlines();
        let before = deadlines.first();
        self.id = Some(deadlines.insert(deadline, id, context.waker().clone()));
        drop(deadlines);
        if before.is_none_or(|first| deadline < first) {
            shared.earlier.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.deadlines().remove(self.deadline, id);
        }
    }
}

/// Who is to be woken when. Pure: times are passed in.
#[derive(Debug, Default)]
struct Deadlines {
    wakers: BTreeMap<(Instant, u64), Waker>,
    last_id: u64,
}

impl Deadlines {
    fn first(&self) -> Option<Instant> {
        self.wakers.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Adds a wait, or renews the waker of the one with this id.
    fn insert(&mut self, deadline: Instant, id: Option<u64>, waker: Waker) -> u64 {
        let id = id.unwrap_or_else(|| {
            self.last_id += 1;
            self.last_id
        });
        self.wakers.insert((deadline, id), waker);
        id
    }

    fn remove(&mut self, deadline: Instant, id: u64) {
        self.wakers.remove(&(deadline, id));
    }

    /// Removes those whose deadline has come.
    fn take_due(&mut self, now: Instant) -> BTreeMap<(Instant, u64), Waker> {
        let later = self.wakers.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.wakers, later)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const HUNDRED_MICROSECONDS: Duration = Duration::from_micros(100);

    #[test]
    fn a_deadline_comes_at_its_own_nanosecond_and_in_order() {
        let (mut deadlines, now) = (Deadlines::default(), Instant::now());
        let at = |nanoseconds| now + Duration::from_nanos(nanoseconds);
        let mut ids = |nanoseconds: &[u64]| {
            nanoseconds
                .iter()
                .map(|n| deadlines.insert(at(*n), None, Waker::noop().clone()))
                .collect::<Vec<_>>()
        };
        let [late, early, also_early] = ids(&[2_500_000, 1_000_001, 1_000_001])[..] else { unreachable!() };
        assert_eq!(deadlines.first(), Some(at(1_000_001)));
        assert!(deadlines.take_due(at(1_000_000)).is_empty());
        assert!(
            deadlines
                .take_due(at(1_000_001))
                .into_keys()
                .eq([(at(1_000_001), early), (at(1_000_001), also_early)])
        );
        assert_eq!(deadlines.first(), Some(at(2_500_000)));
        deadlines.remove(at(2_500_000), late);
        assert_eq!(deadlines.first(), None);
    }

    #[tokio::test]
    async fn no_time_takes_no_timer() {
        let timers = TimerQueue::start().unwrap();
        assert_eq!(timers.sleep(Duration::ZERO).now_or_never(), Some(()));
        assert_eq!(timers.sleep(Duration::from_nanos(1_000_000)).now_or_never(), None);
        assert_eq!(timers.shared.deadlines().first(), None, "a wait that is dropped is forgotten");
    }

    /// The fastest of many, which a busy machine delays as well only where it delays all of them.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_wait_is_not_rounded_to_a_millisecond() {
        let timers = TimerQueue::start().unwrap();
        let mut fastest = Duration::MAX;
        for _ in 0..200 {
            let started = Instant::now();
            timers.sleep(HUNDRED_MICROSECONDS).await;
            let took = started.elapsed();
            assert!(took >= HUNDRED_MICROSECONDS, "{took:?}");
            fastest = fastest.min(took);
        }
        assert!(fastest < 5 * HUNDRED_MICROSECONDS, "{fastest:?}");
    }

    #[tokio::test]
    async fn a_shorter_wait_does_not_wait_for_a_longer_one() {
        let timers = TimerQueue::start().unwrap();
        let mut long = Box::pin(timers.sleep(Duration::from_secs(3_600)));
        assert_eq!((&mut long).now_or_never(), None);
        // So that the timer is set for the long one.
        tokio::task::yield_now().await;
        timers.sleep(HUNDRED_MICROSECONDS).await;
        assert_eq!(long.now_or_never(), None);
    }
}
