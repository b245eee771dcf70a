//! Burns processor time, really and within bounds.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::background::Background;
use super::telemetry::Seconds;

/// How much a job burns before the next one has its turn.
const TURN: Duration = Duration::from_millis(10);

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
}
