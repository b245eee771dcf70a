//! The metrics that every server has: of its requests, its connections, its process and its build.
//!
//! Names follow OpenTelemetry's semantic conventions for HTTP servers in their Prometheus form, and the
//! Prometheus guidelines for client libraries for `process_*`.

mod label;
mod process;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, NativeHistogramConfig};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::config::Config;
use super::outcome::Method;
pub use label::RequestLabels;
pub(crate) use label::{MethodLabels, ReasonLabels, Unreadable};

/// The classic buckets' upper edges, in seconds, beside the native histogram.
///
/// OpenTelemetry's advice for `http.server.request.duration`. An edge stands exactly on every latency
/// threshold that a rule uses.
pub const BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// A histogram with [`BUCKETS`] and native buckets that grow by at most a tenth each.
#[derive(Clone, Debug)]
pub struct Durations;

impl MetricConstructor<Histogram> for Durations {
    fn new_metric(&self) -> Histogram {
        // At this factor a doubling has 8 buckets, so that these span 1 µs to over an hour before a
        // histogram that fills them all gives up resolution.
        Histogram::new_classic_and_native(BUCKETS, NativeHistogramConfig::new(1.1).max_buckets(256))
    }
}

/// The metrics of one server. A clone counts into the same ones.
#[derive(Debug, Clone)]
pub struct Telemetry {
    pub request_duration: Family<RequestLabels, Histogram, Durations>,
    pub(super) active_requests: Family<MethodLabels, Gauge>,
    pub(super) connections: Gauge,
    pub(super) connections_refused: Counter,
    pub(super) unreadable_requests: Family<ReasonLabels, Counter>,
}

impl Telemetry {
    /// Registers every metric, each at zero for every value that is known at the start. Which labels
    /// requests will have is for the program above to say, in `request_duration`.
    pub fn register(config: &Config, registry: &mut Registry) -> Self {
        let telemetry = Self {
            request_duration: Family::new_with_constructor(Durations),
            active_requests: Family::default(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            unreadable_requests: Family::default(),
        };
        telemetry.describe(config, registry);
        for http_request_method in [Method::GET, Method::HEAD, Method::POST] {
            drop(telemetry.active_requests.get_or_create(&MethodLabels { http_request_method }));
        }
        for reason in Unreadable::ALL {
            drop(telemetry.unreadable_requests.get_or_create(&ReasonLabels { reason }));
        }
        telemetry
    }

    fn describe(&self, config: &Config, r: &mut Registry) {
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
        r.register(
            "firedrill_connections_limit",
            "The most connections at a time",
            ConstGauge::new(f64::from(config.max_connections)),
        );
        r.register(
            "firedrill_build",
            "The version that runs, and the revision that it was built from",
            Info::new([("version", env!("CARGO_PKG_VERSION")), ("revision", REVISION)]),
        );
        process::register(r);
    }
}

/// The revision that the program was built from, where the build said so.
const REVISION: &str = match option_env!("FIREDRILL_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
