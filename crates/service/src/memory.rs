//! Holds memory, really and within bounds.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use firedrill_contract::Size;
use memmap2::MmapMut;
use prometheus_client::metrics::gauge::Gauge;

use super::background::Background;

/// How much a job touches before the next one has its turn.
const TURN_BYTES: usize = 4 << 20;
/// Touching one byte of a page makes the whole page resident.
const PAGE: usize = 4096;

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
    pub(super) async fn hold(self, background: &Background, gauge: Gauge) -> io::Result<HeldMemory> {
        let length = usize::try_from(self.size.bytes()).map_err(io::Error::other)?;
        // A mapping of its own goes back to the system when it is dropped, which memory from an
        // allocator may not. There is no mapping of nothing.
        let mapping = MmapMut::map_anon(length.max(1))?;
        let mut held = Some(HeldMemory { mapping, touched: 0, gauge, _reservation: self });
        let turn = move || {
            let done = held.as_mut().is_none_or(|held| held.touch(TURN_BYTES));
            if done { held.take() } else { None }
        };
        Ok(background.run(turn).await)
    }
}

/// Memory that is resident until this is dropped.
pub(super) struct HeldMemory {
    mapping: MmapMut,
    touched: usize,
    gauge: Gauge,
    _reservation: Reservation,
}

impl HeldMemory {
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

impl Drop for HeldMemory {
    fn drop(&mut self) {
        self.gauge.dec_by(i64::try_from(self.touched).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
