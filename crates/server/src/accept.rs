//! Accepts connections within bounds, and serves each to its end.

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

use super::connection::Connection;
use super::core::Core;
use super::endpoint::method_not_allowed;
use super::host;
use super::lifecycle::Phase;
use super::link::{Link, OnClose};
use super::measure::{Measured, Measurement};
use super::outcome::ErrorType;
use super::problem::Problem;
use super::program::Program;
use super::request::Request;
use super::telemetry::{ReasonLabels, Unreadable};

/// How long the client of a new connection may take to begin its request while the service ends.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Rejections that may be under way at a time; one more connection is closed without an answer.
const REJECTIONS: usize = 32;

/// What each connection is served with.
pub(super) struct Acceptor<P> {
    program: Arc<P>,
    core: Arc<Core>,
    /// One for each connection that may be open.
    permits: Arc<Semaphore>,
    /// One for each connection that may be rejected with an answer.
    rejections: Arc<Semaphore>,
}

impl<P: Program> Acceptor<P> {
    pub(super) fn new(program: Arc<P>, core: Arc<Core>) -> Self {
        let permits = Arc::new(Semaphore::new(core.config.max_connections.into()));
        Self { program, core, permits, rejections: Arc::new(Semaphore::new(REJECTIONS)) }
    }

    /// Waits until no connection is open.
    pub(super) async fn idle(&self) {
        let _ = self.permits.acquire_many(self.core.config.max_connections.into()).await;
    }

    pub(super) async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.serve_or_reject(stream),
                Err(error) if is_connection_error(&error) => {}
                Err(error) => {
                    // Out of files or memory: what is open goes on, and what waits is accepted when there is room.
                    tracing::error!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Serves the clients whose connections the kernel has accepted already, and closes the listener.
    pub(super) fn accept_backlog(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, _)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.serve_or_reject(stream);
            }
        }
    }

    /// Serves a connection in a task of its own, or rejects it.
    fn serve_or_reject(&self, stream: TcpStream) {
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            self.core.telemetry.connections_refused.inc();
            if let Ok(rejection) = Arc::clone(&self.rejections).try_acquire_owned() {
                tokio::spawn(async move {
                    reject(stream).await;
                    drop(rejection);
                });
            }
            return;
        };
        // Answers are written whole; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let outages = self.core.lifecycle.outages();
        tokio::spawn(serve(stream, Arc::clone(&self.program), Arc::clone(&self.core), outages, permit));
    }
}

/// Serves one connection, accepted after this many outages, to its end.
async fn serve<P: Program>(
    stream: TcpStream,
    program: Arc<P>,
    core: Arc<Core>,
    outages: u64,
    permit: OwnedSemaphorePermit,
) {
    let connection = Connection::new(stream, core.config.timeouts.clone());
    let link = connection.link();
    core.telemetry.connections.inc();
    let serving = http1::Builder::new()
        .max_header_size(usize::try_from(core.config.max_header.bytes()).unwrap_or(usize::MAX))
        .serve_connection(
            TokioIo::new(connection),
            service_fn(|request| {
                let request = Request::new(request, P::ROUTES);
                let workload = program.workload(request.route, &request.query);
                // Begun here and not in the future, which hyper may drop before it is ever polled.
                let measurement = Measurement::begin(&core, &link, &request, workload);
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
    match link.on_close() {
        Some(OnClose::Exit(code)) => {
            tracing::warn!(code, "ending, as a request asked");
            core.lifecycle.advance(Phase::Crashing(code));
        }
        Some(OnClose::Outage(duration)) => {
            tracing::warn!(seconds = duration.as_secs_f64(), "an outage, as a request asked");
            core.lifecycle.ask_for_outage(Instant::now() + duration);
        }
        None => {}
    }
    drop(permit);
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
) -> Result<http::Response<Measured>, ResetConnection> {
    let mut answer = if let Err(problem) = host::check(&request.head) {
        Err(problem)
    } else if request.route.takes(&request.head.method) {
        AssertUnwindSafe(program.answer(request, link)).catch_unwind().await.unwrap_or_else(|_| {
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the handler panicked; the log says where")
                .error_type(ErrorType::Panic))
        })
    } else {
        Err(method_not_allowed(request.route))
    }
    .unwrap_or_else(Problem::into_answer);
    let status = answer.response.status().as_u16();
    let error_type = answer.error_type.unwrap_or_else(|| ErrorType::from_status(status));
    if error_type == ErrorType::Reset {
        measurement.reset();
        return Err(ResetConnection);
    }
    let headers = answer.response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(const { HeaderValue::from_static("no-store") });
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, const { HeaderValue::from_static("nosniff") });
    if core.lifecycle.is_going_away() {
        // So that clients do not begin another request on a connection that is about to close.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(measurement.answered(answer, error_type))
}

/// Why what came could not be read as a request, if that ended the connection.
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
async fn reject(mut stream: TcpStream) {
    let body = Problem::unavailable("the limit of connections is reached").to_json();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let farewell = async {
        stream.write_all(&[head.as_bytes(), &body].concat()).await?;
        stream.shutdown().await?;
        // Closing while the client's request is unread would reset the connection under the answer.
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
        io::Result::Ok(())
    };
    // Whether the client waited for the answer is its own affair.
    let _ = timeout(Duration::from_secs(1), farewell).await;
}

/// The client was gone before its connection was accepted; accept(2) asks to try the next one.
fn is_connection_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
