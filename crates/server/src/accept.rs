//! Takes connections within bounds, and serves each to its end.

use std::future::poll_fn;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::{HeaderValue, StatusCode, header};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::answer::{Body, Request};
use super::connection::{Aftermath, Connection, Link};
use super::host;
use super::lifecycle::Phase;
use super::measure::{Measured, Measurement};
use super::problem::Problem;
use super::telemetry::{ErrorType, ReasonLabels, Unreadable};
use super::{Core, Program};

/// How long the client of a new connection may take to begin its request while the service ends.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Refusals that may be under way at a time; one more connection is closed without a word.
const REFUSALS: usize = 32;

/// What each connection is served with.
pub(super) struct Acceptor<P> {
    program: Arc<P>,
    core: Arc<Core>,
    /// One for each connection that may be open.
    slots: Arc<Semaphore>,
    /// One for each connection that may be refused with an answer.
    refusals: Arc<Semaphore>,
}

impl<P: Program> Acceptor<P> {
    pub(super) fn new(program: Arc<P>, core: Arc<Core>) -> Self {
        let slots = Arc::new(Semaphore::new(core.config.max_connections.into()));
        Self { program, core, slots, refusals: Arc::new(Semaphore::new(REFUSALS)) }
    }

    /// Waits until no connection is open.
    pub(super) async fn idle(&self) {
        let _ = self.slots.acquire_many(self.core.config.max_connections.into()).await;
    }

    pub(super) async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.take(stream),
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    // Out of files or memory: what is open goes on, and what waits is taken when there is room.
                    tracing::error!(%error, "cannot take a connection");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Serves the clients whose connections the kernel has accepted already, and closes the listener.
    pub(super) fn accept_the_rest(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, _)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.take(stream);
            }
        }
    }

    /// Serves a connection in a task of its own, or refuses it.
    fn take(&self, stream: TcpStream) {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            self.core.telemetry.connections_refused.inc();
            if let Ok(refusal) = Arc::clone(&self.refusals).try_acquire_owned() {
                tokio::spawn(async move {
                    refuse(stream).await;
                    drop(refusal);
                });
            }
            return;
        };
        // Answers are written whole; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let outages = self.core.lifecycle.outages();
        tokio::spawn(serve(stream, Arc::clone(&self.program), Arc::clone(&self.core), outages, slot));
    }
}

/// Serves one connection, taken after so many outages, to its end.
async fn serve<P: Program>(
    stream: TcpStream,
    program: Arc<P>,
    core: Arc<Core>,
    outages: u64,
    slot: OwnedSemaphorePermit,
) {
    let connection = Connection::new(stream, core.config.patience.clone());
    let link = connection.link();
    core.telemetry.connections.inc();
    let serving = http1::Builder::new()
        .max_header_size(usize::try_from(core.config.max_header.bytes()).unwrap_or(usize::MAX))
        .serve_connection(
            TokioIo::new(connection),
            service_fn(|request| {
                // Begun here and not in the future, which hyper may drop before it is ever polled.
                let measurement = Measurement::begin(&core, &link, &request);
                respond(request, measurement, &program, &core, &link)
            }),
        );
    {
        let mut serving = std::pin::pin!(serving);
        let served = tokio::select! {
            served = serving.as_mut() => Some(served),
            () = core.lifecycle.closes(outages) => {
                let finished = finish(serving.as_mut(), &link);
                tokio::select! {
                    served = finished => Some(served),
                    _ = core.lifecycle.reached(Phase::Cutting) => None,
                }
            }
        };
        if let Some(Err(error)) = served
            && let Some(reason) = unreadable(&error, &link)
        {
            core.telemetry.unreadable_requests.get_or_create(&ReasonLabels { reason }).inc();
        }
    }
    core.telemetry.connections.dec();
    match link.aftermath() {
        Some(Aftermath::Exit(code)) => {
            tracing::warn!(code, "ending, as a request asked");
            core.lifecycle.advance(Phase::Crashing(code));
        }
        Some(Aftermath::Outage(duration)) => {
            tracing::warn!(seconds = duration.as_secs_f64(), "an outage, as a request asked");
            core.lifecycle.ask_for_outage(Instant::now() + duration);
        }
        None => {}
    }
    drop(slot);
}

/// Serves the request that a connection has, or, where it is new, is about to have; then closes it.
async fn finish<C>(mut serving: Pin<&mut C>, link: &Link) -> hyper::Result<()>
where
    C: GracefulConnection<Error = hyper::Error>,
{
    // hyper closes a connection that nothing has come on, and so would lose the request of a client that
    // has just connected.
    let begun = poll_fn(|context| match serving.as_mut().poll(context) {
        Poll::Ready(served) => Poll::Ready(Some(served)),
        Poll::Pending if link.has_begun() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    if let Ok(Some(served)) = timeout(FIRST_REQUEST, begun).await {
        return served;
    }
    serving.as_mut().graceful_shutdown();
    serving.await
}

/// Ends a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset, as the request asked")]
struct ResetConnection;

/// Answers one request, whatever its handler does, and measures it to the end of its answer.
async fn respond<P: Program>(
    request: Request,
    measurement: Measurement,
    program: &Arc<P>,
    core: &Core,
    link: &Arc<Link>,
) -> Result<http::Response<Measured<Body>>, ResetConnection> {
    let route = measurement.route();
    let mut answer = if let Err(problem) = host::check(&request) {
        Err(problem)
    } else if route.takes(request.method()) {
        AssertUnwindSafe(program.answer(route, request, link)).catch_unwind().await.unwrap_or_else(|_| {
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the handler panicked; the log says where")
                .counts_as(ErrorType::Panic))
        })
    } else {
        Err(route.method_not_allowed())
    }
    .unwrap_or_else(Problem::into_response);
    let status = answer.status();
    let error_type = answer.extensions_mut().remove::<ErrorType>().unwrap_or(match status.as_u16() {
        status @ 500.. => ErrorType::Status(status),
        _ => ErrorType::None,
    });
    if error_type == ErrorType::Reset {
        measurement.reset();
        return Err(ResetConnection);
    }
    let headers = answer.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(const { HeaderValue::from_static("no-store") });
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, const { HeaderValue::from_static("nosniff") });
    if core.lifecycle.is_going_away() {
        // So that clients do not begin another request on a connection that is about to close.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(measurement.answered(answer, error_type))
}

/// What it was that could not be read as a request, if that is why the connection ended.
fn unreadable(error: &hyper::Error, link: &Link) -> Option<Unreadable> {
    if error.is_parse_too_large() {
        Some(Unreadable::TooLarge)
    } else if error.is_parse() {
        Some(Unreadable::Malformed)
    } else if !link.in_head() {
        None
    } else if is_timeout(error) {
        Some(Unreadable::Timeout)
    } else {
        Some(Unreadable::Incomplete)
    }
}

fn is_timeout(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut)
}

/// Says that there are too many connections, and leaves the client a moment to read that.
async fn refuse(mut stream: TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
        content-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 113\r\n\r\n\
        {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"every place for connections is taken\"}";
    let farewell = async {
        stream.write_all(ANSWER).await?;
        stream.shutdown().await?;
        // Closing while the client's request is unread would reset the connection under the answer.
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
        io::Result::Ok(())
    };
    // Whether the client waited for the answer is its own affair.
    let _ = timeout(Duration::from_secs(1), farewell).await;
}

/// The client was gone before its connection was taken; accept(2) asks to try the next one.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
