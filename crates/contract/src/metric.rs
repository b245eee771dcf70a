//! The metrics that the service exposes, by the name that Prometheus shows: their types and labels.
//!
//! One table, read where a drill's queries are checked. A test compares it with docs/metrics.md, and
//! that with the program.

/// The histogram of request durations, by the semantic conventions of OpenTelemetry in Prometheus' notation.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>
pub const REQUEST_DURATION: &str = "http_server_request_duration_seconds";

/// Its label that holds the status of the response.
pub const STATUS_LABEL: &str = "http_response_status_code";

/// What kind of numbers a metric has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricType {
    /// Only ever rises, but for a restart.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Observations by size: classic series `_bucket`, `_count` and `_sum`, and a native one.
    Histogram,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What kind of numbers it has.
    pub kind: MetricType,
    /// The labels that the service gives it.
    pub labels: &'static [&'static str],
}

const fn metric(name: &'static str, kind: MetricType, labels: &'static [&'static str]) -> Metric {
    Metric { name, kind, labels }
}

/// Every metric that the service exposes.
pub const METRICS: [Metric; 27] = [
    metric(
        "http_server_request_duration_seconds",
        MetricType::Histogram,
        &["http_request_method", "http_route", "http_response_status_code", "error_type", "workload"],
    ),
    metric("http_server_active_requests", MetricType::Gauge, &["http_request_method"]),
    metric("firedrill_injected_requests_total", MetricType::Counter, &["workload"]),
    metric("firedrill_injected_errors_total", MetricType::Counter, &["workload", "error_type"]),
    metric("firedrill_injected_latency_seconds_total", MetricType::Counter, &["workload"]),
    metric("firedrill_injected_cpu_seconds_total", MetricType::Counter, &["workload"]),
    metric("firedrill_memory_held_bytes", MetricType::Gauge, &["workload"]),
    metric("firedrill_memory_held_limit_bytes", MetricType::Gauge, &[]),
    metric("firedrill_shed_requests_total", MetricType::Counter, &["workload", "bound"]),
    metric("firedrill_work_in_flight", MetricType::Gauge, &[]),
    metric("firedrill_work_limit", MetricType::Gauge, &[]),
    metric("firedrill_connections", MetricType::Gauge, &[]),
    metric("firedrill_connections_limit", MetricType::Gauge, &[]),
    metric("firedrill_connections_refused_total", MetricType::Counter, &[]),
    metric("firedrill_unreadable_requests_total", MetricType::Counter, &["reason"]),
    metric("firedrill_cpu_threads", MetricType::Gauge, &[]),
    metric("firedrill_available_cores", MetricType::Gauge, &[]),
    metric("firedrill_container_memory_limit_bytes", MetricType::Gauge, &[]),
    metric("firedrill_build_info", MetricType::Gauge, &["version", "revision"]),
    metric("process_cpu_seconds_total", MetricType::Counter, &[]),
    metric("process_resident_memory_bytes", MetricType::Gauge, &[]),
    metric("process_virtual_memory_bytes", MetricType::Gauge, &[]),
    metric("process_virtual_memory_max_bytes", MetricType::Gauge, &[]),
    metric("process_open_fds", MetricType::Gauge, &[]),
    metric("process_max_fds", MetricType::Gauge, &[]),
    metric("process_threads", MetricType::Gauge, &[]),
    metric("process_start_time_seconds", MetricType::Gauge, &[]),
];
