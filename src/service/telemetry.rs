//! Every metric of the service: what it is called, and that it exists at zero before the first event.
//!
//! Names follow OpenTelemetry's semantic conventions for HTTP servers in their Prometheus form, and the
//! Prometheus guidelines for client libraries for `process_*`. docs/metrics.md describes each one;
//! a test compares that page with what the program exposes.

mod label;
mod process;

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, NativeHistogramConfig};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::Config;
pub(crate) use label::{
    Bound, BoundLabels, ErrorLabels, ErrorType, Method, MethodLabels, ReasonLabels, RequestLabels, Route,
    Unreadable, Workload, WorkloadLabels,
};

/// The classic buckets' upper edges, in seconds, beside the native histogram.
///
/// OpenTelemetry's advice for `http.server.request.duration`. An edge stands exactly on every latency
/// threshold that a rule uses.
pub const BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Seconds and other amounts that are not whole.
pub(crate) type Seconds = Counter<f64, AtomicU64>;

/// A histogram with [`BUCKETS`] and native buckets that grow by at most a tenth each.
#[derive(Clone, Debug)]
pub(crate) struct Durations;

impl MetricConstructor<Histogram> for Durations {
    fn new_metric(&self) -> Histogram {
        // At this factor a doubling has 8 buckets, so that these span 1 µs to over an hour before a
        // histogram that fills them all gives up resolution.
        Histogram::new_classic_and_native(BUCKETS, NativeHistogramConfig::new(1.1).max_buckets(256))
    }
}

/// The metrics of one service.
#[derive(Debug)]
pub(crate) struct Telemetry {
    registry: Registry,
    workloads: Vec<Workload>,
    pub(super) request_duration: Family<RequestLabels, Histogram, Durations>,
    pub(super) active_requests: Family<MethodLabels, Gauge>,
    pub(super) injected_requests: Family<WorkloadLabels, Counter>,
    pub(super) injected_errors: Family<ErrorLabels, Counter>,
    pub(super) injected_latency: Family<WorkloadLabels, Seconds>,
    pub(super) injected_cpu: Family<WorkloadLabels, Seconds>,
    pub(super) memory_held: Family<WorkloadLabels, Gauge>,
    pub(super) shed_requests: Family<BoundLabels, Counter>,
    pub(super) work_in_flight: Gauge,
    pub(super) connections: Gauge,
    pub(super) connections_refused: Counter,
    pub(super) unreadable_requests: Family<ReasonLabels, Counter>,
}

impl Telemetry {
    /// Registers every metric, each at zero for every value that a rule or a panel reads.
    pub(super) fn new(config: &Config) -> Self {
        let mut telemetry = Self {
            registry: Registry::default(),
            workloads: config.workloads.names().map(Workload::intern).collect(),
            request_duration: Family::new_with_constructor(Durations),
            active_requests: Family::default(),
            injected_requests: Family::default(),
            injected_errors: Family::default(),
            injected_latency: Family::default(),
            injected_cpu: Family::default(),
            memory_held: Family::default(),
            shed_requests: Family::default(),
            work_in_flight: Gauge::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            unreadable_requests: Family::default(),
        };
        telemetry.register(config);
        telemetry.create_at_zero();
        telemetry
    }

    /// What is exposed.
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The label value for a workload as a request names it.
    pub(super) fn workload(&self, name: Option<&str>) -> Workload {
        let named = |wanted: &str| self.workloads.iter().find(|workload| workload.name() == wanted);
        name.and_then(named).copied().unwrap_or_else(|| self.other())
    }

    /// The label value for everything outside the list of workloads.
    pub(super) fn other(&self) -> Workload {
        // `Workloads` keeps it last.
        *self.workloads.last().unwrap_or(&Workload::NONE)
    }

