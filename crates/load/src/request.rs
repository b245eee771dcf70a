//! What is sent.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body::{Body, Frame, SizeHint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use firedrill_contract::Work;

use firedrill_net::Target;

/// A request that is sent over and over, the same but for its number.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// The path to ask for; that of the target where this is none.
    pub path: Option<String>,
    /// Its query.
    pub query: Query,
    /// Its header fields, without `Host`.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Where its client hangs up.
    pub hang_up: Option<HangUp>,
    /// What it asks of `/work`, seed included, where the drill is to know what the service does for it.
    pub work: Option<Work>,
}

/// Where a client hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HangUp {
    /// When the service has begun to read the request, and has not answered.
    #[serde(rename = "before the answer")]
    BeforeAnswer,
    /// When the answer has begun, before the end of its body.
    #[serde(rename = "in the answer")]
    InAnswer,
}

/// A query string in which one parameter may count the requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    encoded: String,
    counter: Option<String>,
}

impl Query {
    /// Of these parameters, percent-encoded as forms are; `counter`, if any, comes last, counts from 0.
    pub fn new<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>, counter: Option<&str>) -> Self {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(parameters);
        Self { encoded: encoded.finish(), counter: counter.map(str::to_owned) }
    }

    /// The same each time, as it stands in a URL behind the question mark.
    #[must_use]
    pub fn as_written(text: &str) -> Self {
        Self { encoded: text.to_owned(), counter: None }
    }

    /// The `n`th of them behind a path, after a question mark unless it is empty.
    fn nth(&self, path: &str, n: u64) -> String {
        let Self { encoded, counter } = self;
        match counter {
            Some(counter) if encoded.is_empty() => format!("{path}?{counter}={n}"),
            Some(counter) => format!("{path}?{encoded}&{counter}={n}"),
            None if encoded.is_empty() => path.to_owned(),
            None => format!("{path}?{encoded}"),
        }
    }
}

/// A request on its way. It is large, and goes through many hands: boxed, it is not copied by each.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) request: http::Request<Sending>,
    pub(super) hang_up: Option<HangUp>,
    /// Hears when the body has been taken, where its client is to hang up then.
    pub(super) sent: Option<oneshot::Receiver<()>>,
    /// What the service has to take for it at least, where it answers with this status.
    pub(super) injected: Option<(StatusCode, Duration)>,
}

/// A body as it is sent: at once, or when the service has asked for it.
#[derive(Debug)]
pub(super) struct Sending {
    bytes: Option<Bytes>,
    wait: Option<Wait>,
}

/// Holds a body back.
#[derive(Debug)]
struct Wait {
    asked: oneshot::Receiver<()>,
    sent: oneshot::Sender<()>,
}

impl Request {
    /// What the `n`th of them asks this target for; a query of the target's own is left out.
    #[must_use]
    pub fn path_and_query(&self, n: u64, target: &Target) -> String {
        self.query.nth(self.path.as_deref().unwrap_or_else(|| target.path()), n)
    }

    /// The `n`th of them, for this target; a query of the target's own is left out.
    ///
    /// # Errors
    /// When path and query are too long together, 65,534 bytes.
    pub(super) fn nth(&self, n: u64, target: &Target) -> Result<Box<Outgoing>, http::Error> {
        let path = self.path_and_query(n, target);
        let bytes = Some(self.body.clone()).filter(|bytes| !bytes.is_empty());
        let mut request = http::Request::new(Sending { bytes, wait: None });
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from(PathAndQuery::from_maybe_shared(Bytes::from(path))?);
        request.headers_mut().clone_from(&self.headers);
        request.headers_mut().insert(header::HOST, target.host_header().clone());
        let waits = self.hang_up == Some(HangUp::BeforeAnswer);
        let sent = waits.then(|| hold_back(&mut request));
        let injected = self.work.as_ref().and_then(|work| injected(work, n));
        Ok(Box::new(Outgoing { request, hang_up: self.hang_up, sent, injected }))
    }
}

/// How long the service takes at least for the `n`th such request, and with which status it answers then.
///
/// Nothing of a 503: a service that has too much to do answers so at once.
fn injected(work: &Work, n: u64) -> Option<(StatusCode, Duration)> {
    let injection = work.draw(work.seed?, n);
    let status = StatusCode::from_u16(injection.status).ok()?;
    (status != StatusCode::SERVICE_UNAVAILABLE).then_some((status, injection.latency + injection.cpu))
}

