//! What the requests of one service share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use firedrill_server::lifecycle::Lifecycle;
use firedrill_timer::TimerQueue;

use super::background::Background;
use super::config::Config;
use super::memory::MemoryBudget;
use super::openapi;
use super::page::Page;
use super::permit::WorkPermits;
use super::telemetry::Telemetry;

pub(crate) struct State {
    pub(super) config: Config,
    pub(super) telemetry: Telemetry,
    pub(super) lifecycle: Lifecycle,
    pub(super) background: Background,
    /// What injected latency and held memory wait with.
    pub(super) timers: TimerQueue,
    pub(super) memory: Arc<MemoryBudget>,
    pub(super) permits: WorkPermits,
    draws: AtomicU64,
    pub(super) page: Page,
    /// What `/openapi.json` answers.
    pub(super) openapi: Bytes,
}

impl State {
    pub(super) fn new(
        config: Config,
        telemetry: Telemetry,
        lifecycle: Lifecycle,
        background: Background,
        timers: TimerQueue,
    ) -> Self {
        let page = Page::new(&config);
        Self {
            lifecycle,
            background,
            timers,
            memory: Arc::new(MemoryBudget::new(config.max_memory_total)),
            permits: WorkPermits::new(config.max_work, telemetry.work_in_flight.clone()),
            draws: AtomicU64::new(0),
            openapi: openapi::document(&config.caps, &config.open, page.names()),
            page,
            telemetry,
            config,
        }
    }

    /// The seed and number of the next request that brings none.
    pub(super) fn next_draw(&self) -> (u64, u64) {
        (self.config.seed, self.draws.fetch_add(1, Relaxed))
    }
}
