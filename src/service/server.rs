//! Takes connections, within bounds, until the service is told to end.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use futures_util::FutureExt as _;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tower::Service as _;

use super::background::Background;
use super::burden::MemoryBudget;
use super::connection::{Connection, Link};
use super::lifecycle::{Lifecycle, Phase};
use super::measure::{Measured, Measurement};
use super::problem::Problem;
use super::route;
use super::telemetry::{ErrorType, ReasonLabels, Telemetry, Unreadable};
use super::{Config, Shared};

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, not this machine's, or not an address.
    #[error("cannot listen on {0}: {1}; give another address with --listen, such as 127.0.0.1:8081")]
    Listen(String, io::Error),
    /// The system granted no thread.
    #[error("cannot start {0} threads that burn CPU time: {1}; ask for fewer with --cpu-threads")]
    Threads(u16, io::Error),
    /// One request may ask for more than all together may have.
    #[error(
        "one request may hold {one} of memory and all together {all}; make --max-memory smaller or --max-memory-total larger"
    )]
    Memory {
        /// The cap of one request.
        one: crate::contract::Size,
        /// The bound of all.
        all: crate::contract::Size,
    },
}

/// A service that listens and has not yet begun to serve.
pub struct Service {
    listener: TcpListener,
    shared: Arc<Shared>,
}

/// Tells a running service to end. Cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// Drains, then finishes what is in flight, then ends. Again: ends at once.
    pub fn terminate(&self) {
        self.end(Phase::Draining);
    }

    /// Finishes what is in flight and ends, without draining first. Again: ends at once.
    pub fn interrupt(&self) {
        self.end(Phase::Finishing);
    }

    fn end(&self, phase: Phase) {
        let lifecycle = &self.0.lifecycle;
        lifecycle.advance(if lifecycle.phase() == Phase::Serving { phase } else { Phase::Cutting });
    }
}

impl Service {
    /// Takes the address and everything else that can fail.
    ///
    /// # Errors
    /// Each with what to do about it; see [`StartError`].
    pub async fn bind(config: Config) -> Result<Self, StartError> {
        if config.caps.memory > config.max_memory_total {
            return Err(StartError::Memory { one: config.caps.memory, all: config.max_memory_total });
        }
        let threads = config.cpu_threads;
        let background = Background::start(threads).map_err(|error| StartError::Threads(threads, error))?;
        let listener = TcpListener::bind(&config.listen)
            .await
            .map_err(|error| StartError::Listen(config.listen.clone(), error))?;
        let shared = Arc::new(Shared {
            telemetry: Telemetry::new(&config),
            lifecycle: Lifecycle::new(),
            background,
            memory: Arc::new(MemoryBudget::new(config.max_memory_total)),
            places: Arc::new(Semaphore::new(config.max_work.into())),
            draws: AtomicU64::new(0),
            config,
        });
        Ok(Self { listener, shared })
    }

    /// The address that the service listens on, with the port that the system chose.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What ends the service from elsewhere.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.shared))
    }

    /// Serves until it is told to end, and returns the exit code: 0, or what a request asked for.
    pub async fn run(self) -> u8 {
        let shared = Arc::clone(&self.shared);
        tokio::select! {
            _ = shared.lifecycle.reached(Phase::Crashing(0)) => {}
            () = self.serve_and_end() => {}
        }
        match shared.lifecycle.phase() {
            Phase::Crashing(code) => code,
            Phase::Serving | Phase::Draining | Phase::Finishing | Phase::Cutting => 0,
        }
    }

    async fn serve_and_end(self) {
        let Self { listener, shared } = self;
        let lifecycle = &shared.lifecycle;
        let slots = Arc::new(Semaphore::new(shared.config.max_connections.into()));
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        let router = route::router(Arc::clone(&shared));
        let server = Server { router, shared: Arc::clone(&shared), slots, refusals };
        let drained = async {
            if lifecycle.reached(Phase::Draining).await == Phase::Draining {
                tracing::info!(seconds = shared.config.drain.as_secs_f64(), "draining");
                let _ = timeout(shared.config.drain, lifecycle.reached(Phase::Finishing)).await;
            }
            lifecycle.advance(Phase::Finishing);
        };
        tokio::select! {
            () = server.accept(&listener) => {}
            () = drained => {}
        }
        tracing::info!(seconds = shared.config.grace.as_secs_f64(), "finishing what is in flight");
        server.accept_the_rest(listener);
        let all = u32::from(shared.config.max_connections);
        let finished = async {
            tokio::select! {
                _ = server.slots.acquire_many(all) => true,
                _ = lifecycle.reached(Phase::Cutting) => false,
            }
        };
        if !timeout(shared.config.grace, finished).await.unwrap_or(false) {
            lifecycle.advance(Phase::Cutting);
            // Every connection sees that at its next step and counts what it gives up.
            let _ = timeout(Duration::from_secs(1), server.slots.acquire_many(all)).await;
            tracing::warn!("gave up what was still in flight");
        }
    }
}