    fn register(&mut self, config: &Config) {
        let r = &mut self.registry;
        r.register_with_unit(
            "http_server_request_duration",
            "Time from a request's arrival until its answer was handed to the connection or given up",
            Unit::Seconds,
            self.request_duration.clone(),
        );
        r.register(
            "http_server_active_requests",
            "Requests that are being served",
            self.active_requests.clone(),
        );
        r.register(
            "firedrill_injected_requests",
            "Requests that the service took to misbehave as they asked",
            self.injected_requests.clone(),
        );
        r.register(
            "firedrill_injected_errors",
            "Errors that the service made on purpose, by the error type that the request's own duration carries",
            self.injected_errors.clone(),
        );
        r.register_with_unit(
            "firedrill_injected_latency",
            "Waiting that the service did on purpose",
            Unit::Seconds,
            self.injected_latency.clone(),
        );
        r.register_with_unit(
            "firedrill_injected_cpu",
            "CPU time that the service burnt on purpose",
            Unit::Seconds,
            self.injected_cpu.clone(),
        );
        r.register_with_unit(
            "firedrill_memory_held",
            "Memory that the service holds on purpose",
            Unit::Bytes,
            self.memory_held.clone(),
        );
        r.register(
            "firedrill_shed_requests",
            "Requests for work that were answered 503 at once, by the bound that was reached",
            self.shed_requests.clone(),
        );
        r.register(
            "firedrill_work_in_flight",
            "Requests that hold one of the places for work",
            self.work_in_flight.clone(),
        );
        r.register("firedrill_connections", "Open connections", self.connections.clone());
        r.register(
            "firedrill_connections_refused",
            "Connections that were answered 503 and closed because there were too many",
            self.connections_refused.clone(),
        );
        r.register(
            "firedrill_unreadable_requests",
            "Connections closed because what came could not be read as a request, which no other metric counts",
            self.unreadable_requests.clone(),
        );
        #[expect(clippy::cast_precision_loss, reason = "an exposition's values are f64")]
        let limit = |of: u64| ConstGauge::new(of as f64);
        r.register("firedrill_work_limit", "Places for work", limit(u64::from(config.max_work)));
        r.register(
            "firedrill_connections_limit",
            "The most connections at a time",
            limit(u64::from(config.max_connections)),
        );
        r.register(
            "firedrill_cpu_threads",
            "Threads that burn CPU time on purpose",
            limit(u64::from(config.cpu_threads)),
        );
        r.register_with_unit(
            "firedrill_memory_held_limit",
            "The most memory that is held on purpose at a time",
            Unit::Bytes,
            limit(config.max_memory_total.bytes()),
        );
        r.register(
            "firedrill_build",
            "The version that runs, and the revision that it was built from",
            Info::new([("version", env!("CARGO_PKG_VERSION")), ("revision", REVISION)]),
        );
        process::register(r);
    }

    /// A counter that is born at 1 hides its first event from `rate` and `increase`.
    fn create_at_zero(&self) {
        for route in Route::SERVED.into_iter().filter(|route| *route != Route::Work) {
            drop(self.request_duration.get_or_create(&RequestLabels {
                http_request_method: Method::Get,
                http_route: route,
                http_response_status_code: Some(200),
                error_type: ErrorType::None,
                workload: Workload::NONE,
            }));
        }
        for &workload in &self.workloads {
            let labels = WorkloadLabels { workload };
            drop(self.injected_requests.get_or_create(&labels));
            drop(self.injected_latency.get_or_create(&labels));
            drop(self.injected_cpu.get_or_create(&labels));
            drop(self.memory_held.get_or_create(&labels));
            for error_type in
                [ErrorType::Status(500), ErrorType::Panic, ErrorType::Reset, ErrorType::Truncated]
            {
                drop(self.injected_errors.get_or_create(&ErrorLabels { workload, error_type }));
            }
            for bound in [Bound::Concurrency, Bound::Memory] {
                drop(self.shed_requests.get_or_create(&BoundLabels { workload, bound }));
            }
            for http_request_method in [Method::Get, Method::Post] {
                for (http_response_status_code, error_type) in [
                    (Some(200), ErrorType::None),
                    (Some(500), ErrorType::Status(500)),
                    (Some(500), ErrorType::Panic),
                    (Some(503), ErrorType::Shed),
                    (Some(200), ErrorType::Truncated),
                    (None, ErrorType::Reset),
                    (None, ErrorType::Disconnected),
                ] {
                    drop(self.request_duration.get_or_create(&RequestLabels {
                        http_request_method,
                        http_route: Route::Work,
                        http_response_status_code,
                        error_type,
                        workload,
                    }));
                }
            }
        }
        for http_request_method in [Method::Get, Method::Head, Method::Post] {
            drop(self.active_requests.get_or_create(&MethodLabels { http_request_method }));
        }
        for reason in Unreadable::ALL {
            drop(self.unreadable_requests.get_or_create(&ReasonLabels { reason }));
        }
    }
}

/// The revision that the program was built from, where the build said so.
const REVISION: &str = match option_env!("FIREDRILL_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