/// Holds the body back until the service asks for it with 100 Continue (RFC 9110, section 10.1.1),
/// which proves that it has read the head; returns what hears when the body has been taken.
fn hold_back(request: &mut http::Request<Sending>) -> oneshot::Receiver<()> {
    let ((asks, asked), (sent, taken)) = (oneshot::channel(), oneshot::channel());
    let asks = Mutex::new(Some(asks));
    request.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
    hyper::ext::on_informational(request, move |answer| {
        let asks = asks.lock().ok().and_then(|mut asks| asks.take());
        if answer.status() == StatusCode::CONTINUE
            && let Some(asks) = asks
        {
            // Nobody hears it where the request has come to its end.
            let _ = asks.send(());
        }
    });
    request.body_mut().wait = Some(Wait { asked, sent });
    taken
}

impl Body for Sending {
    type Data = Bytes;
    /// When the connection ends before the service has asked for the body.
    type Error = oneshot::error::RecvError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(wait) = &mut self.wait {
            if let Err(gone) = ready!(Pin::new(&mut wait.asked).poll(context)) {
                return Poll::Ready(Some(Err(gone)));
            }
            if let Some(Wait { sent, .. }) = self.wait.take() {
                // As above.
                let _ = sent.send(());
            }
        }
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body_util::BodyExt;

    use super::*;

    fn request(query: Query) -> Request {
        Request {
            method: Method::GET,
            path: None,
            query,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            hang_up: None,
            work: None,
        }
    }

    fn path(parameters: &[(&str, &str)], counter: Option<&str>, n: u64) -> String {
        let request = request(Query::new(parameters.iter().copied(), counter));
        let target = Target::parse("http://app:8080/work").unwrap();
        request.nth(n, &target).unwrap().request.uri().to_string()
    }

    #[test]
    fn requests_are_counted_in_their_query() {
        assert_eq!(path(&[("seed", "7")], Some("n"), 41), "/work?seed=7&n=41");
        assert_eq!(path(&[], Some("n"), 0), "/work?n=0");
        assert_eq!(path(&[("cpu", "1ms")], None, 3), "/work?cpu=1ms");
        assert_eq!(path(&[], None, 3), "/work");
    }

    #[test]
    fn values_are_encoded() {
        assert_eq!(path(&[("latency", "p50=1ms,p99=2ms")], None, 0), "/work?latency=p50%3D1ms%2Cp99%3D2ms");
    }

    #[test]
    fn the_host_is_the_one_of_the_url_and_a_path_of_its_own_wins() {
        let target = Target::parse("http://app:8080/there").unwrap();
        let own = Request { path: Some("/here".to_owned()), ..request(Query::as_written("a=1")) };
        let sent = own.nth(0, &target).unwrap().request;
        assert_eq!(
            (sent.headers()["host"].to_str().unwrap(), sent.uri().to_string()),
            ("app:8080", "/here?a=1".to_owned())
        );
    }

    #[tokio::test]
    async fn a_body_that_nobody_asks_for_is_not_sent() {
        let before = Request {
            method: Method::POST,
            body: Bytes::from_static(b"hello"),
            hang_up: Some(HangUp::BeforeAnswer),
            ..request(Query::default())
        };
        let target = Target::parse("http://app:8080").unwrap();
        let mut outgoing = before.nth(0, &target).unwrap();
        assert_eq!(outgoing.request.headers()["expect"], "100-continue");
        assert_eq!(outgoing.request.size_hint().exact(), Some(5));
        let mut frame = outgoing.request.body_mut().frame();
        assert!(Pin::new(&mut frame).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        outgoing.request.extensions_mut().clear();
        assert!(outgoing.request.body_mut().frame().await.unwrap().is_err(), "the connection is gone");
        assert!(outgoing.sent.unwrap().try_recv().is_err());
    }

    #[test]
    fn what_work_takes_at_least_is_known_unless_it_could_be_shed() {
        let asks = |query: &str| {
            let mut work = Work::from_query(query, &firedrill_contract::Caps::WIDEST).unwrap();
            work.seed = Some(7);
            Request { work: Some(work), ..request(Query::default()) }
        };
        let target = Target::parse("http://app:8080").unwrap();
        let injected = |query: &str| asks(query).nth(0, &target).unwrap().injected;
        let millis = Duration::from_millis;
        assert_eq!(injected("latency=20ms&cpu=5ms&status=404"), Some((StatusCode::NOT_FOUND, millis(25))));
        assert_eq!(injected("latency=20ms&status=503"), None);
        assert_eq!(request(Query::default()).nth(0, &target).unwrap().injected, None);
    }
}