/// How long the client of a new connection may take to begin its request while the service ends.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Refusals that may be under way at a time; one more connection is closed without a word.
const REFUSALS: usize = 32;

/// What each connection is served with.
struct Server {
    router: Router,
    shared: Arc<Shared>,
    /// One for each connection that may be open.
    slots: Arc<Semaphore>,
    /// One for each connection that may be refused with an answer.
    refusals: Arc<Semaphore>,
}

impl Server {
    async fn accept(&self, listener: &TcpListener) {
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
    fn accept_the_rest(&self, listener: TcpListener) {
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
            self.shared.telemetry.connections_refused.inc();
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
        tokio::spawn(serve(stream, self.router.clone(), Arc::clone(&self.shared), slot));
    }
}

/// Serves one connection to its end.
async fn serve(stream: TcpStream, router: Router, shared: Arc<Shared>, slot: OwnedSemaphorePermit) {
    let connection = Connection::new(stream, shared.config.patience.clone());
    let link = connection.link();
    shared.telemetry.connections.inc();
    let serving = http1::Builder::new()
        .max_header_size(usize::try_from(shared.config.max_header.bytes()).unwrap_or(usize::MAX))
        .serve_connection(
            TokioIo::new(connection),
            service_fn(|request: Request<Incoming>| {
                // Begun here and not in the future, which hyper may drop before it is ever polled.
                let (mut parts, body) = request.into_parts();
                let measurement = Measurement::begin(&shared, &link, &parts);
                parts.extensions.insert(Arc::clone(&link));
                respond(Request::from_parts(parts, Body::new(body)), measurement, router.clone(), &shared)
            }),
        );
    {
        let mut serving = std::pin::pin!(serving);
        let served = tokio::select! {
            served = serving.as_mut() => Some(served),
            _ = shared.lifecycle.reached(Phase::Finishing) => {
                let finished = finish(serving.as_mut(), &link);
                tokio::select! {
                    served = finished => Some(served),
                    _ = shared.lifecycle.reached(Phase::Cutting) => None,
                }
            }
        };
        if let Some(Err(error)) = served
            && let Some(reason) = unreadable(&error, &link)
        {
            shared.telemetry.unreadable_requests.get_or_create(&ReasonLabels { reason }).inc();
        }
    }
    shared.telemetry.connections.dec();
    if let Some(code) = link.exit_code() {
        tracing::warn!(code, "ending, as a request asked");
        shared.lifecycle.advance(Phase::Crashing(code));
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
async fn respond(
    request: Request<Body>,
    measurement: Measurement,
    mut router: Router,
    shared: &Shared,
) -> Result<Response<Measured<Body>>, ResetConnection> {
    let answered = AssertUnwindSafe(router.call(request)).catch_unwind().await;
    let mut answer = match answered {
        Ok(Ok(answer)) => answer,
        Ok(Err(never)) => match never {},
        Err(_) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the handler panicked; the log says where")
            .counts_as(ErrorType::Panic)
            .into_response(),
    };
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
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if shared.lifecycle.phase() >= Phase::Draining {
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
