//! `process_*` as the Prometheus guidelines for client libraries list them, and what the machine grants.
//!
//! Read from `/proc` at each scrape, so Linux only; elsewhere these metrics do not exist, which is
//! what the guidelines ask of a library that cannot know them.

use prometheus_client::registry::Registry;

#[cfg(target_os = "linux")]
pub(super) fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(linux::Process));
}

#[cfg(not(target_os = "linux"))]
pub(super) fn register(_: &mut Registry) {}

#[cfg(target_os = "linux")]
mod linux {
    use std::fmt;
    use std::sync::OnceLock;

    use procfs::WithCurrentSystemInfo;
    use procfs::process::{LimitValue, Process as Proc};
    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
    use prometheus_client::metrics::counter::ConstCounter;
    use prometheus_client::metrics::gauge::ConstGauge;
    use prometheus_client::registry::Unit;

    #[derive(Debug)]
    pub(super) struct Process;

    impl Collector for Process {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            if let Some(cores) = available_cores() {
                let (name, help) =
                    ("firedrill_available_cores", "Processor cores' worth of time that the process may use.");
                let metric = ConstGauge::new(cores);
                metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)?;
            }
            let mut gauge = |name: &str, help: &str, unit: Option<Unit>, value: u64| {
                let metric = ConstGauge::new(float(value));
                metric.encode(encoder.encode_descriptor(name, help, unit.as_ref(), metric.metric_type())?)
            };
            if let Some(limit) = container_memory_limit() {
                let help = "The memory at which the container is ended; absent where it has no limit.";
                gauge("firedrill_container_memory_limit", help, Some(Unit::Bytes), limit)?;
            }
            // What cannot be read is left out: a missing series can be seen, a wrong zero cannot.
            let Ok(me) = Proc::myself() else { return Ok(()) };
            if let Ok(open) = me.fd_count() {
                gauge("process_open_fds", "Open file descriptors.", None, open as u64)?;
            }
            if let Ok(limits) = me.limits() {
                let help = "The most file descriptors that may be open.";
                gauge("process_max_fds", help, None, value(limits.max_open_files.soft_limit))?;
                let help = "The most virtual memory that may be used.";
                let most = value(limits.max_address_space.soft_limit);
                gauge("process_virtual_memory_max", help, Some(Unit::Bytes), most)?;
            }
            let Ok(stat) = me.stat() else { return Ok(()) };
            gauge("process_resident_memory", "Resident memory.", Some(Unit::Bytes), stat.rss_bytes().get())?;
            gauge("process_virtual_memory", "Virtual memory.", Some(Unit::Bytes), stat.vsize)?;
            gauge("process_threads", "Operating system threads.", None, stat.num_threads.unsigned_abs())?;
            let mut seconds = |name, help, metric: &dyn EncodeMetric| {
                metric.encode(encoder.encode_descriptor(
                    name,
                    help,
                    Some(&Unit::Seconds),
                    metric.metric_type(),
                )?)
            };
            if let Some(start) = started(stat.starttime) {
                let help = "Start time of the process since the Unix epoch.";
                seconds("process_start_time", help, &ConstGauge::new(start))?;
            }
            let used = ConstCounter::new(float(stat.utime + stat.stime) / ticks_per_second());
            seconds("process_cpu", "User and system CPU time spent.", &used)
        }
    }

    fn value(limit: LimitValue) -> u64 {
        match limit {
            LimitValue::Unlimited => u64::MAX,
            LimitValue::Value(value) => value,
        }
    }

    fn ticks_per_second() -> f64 {
        float(procfs::ticks_per_second())
    }

    #[expect(clippy::cast_precision_loss, reason = "an exposition's values are f64")]
    fn float(value: u64) -> f64 {
        value as f64
    }

    /// When the process started, from ticks after boot; read once, since the boot time that the kernel
    /// reports moves with the wall clock.
    fn started(ticks_after_boot: u64) -> Option<f64> {
        static STARTED: OnceLock<Option<f64>> = OnceLock::new();
        *STARTED.get_or_init(|| {
            let boot = procfs::boot_time_secs().ok()?;
            Some(float(boot) + float(ticks_after_boot) / ticks_per_second())
        })
    }

    /// How much processor time a second the process may spend: the processors that it may run on, or its container's
    /// share of them. Not `available_parallelism`, which counts threads and so makes one core of a half.
    fn available_cores() -> Option<f64> {
        let processors = f64::from(rustix::thread::sched_getaffinity(None).ok()?.count());
        Some(container_cpu_limit().map_or(processors, |limit| limit.min(processors)))
    }

    /// The container's limit, from control groups version 2 or else 1.
    fn container_cpu_limit() -> Option<f64> {
        let read = |path: &str| std::fs::read_to_string(path).ok();
        let quota_and_period = read("/sys/fs/cgroup/cpu.max").or_else(|| {
            let quota = read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")?;
            Some(format!("{quota} {}", read("/sys/fs/cgroup/cpu/cpu.cfs_period_us")?))
        })?;
        cores(&quota_and_period)
    }

    /// What `cpu.max` grants, in cores: <https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files>.
    /// Nothing where it is unlimited, for which version 2 has the word "max" and version 1 a quota of -1.
    fn cores(quota_and_period: &str) -> Option<f64> {
        let mut numbers = quota_and_period.split_whitespace().map(|number| number.parse::<u32>().ok());
        let (quota, period) = (numbers.next()??, numbers.next()??);
        (period > 0).then(|| f64::from(quota) / f64::from(period))
    }

    /// The container's limit, from control groups version 2 or else 1.
    fn container_memory_limit() -> Option<u64> {
        let read = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
        let limit = read("/sys/fs/cgroup/memory.max")
            .or_else(|| read("/sys/fs/cgroup/memory/memory.limit_in_bytes"))?;
        // Version 1 says "no limit" with a number near the largest.
        (limit < 1 << 60).then_some(limit)
    }

    #[test]
    fn a_share_of_a_core_is_not_a_whole_one() {
        assert_eq!(cores("50000 100000\n"), Some(0.5));
        assert_eq!(cores("150000\n 100000\n"), Some(1.5));
        assert_eq!(cores("max 100000\n"), None);
        assert_eq!(cores("-1\n 100000\n"), None);
    }
}
