//! Health answers in time, whatever work goes on.

use std::time::{Duration, Instant};

use procfs::CurrentSI as _;

use crate::support::client::Client;
use crate::support::service::Service;

/// What a balancer or an orchestrator may wait for.
const SOON: Duration = Duration::from_millis(50);

/// Questions in one window, which so takes about a second.
const QUESTIONS: usize = 2_000;

/// How idle the processors may be: one that rests is not what is asked about.
const IDLE: f64 = 0.1;

/// What is due to the service is so in every window, and what others do on this machine is not: one window
/// that nobody disturbs shows which of them it is. An idle service beside this one would not: it would suffer
/// from the same busy processors, so that taking its latency off would hide what is asked about.
const WINDOWS: usize = 20;

#[tokio::test]
#[ignore = "burns every processor for a while"]
async fn health_answers_within_50_ms_while_every_processor_and_every_place_is_taken() {
    let service = Service::start(&["--max-work", "64"]).await;
    let mut working = Vec::new();
    for _ in 0..64 {
        let mut client = service.connect().await;
        client.send("GET /work?latency=0&cpu=10s HTTP/1.1\r\nhost: test\r\n\r\n").await;
        working.push(client);
    }
    service.in_flight(64.0).await;
    let mut kept = service.connect().await;
    let mut windows = Vec::new();
    while windows.len() < WINDOWS && windows.last().is_none_or(|p99| *p99 >= SOON) {
        let (idle, all) = processor_time();
        windows.push(p99(&service, &mut kept).await);
        let (idle_after, all_after) = processor_time();
        let idle = (idle_after - idle) as f64 / (all_after - all).max(1) as f64;
        assert!(idle < IDLE, "{:.0} % of the processors' time was idle", idle * 100.0);
    }
    println!("health p99 of each window: {windows:?}");
    assert!(windows.last().is_some_and(|p99| *p99 < SOON), "p99 of each window: {windows:?}");
    let over = service.get("/work?latency=0").await;
    assert_eq!(over.status, 503, "every place was taken to the end");
}

/// How many ticks all processors were idle, and how many there were.
fn processor_time() -> (u64, u64) {
    let all = procfs::KernelStats::current().unwrap().total;
    let idle = all.idle + all.iowait.unwrap_or(0);
    (
        idle,
        all.user
            + all.nice
            + all.system
            + all.irq.unwrap_or(0)
            + all.softirq.unwrap_or(0)
            + all.steal.unwrap_or(0)
            + idle,
    )
}

/// How long all but one in a hundred of the answers took at the most; half of them on connections of their own.
async fn p99(service: &Service, kept: &mut Client) -> Duration {
    let mut took = Vec::with_capacity(QUESTIONS);
    for n in 0..QUESTIONS {
        let began = Instant::now();
        let answer =
            if n % 2 == 0 { kept.request("GET", "/health").await } else { service.get("/health").await };
        took.push(began.elapsed());
        assert_eq!(answer.text(), "I'm healthy");
    }
    took.sort_unstable();
    took[QUESTIONS * 99 / 100]
}
