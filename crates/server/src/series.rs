//! The series that the last request on a connection was counted in: mostly those of the next one as well.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::outcome::Method;
use super::telemetry::{MethodLabels, RequestLabels, Telemetry};

#[derive(Default)]
pub(super) struct SeriesCache {
    active: LastSeries<MethodLabels, Gauge>,
    duration: LastSeries<RequestLabels, Histogram>,
}

impl SeriesCache {
    /// The requests of this method that are being served.
    pub(super) fn active(&mut self, telemetry: &Telemetry, http_request_method: Method) -> &Gauge {
        let look_up = |labels: &_| telemetry.active_requests.get_or_create_owned(labels);
        self.active.get_or_look_up(&MethodLabels { http_request_method }, look_up)
    }

    pub(super) fn duration(&mut self, telemetry: &Telemetry, labels: &RequestLabels) -> &Histogram {
        let look_up = |labels: &_| telemetry.request_duration.get_or_create_owned(labels);
        self.duration.get_or_look_up(labels, look_up)
    }
}

/// The series of a family that was looked up last, by its labels.
struct LastSeries<L, S>(Option<(L, S)>);

impl<L, S> Default for LastSeries<L, S> {
    fn default() -> Self {
        Self(None)
    }
}

impl<L: Copy + PartialEq, S> LastSeries<L, S> {
    /// A look-up costs several times what counting does.
    fn get_or_look_up(&mut self, labels: &L, look_up: impl FnOnce(&L) -> S) -> &S {
        self.0.take_if(|(last, _)| last != labels);
        &self.0.get_or_insert_with(|| (*labels, look_up(labels))).1
    }
}
