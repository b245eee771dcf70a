//! What `cpu` and `memory` do: burn processor time and hold memory, really and within bounds.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use memmap2::MmapMut;
use prometheus_client::metrics::gauge::Gauge;
use rustix::time::{ClockId, clock_gettime};

use super::background::Background;
use super::telemetry::Seconds;
use firedrill_contract::Size;

/// How much a job does before the next one has its turn.
const TURN: Duration = Duration::from_millis(10);
const TURN_BYTES: usize = 4 << 20;
/// Touching one byte of a page makes the whole page resident.
const PAGE: usize = 4096;

/// Burns this much CPU time, measured on the thread that burns it; `burnt` counts it as it goes.
pub(super) async fn burn(background: &Background, cpu: Duration, burnt: Seconds) {
    let mut left = cpu;
    let turn = move || {
        let began = thread_cpu_time();
        let mut spent = Duration::ZERO;
        while spent < left.min(TURN) {
            spin();
            spent = thread_cpu_time().saturating_sub(began);
        }
        burnt.inc_by(spent.as_secs_f64());
        left = left.saturating_sub(spent);
        left.is_zero().then_some(())
    };
    background.run(turn).await;
}

/// A few microseconds of arithmetic that the compiler cannot leave out.
fn spin() {
    let mut x = 1_u64;
    for i in 0..4_000 {
        x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i));
    }
}

fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The bound on all memory that is held on purpose.
pub(super) struct MemoryBudget {
    limit: Size,
    held: AtomicU64,
}

impl MemoryBudget {
    pub(super) fn new(limit: Size) -> Self {
        Self { limit, held: AtomicU64::new(0) }
    }

    /// Sets bytes aside, or nothing where they would exceed the bound.
    pub(super) fn reserve(self: &Arc<Self>, size: Size) -> Option<Reservation> {
        let within = |held: u64| held.checked_add(size.bytes()).filter(|sum| *sum <= self.limit.bytes());
        self.held.fetch_update(Relaxed, Relaxed, within).ok()?;
        Some(Reservation { budget: Arc::clone(self), size })
    }
}

/// Bytes set aside; given back when dropped.
pub(super) struct Reservation {
    budget: Arc<MemoryBudget>,
    size: Size,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.size.bytes(), Relaxed);
    }
}

impl Reservation {
    /// Maps the memory and touches every page, counting it in `gauge` as it becomes resident.
    ///
    /// # Errors
    /// Where the system grants no mapping.
    pub(super) async fn hold(self, background: &Background, gauge: Gauge) -> io::Result<Held> {
        let length = usize::try_from(self.size.bytes()).map_err(io::Error::other)?;
        // A mapping of its own goes back to the system when it is dropped, which memory from an
        // allocator may not. There is no mapping of nothing.
        let mapping = MmapMut::map_anon(length.max(1))?;
        let mut held = Some(Held { mapping, touched: 0, gauge, _reservation: self });
        let turn = move || {
            let done = held.as_mut().is_none_or(|held| held.touch(TURN_BYTES));
            if done { held.take() } else { None }
        };
        Ok(background.run(turn).await)
    }
}

/// Memory that is resident until this is dropped.
pub(super) struct Held {
    mapping: MmapMut,
    touched: usize,
    gauge: Gauge,
    _reservation: Reservation,
}

impl Held {
    /// Touches up to so many bytes more; true when all are touched.
    fn touch(&mut self, bytes: usize) -> bool {
        let end = self.mapping.len().min(self.touched + bytes);
        for byte in self.mapping[self.touched..end].iter_mut().step_by(PAGE) {
            *byte = 1;
        }
        self.gauge.inc_by(i64::try_from(end - self.touched).unwrap_or(i64::MAX));
        self.touched = end;
        self.touched == self.mapping.len()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gauge.dec_by(i64::try_from(self.touched).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn burning_takes_the_processor_time_that_was_asked_for() {
        let background = Background::start(1).unwrap();
        let burnt = Seconds::default();
        burn(&background, Duration::from_millis(35), burnt.clone()).await;
        // A turn ends at the first look at the clock after its time is up, so it can only be over.
        assert!((0.035..0.070).contains(&burnt.get()), "burnt {} s", burnt.get());
    }

    #[tokio::test]
    async fn burning_stops_when_nobody_waits_for_it() {
        let background = Background::start(1).unwrap();
        let burnt = Seconds::default();
        let mut long = Box::pin(burn(&background, Duration::from_secs(3_600), burnt.clone()));
        while burnt.get() == 0.0 {
            tokio::select! { () = &mut long => unreachable!(), () = tokio::task::yield_now() => {} }
        }
        drop(long);
        // The one thread is free again: a job behind the endless one is done.
        burn(&background, Duration::from_millis(1), Seconds::default()).await;
    }

    #[tokio::test]
    async fn memory_is_held_within_its_budget_and_given_back() {
        let background = Background::start(1).unwrap();
        let budget = Arc::new(MemoryBudget::new(Size::mebibytes(16)));
        let gauge = Gauge::default();
        let reservation = budget.reserve(Size::mebibytes(10)).unwrap();
        let held = reservation.hold(&background, gauge.clone()).await.unwrap();
        assert_eq!(gauge.get(), 10 << 20);
        assert!(budget.reserve(Size::mebibytes(7)).is_none(), "over the budget");
        assert!(budget.reserve(Size::mebibytes(6)).is_some());
        drop(held);
        assert_eq!(gauge.get(), 0);
        assert!(budget.reserve(Size::mebibytes(16)).is_some(), "all of it is free again");
    }
}
