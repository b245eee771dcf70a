//! Resources that run out under a running service.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::support::service::Service;

const MIB: u64 = 1 << 20;

impl Service {
    /// Sets a limit of the running process.
    fn limit(&self, resource: Resource, current: u64) {
        let maximum = getrlimit(resource).maximum;
        prlimit(Some(self.process.id()), resource, Rlimit { current: Some(current), maximum }).unwrap();
    }
}

#[tokio::test]
async fn without_descriptors_open_connections_are_served_and_others_wait_until_there_are_some() {
    let mut service = Service::start(&[]).await;
    let (mut kept, mut other) = (service.connect().await, service.connect().await);
    for client in [&mut kept, &mut other] {
        assert_eq!(client.request("GET", "/health").await.status, 200);
    }
    // A new descriptor has the lowest number that is free, and the limit is on that.
    let process = procfs::process::Process::new(service.process.id().as_raw_nonzero().get()).unwrap();
    let taken: Vec<_> = process.fd().unwrap().map(|file| file.unwrap().fd).collect();
    let free = (0..).find(|number| !taken.contains(number)).unwrap();
    service.limit(Resource::Nofile, free.try_into().unwrap());
    let mut waiting = service.connect().await;
    waiting.send("GET /health HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.process.logged("cannot accept a connection").await;
    assert_eq!(kept.request("GET", "/health").await.text(), "I'm healthy");
    assert_eq!(kept.request("GET", "/work?latency=1ms").await.status, 200);
    let scrape = crate::support::scrape::Scrape::parse(&kept.request("GET", "/metrics").await.text());
    assert_eq!(scrape.works(&[]), 1.0, "it goes on to count and to tell");

    drop(other);
    assert_eq!(waiting.answer().await.text(), "I'm healthy", "as soon as one hangs up, without a hand");
}

#[tokio::test]
async fn memory_that_the_system_does_not_grant_is_refused_with_503_and_everybody_else_is_served() {
    let service = Service::start(&[]).await;
    assert_eq!(service.get("/work?latency=0&memory=1MiB").await.status, 200);
    let process = procfs::process::Process::new(service.process.id().as_raw_nonzero().get()).unwrap();
    // Room for what serving takes, and not for what is asked for.
    service.limit(Resource::As, process.stat().unwrap().vsize + 64 * MIB);
    let refused = service.get("/work?latency=0&memory=200MiB&workload=demo").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")), "{}", refused.text());
    assert_eq!(service.get("/work?latency=0&memory=8MiB&workload=demo").await.status, 200);
    assert_eq!(service.get("/health").await.text(), "I'm healthy");
    let scrape = service.counted(3.0).await;
    let shed = [("workload", "demo"), ("bound", "memory")];
    assert_eq!(scrape.sum("firedrill_shed_requests_total", &shed), 1.0);
    assert_eq!(scrape.works(&[("error_type", "shed"), ("http_response_status_code", "503")]), 1.0);
}

#[tokio::test]
#[ignore = "needs root, for a control group with little memory"]
async fn whatever_is_asked_for_the_service_stays_within_its_bounds_and_is_not_killed_for_memory() {
    let service = Service::start(&["--max-memory", "64MiB", "--max-memory-total", "64MiB"]).await;
    let group = MemoryGroup::of(service.process.id(), 112 * MIB);
    // Far more than there is, with answers that nobody reads and bodies that go on.
    let ask = |n: u32| {
        let service = &service;
        async move {
            let wish = ["memory=8MiB&hold=300ms", "body=1MiB", "memory=64MiB&hold=100ms"][n as usize % 3];
            service.get(&format!("/work?latency=0&workload=demo&{wish}")).await.status
        }
    };
    for _ in 0..5 {
        let statuses = join_all((0..150).map(ask)).await;
        assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
        assert!(statuses.contains(&200) && statuses.contains(&503), "both were to be seen: {statuses:?}");
        assert_eq!(service.get("/health").await.text(), "I'm healthy");
    }
    service.counted(750.0).await;
    assert_eq!(group.killed(), 0, "nobody was killed");
    let peak = service.scrape().await.sum("firedrill_memory_held_bytes", &[]);
    assert_eq!(peak, 0.0, "all of it was given back");
}

/// A control group with so much memory, of cgroup v2 or v1, whichever the system has; removed when dropped.
struct MemoryGroup {
    path: PathBuf,
    /// Where it says how many were killed.
    events: &'static str,
}

impl MemoryGroup {
    /// Moves a process into a new one.
    fn of(process: Pid, bytes: u64) -> Self {
        let v2 = Path::new("/sys/fs/cgroup/cgroup.subtree_control");
        let (parent, limit, events) = if v2.exists() {
            std::fs::write(v2, "+memory").expect("the memory controller can be had");
            ("/sys/fs/cgroup", "memory.max", "memory.events")
        } else {
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control")
        };
        let pid = process.as_raw_nonzero();
        let group = Self { path: Path::new(parent).join(format!("firedrill-{pid}")), events };
        std::fs::create_dir(&group.path).expect("root may make a control group");
        std::fs::write(group.path.join(limit), bytes.to_string()).unwrap();
        std::fs::write(group.path.join("cgroup.procs"), pid.to_string()).unwrap();
        group
    }

    fn killed(&self) -> u64 {
        let events = std::fs::read_to_string(self.path.join(self.events)).unwrap();
        let kills = events.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills.unwrap_or_else(|| panic!("{} says nothing of kills:\n{events}", self.events)).parse().unwrap()
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // Whoever is in it goes to its parent first. What is left behind is an empty group.
        let parent = self.path.parent().unwrap().join("cgroup.procs");
        for pid in std::fs::read_to_string(self.path.join("cgroup.procs")).unwrap_or_default().lines() {
            let _ = std::fs::write(&parent, pid);
        }
        let _ = std::fs::remove_dir(&self.path);
    }
}
