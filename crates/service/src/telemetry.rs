//! Every metric of the service beside those of its server: what it is called, and that it exists at
//! zero before the first event. docs/metrics.md describes each one.

mod label;

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use super::config::Config;
use firedrill_server::outcome::{ErrorType, Method, Workload};
use firedrill_server::route::Route;
use firedrill_server::telemetry::{self as server, RequestLabels};
pub(super) use label::{Bound, BoundLabels, ErrorLabels, WorkloadLabels};

/// Seconds and other amounts that are not whole.
pub(crate) type Seconds = Counter<f64, AtomicU64>;

/// The values of the `workload` label, the one for all others last.
#[derive(Debug, Clone)]
pub(super) struct KnownWorkloads(Vec<Workload>);

impl KnownWorkloads {
    /// The one of this name.
    pub(super) fn find(&self, name: Option<&str>) -> Workload {
        let named = |wanted: &str| self.0.iter().find(|workload| workload.name() == wanted);
        let other = || self.0.last().unwrap_or(&Workload::NONE);
        *name.and_then(named).unwrap_or_else(other)
    }
}

#[derive(Debug)]
pub(crate) struct Telemetry {
    registry: Registry,
    pub(super) workloads: KnownWorkloads,
    pub(super) server: server::Telemetry,
    pub(super) injected_requests: Family<WorkloadLabels, Counter>,
    pub(super) injected_errors: Family<ErrorLabels, Counter>,
    pub(super) injected_latency: Family<WorkloadLabels, Seconds>,
    pub(super) injected_cpu: Family<WorkloadLabels, Seconds>,
    pub(super) memory_held: Family<WorkloadLabels, Gauge>,
    pub(super) shed_requests: Family<BoundLabels, Counter>,
    pub(super) work_in_flight: Gauge,
}

impl Telemetry {
    /// Registers every metric, each at zero for every value that a rule or a panel reads. Requests for `work`
    /// have workloads and errors, those for the other routes have not.
    pub(super) fn new(config: &Config, work: Route, others: impl Iterator<Item = Route>) -> Self {
        let mut registry = Registry::default();
        let mut telemetry = Self {
            server: server::Telemetry::register(&config.server, &mut registry),
            registry,
            workloads: KnownWorkloads(config.workloads.names().map(Workload::intern).collect()),
            injected_requests: Family::default(),
            injected_errors: Family::default(),
            injected_latency: Family::default(),
            injected_cpu: Family::default(),
            memory_held: Family::default(),
            shed_requests: Family::default(),
            work_in_flight: Gauge::default(),
        };
        telemetry.register(config);
        telemetry.create_at_zero(work, others);
        telemetry
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    fn register(&mut self, config: &Config) {
        let r = &mut self.registry;
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
            "Requests for work that were answered 503 at once, by the limit that was reached",
            self.shed_requests.clone(),
        );
        r.register(
            "firedrill_work_in_flight",
            "Requests for work that are being served",
            self.work_in_flight.clone(),
        );
        #[expect(clippy::cast_precision_loss, reason = "an exposition's values are f64")]
        let limit = |of: u64| ConstGauge::new(of as f64);
        r.register(
            "firedrill_work_limit",
            "The most requests for work at a time",
            limit(u64::from(config.max_work)),
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
    }

    /// A counter that is born at 1 hides its first event from `rate` and `increase`.
    fn create_at_zero(&self, work: Route, others: impl Iterator<Item = Route>) {
        for http_route in others {
            drop(self.server.request_duration.get_or_create(&RequestLabels {
                http_request_method: Method::GET,
                http_route,
                http_response_status_code: Some(200),
                error_type: ErrorType::None,
                workload: Some(Workload::NONE),
            }));
        }
        for &workload in &self.workloads.0 {
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
            for http_request_method in [Method::GET, Method::POST] {
                for (http_response_status_code, error_type) in [
                    (Some(200), ErrorType::None),
                    (Some(500), ErrorType::Status(500)),
                    (Some(500), ErrorType::Panic),
                    (Some(503), ErrorType::Shed),
                    (Some(200), ErrorType::Truncated),
                    (None, ErrorType::Reset),
                    (None, ErrorType::Disconnected),
                ] {
                    drop(self.server.request_duration.get_or_create(&RequestLabels {
                        http_request_method,
                        http_route: work,
                        http_response_status_code,
                        error_type,
                        workload: Some(workload),
                    }));
                }
            }
        }
    }
}
