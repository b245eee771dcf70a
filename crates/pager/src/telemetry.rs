//! Every metric of the pager beside those of its server: what it is called, and that it exists at zero
//! before the first event. docs/pager.md describes each one.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric, LabelValueEncoder,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, NativeHistogramConfig};
use prometheus_client::registry::{Registry, Unit};

use super::config::Config;
use super::heartbeat::Heartbeat;
use super::route::{READY, SERVED, WEBHOOK};
use super::store::{Change, Event};
use super::webhook::Status;
use firedrill_server::outcome::{ErrorType, Method};
use firedrill_server::telemetry::{self as server, RequestLabels};

/// The upper edges of the classic buckets of `firedrill_pager_delay_seconds`.
///
/// Alertmanager waits for a group's first notification, by default 30 s, and for the next ones 5 min; a
/// page should ring within 90 s.
const DELAYS: [f64; 14] =
    [1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];

/// How many receivers are told apart. Their names come from outside, and each one costs series.
const RECEIVERS: usize = 32;

/// What any receiver beyond those counts as.
const OTHER: &str = "other";

/// The receiver of the configuration that ships, which therefore exists at zero from the start. Others
/// do from their first notification on, which may be a heartbeat.
const SHIPPED: &str = "pager";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PageLabels {
    status: Status,
    receiver: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReceiverLabels {
    receiver: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReasonLabels {
    pub(super) reason: Reason,
}

impl EncodeLabelValue for Status {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(&self.name(), encoder)
    }
}

/// Why a payload was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reason {
    /// It is not what Alertmanager sends.
    Malformed,
    /// It is in another version.
    Version,
    /// It is not called JSON.
    NotJson,
    /// It is over the cap.
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// It broke off.
    Incomplete,
    /// The token is missing or wrong.
    Unauthorized,
    /// Too many are being read.
    Busy,
}

impl Reason {
    const ALL: [Self; 8] = [
        Self::Malformed,
        Self::Version,
        Self::NotJson,
        Self::TooLarge,
        Self::TooSlow,
        Self::Incomplete,
        Self::Unauthorized,
        Self::Busy,
    ];
}

impl EncodeLabelValue for Reason {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let word = match self {
            Self::Malformed => "malformed",
            Self::Version => "version",
            Self::NotJson => "not_json",
            Self::TooLarge => "too_large",
            Self::TooSlow => "timeout",
            Self::Incomplete => "incomplete",
            Self::Unauthorized => "unauthorized",
            Self::Busy => "busy",
        };
        EncodeLabelValue::encode(&word, encoder)
    }
}

#[derive(Debug)]
pub(super) struct Telemetry {
    registry: Registry,
    pub(super) server: server::Telemetry,
    receivers: Mutex<BTreeSet<String>>,
    pages: Family<PageLabels, Counter>,
    repeated: Family<ReceiverLabels, Counter>,
    delay: Histogram,
    pub(super) kept: Gauge,
    pub(super) forgotten: Counter,
    pub(super) truncated: Counter,
    pub(super) refused: Family<ReasonLabels, Counter>,
    pub(super) heartbeats: Counter,
    pub(super) subscribers: Gauge,
    pub(super) subscribers_dropped: Counter,
}

