//! Counts each request exactly once, however it ends.
//!
//! A [`Measurement`] begins when a request has been read. It lives in the request's future until there
//! is an answer and then moves into the answer's body ([`Measured`]); it is recorded where it is dropped.
//! So a client that hangs up (hyper drops the future or the body), a HEAD or an empty body (hyper drops
//! the body unread), a panic (unwinding drops it) and a shutdown are each recorded once, with no code of
//! their own.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use super::answer::{self, Answer};
use super::core::Core;
use super::link::Link;
use super::outcome::{ErrorType, Method, Workload};
use super::request::Request;
use super::route::Route;
use super::telemetry::RequestLabels;

/// One request, from when it was read until it is dropped.
pub(super) struct Measurement {
    core: Arc<Core>,
    link: Arc<Link>,
    method: Method,
    route: Route,
    began: Instant,
    status: Option<StatusCode>,
    /// What the request ended with, where that is already known.
    ended: Option<ErrorType>,
    open_ended: bool,
}

impl Measurement {
    /// Begins to measure a request that has just been read from this connection.
    pub(super) fn begin(
        core: &Arc<Core>,
        link: &Arc<Link>,
        request: &Request,
        workload: Option<Workload>,
    ) -> Self {
        let method = Method::new(&request.head.method);
        let mut current = link.begin_request(workload);
        if core.config.count_requests {
            current.series.active(&core.telemetry, method).inc();
        }
        drop(current);
        Self {
            core: Arc::clone(core),
            link: Arc::clone(link),
            method,
            route: request.route,
            began: Instant::now(),
            status: None,
            ended: None,
            open_ended: false,
        }
    }

    /// Ends with a reset of the connection instead of an answer, on purpose.
    pub(super) fn reset(mut self) {
        self.link.reset();
        self.ended = Some(ErrorType::Reset);
    }

    /// Goes on in the answer's body. `error_type` is what an answer that ends as intended counts as.
    pub(super) fn answered(mut self, answer: Answer, error_type: ErrorType) -> Response<Measured> {
        let Answer { response, open_ended, .. } = answer;
        self.status = Some(response.status());
        self.open_ended = open_ended;
        let bodiless = self.method == Method::HEAD
            || matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        response.map(|body| {
            // hyper drops these without polling them.
            if bodiless || body.is_end_stream() {
                self.ended = Some(error_type);
            }
            Measured { body, error_type, measurement: self }
        })
    }
}

impl Drop for Measurement {
    fn drop(&mut self) {
        let error_type = self.ended.unwrap_or_else(|| {
            if self.link.write_timed_out() {
                ErrorType::Timeout
            } else if self.core.lifecycle.is_cutting() {
                ErrorType::Shutdown
            } else if self.open_ended {
                ErrorType::None
            } else {
                ErrorType::Disconnected
            }
        });
        let now = Instant::now();
        let took = now - self.began;
        let mut current = self.link.end_request(now.into());
        if !self.core.config.count_requests {
            return;
        }
        let workload = current.workload;
        let telemetry = &self.core.telemetry;
        let labels = RequestLabels {
            http_request_method: self.method,
            http_route: self.route,
            http_response_status_code: self.status.map(|status| status.as_u16()),
            error_type,
            workload,
        };
        current.series.duration(telemetry, &labels).observe(took.as_secs_f64());
        current.series.active(telemetry, self.method).dec();
        drop(current);
        if self.core.config.log_requests {
            tracing::info!(
                method = self.method.name(),
                route = self.route.path(),
                status = labels.http_response_status_code,
                error = %error_type,
                workload = workload.map(Workload::name),
                seconds = took.as_secs_f64(),
                "request"
            );
        }
    }
}

/// An answer's body that carries its request's measurement to the end.
pub(super) struct Measured {
    body: answer::Body,
    /// What reaching the end counts as.
    error_type: ErrorType,
    measurement: Measurement,
}

impl Body for Measured {
    type Data = Bytes;
    type Error = answer::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        // A body that fails does so because the request asked for it.
        if self.body.is_end_stream() || !matches!(frame, Some(Ok(_))) {
            self.measurement.ended = Some(self.error_type);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