impl Telemetry {
    /// Registers every metric, each at zero for every value that is known at the start.
    pub(super) fn new(config: &Config, heartbeat: Option<Arc<Mutex<Heartbeat>>>) -> Self {
        let mut registry = Registry::default();
        let native = NativeHistogramConfig::new(1.1).max_buckets(256);
        let mut telemetry = Self {
            server: server::Telemetry::register(&config.server, &mut registry),
            registry,
            receivers: Mutex::default(),
            pages: Family::default(),
            repeated: Family::default(),
            delay: Histogram::new_classic_and_native(DELAYS, native),
            kept: Gauge::default(),
            forgotten: Counter::default(),
            truncated: Counter::default(),
            refused: Family::default(),
            heartbeats: Counter::default(),
            subscribers: Gauge::default(),
            subscribers_dropped: Counter::default(),
        };
        telemetry.register(config, heartbeat);
        telemetry.create_at_zero();
        telemetry
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The label value of a receiver. Its series exist from here on.
    pub(super) fn receiver(&self, name: &str) -> String {
        let mut known = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        let short = name.len() <= 64;
        if !known.contains(name) && (!short || known.len() >= RECEIVERS) {
            return OTHER.to_owned();
        }
        if known.insert(name.to_owned()) {
            drop(known);
            self.create_receiver_at_zero(name);
        }
        name.to_owned()
    }

    /// Counts what happened to a page, under the label of its receiver.
    pub(super) fn count(&self, event: &Event, receiver: &str) {
        let (receiver, page) = (receiver.to_owned(), &event.page);
        if event.change == Change::Repeats {
            self.repeated.get_or_create(&ReceiverLabels { receiver }).inc();
            return;
        }
        self.pages.get_or_create(&PageLabels { status: page.status, receiver }).inc();
        if event.change == Change::Rings
            && let Some(delay) = page.delay_seconds
        {
            // Below zero only by the difference of two clocks.
            self.delay.observe(delay.max(0.0));
        }
    }

    fn register(&mut self, config: &Config, heartbeat: Option<Arc<Mutex<Heartbeat>>>) {
        let r = &mut self.registry;
        r.register(
            "firedrill_pages",
            "Pages that began to fire or were resolved, each once, as their receiver was told",
            self.pages.clone(),
        );
        r.register(
            "firedrill_pages_repeated",
            "Notifications about a page that told nothing new",
            self.repeated.clone(),
        );
        r.register_with_unit(
            "firedrill_pager_delay",
            "Time from when an alert began to fire until the first notification of it came",
            Unit::Seconds,
            self.delay.clone(),
        );
        r.register("firedrill_pager_pages_kept", "Pages that are remembered", self.kept.clone());
        r.register("firedrill_pager_pages_limit", "The most pages that are remembered", whole(config.keep));
        r.register(
            "firedrill_pager_pages_forgotten",
            "Pages that were forgotten to make room",
            self.forgotten.clone(),
        );
        r.register(
            "firedrill_pager_truncated_alerts",
            "Alerts that Alertmanager left out of its notifications",
            self.truncated.clone(),
        );
        r.register(
            "firedrill_pager_refused_payloads",
            "Payloads that were refused, by the reason",
            self.refused.clone(),
        );
        r.register("firedrill_pager_subscribers", "Open streams of pages", self.subscribers.clone());
        r.register(
            "firedrill_pager_subscribers_limit",
            "The most open streams of pages",
            whole(u32::from(config.max_subscribers)),
        );
        r.register(
            "firedrill_pager_subscribers_dropped",
            "Streams of pages that were ended because their client took too long",
            self.subscribers_dropped.clone(),
        );
        if let Some(heartbeat) = heartbeat {
            r.register(
                "firedrill_pager_heartbeats",
                "Notifications that the alert that always fires does",
                self.heartbeats.clone(),
            );
            r.register_collector(Box::new(HeartbeatCollector(heartbeat)));
        }
    }

    fn create_at_zero(&self) {
        self.receiver(SHIPPED);
        self.create_receiver_at_zero(OTHER);
        for reason in Reason::ALL {
            drop(self.refused.get_or_create(&ReasonLabels { reason }));
        }
        let gets = SERVED.into_iter().filter(|route| *route != WEBHOOK);
        let posts = [200, 400, 401, 408, 413, 415].map(|status| (Method::POST, WEBHOOK, status));
        for (http_request_method, http_route, status) in
            gets.map(|route| (Method::GET, route, 200)).chain(posts).chain([(Method::GET, READY, 503)])
        {
            drop(self.server.request_duration.get_or_create(&RequestLabels {
                http_request_method,
                http_route,
                http_response_status_code: Some(status),
                error_type: if status == 503 { ErrorType::Status(503) } else { ErrorType::None },
                workload: None,
            }));
        }
    }

    fn create_receiver_at_zero(&self, receiver: &str) {
        for status in [Status::Firing, Status::Resolved] {
            drop(self.pages.get_or_create(&PageLabels { status, receiver: receiver.to_owned() }));
        }
        drop(self.repeated.get_or_create(&ReceiverLabels { receiver: receiver.to_owned() }));
    }
}

fn whole(number: u32) -> ConstGauge<f64> {
    ConstGauge::new(f64::from(number))
}

/// The heartbeat at the time of a scrape.
#[derive(Debug)]
struct HeartbeatCollector(Arc<Mutex<Heartbeat>>);

impl Collector for HeartbeatCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (age, timeout, stopped) = {
            let heartbeat = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            (heartbeat.age(now), heartbeat.timeout(), heartbeat.state(now).has_stopped())
        };
        let mut gauge = |name, help, unit: Option<Unit>, value: f64| {
            let metric = ConstGauge::new(value);
            metric.encode(encoder.encode_descriptor(name, help, unit.as_ref(), metric.metric_type())?)
        };
        gauge(
            "firedrill_pager_heartbeat_age",
            "Time without a heartbeat: since the last one, or since the pager began to listen where none came.",
            Some(Unit::Seconds),
            age.as_secs_f64(),
        )?;
        gauge(
            "firedrill_pager_heartbeat_timeout",
            "The age from which on the heartbeat has stopped.",
            Some(Unit::Seconds),
            timeout.as_secs_f64(),
        )?;
        gauge(
            "firedrill_pager_heartbeat_stopped",
            "1 where the heartbeat has stopped or never began in time, 0 where it has not.",
            None,
            if stopped { 1.0 } else { 0.0 },
        )
    }
}
