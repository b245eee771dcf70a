//! One client's connection: its deadlines, and the ways in which it can end badly on purpose.
//!
//! hyper reads and writes through [`Connection`], which keeps a slow or idle client from holding the
//! server. The requests on it reach it through a [`Link`]. HTTP/1 has one request at a time on a
//! connection, so a link holds the state of that one.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::telemetry::{MethodLabels, RequestLabels, Workload};

/// How long a client may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// For a request's head, from its first byte.
    pub header: Duration,
    /// For the next request to begin.
    pub idle: Duration,
    /// To take any part of an answer that waits for it.
    pub write: Duration,
}

/// What a connection is waiting for from its client.
#[derive(Clone, Copy)]
enum Awaiting {
    /// The next request, since then.
    Request(Instant),
    /// The rest of a request's head, since its first byte.
    Head(Instant),
    /// Nothing: a request is being served.
    Nothing,
}

/// What a request and its connection know of each other.
pub struct Link {
    current: Mutex<Current>,
    begun: AtomicBool,
    write_timed_out: AtomicBool,
    reset: AtomicBool,
    aftermath: Mutex<Option<Aftermath>>,
}

/// What is known of the request that a connection has, under one lock, which each request takes a few times.
pub(super) struct Current {
    awaiting: Awaiting,
    /// `None` where requests have no workload.
    pub(super) workload: Option<Workload>,
    /// The series that the last request was counted in.
    pub(super) active: LastSeries<MethodLabels, Gauge>,
    pub(super) duration: LastSeries<RequestLabels, Histogram>,
}

/// What becomes of the server once a connection has closed, because a request on it asked for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// The process ends with this code.
    Exit(u8),
    /// Nobody is answered for so long.
    Outage(Duration),
}

impl Link {
    /// A request begins; what counts it in.
    pub(super) fn begin_request(&self, workload: Option<Workload>) -> MutexGuard<'_, Current> {
        let mut current = lock(&self.current);
        current.awaiting = Awaiting::Nothing;
        current.workload = workload;
        current
    }

    /// The request ends here; what counts it out.
    pub(super) fn end_request(&self, now: Instant) -> MutexGuard<'_, Current> {
        let mut current = lock(&self.current);
        current.awaiting = Awaiting::Request(now);
        current
    }

    /// Says whose traffic the request is, once that is known.
    pub fn set_workload(&self, workload: Workload) {
        lock(&self.current).workload = Some(workload);
    }

    /// Makes the connection end in a TCP reset instead of an orderly close.
    pub(super) fn reset(&self) {
        self.reset.store(true, Relaxed);
    }

    /// Has this happen once the connection has closed.
    pub fn afterwards(&self, aftermath: Aftermath) {
        *lock(&self.aftermath) = Some(aftermath);
    }

    pub(super) fn aftermath(&self) -> Option<Aftermath> {
        *lock(&self.aftermath)
    }

    pub fn write_timed_out(&self) -> bool {
        self.write_timed_out.load(Relaxed)
    }

    /// Whether anything has come from the client yet.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Relaxed)
    }

    /// Whether the client is in the middle of a request's head.
    pub(super) fn in_head(&self) -> bool {
        matches!(lock(&self.current).awaiting, Awaiting::Head(_))
    }

    fn bytes_came(&self) {
        self.begun.store(true, Relaxed);
        let mut current = lock(&self.current);
        if matches!(current.awaiting, Awaiting::Request(_)) {
            current.awaiting = Awaiting::Head(Instant::now());
        }
    }

    /// When patience with the client's next bytes ends.
    fn read_deadline(&self, patience: &Patience) -> Option<Instant> {
        match lock(&self.current).awaiting {
            Awaiting::Request(since) => Some(since + patience.idle),
            Awaiting::Head(since) => Some(since + patience.header),
            Awaiting::Nothing => None,
        }
    }
}

/// The series of a family that was asked for last.
pub(super) struct LastSeries<L, S>(Option<(L, S)>);

impl<L: Copy + PartialEq, S> LastSeries<L, S> {
    /// The series with these labels: mostly the last one again, or else what `look_up` finds, which costs
    /// several times what counting does.
    pub(super) fn of(&mut self, labels: &L, look_up: impl FnOnce(&L) -> S) -> &S {
        self.0.take_if(|(of, _)| of != labels);
        &self.0.get_or_insert_with(|| (*labels, look_up(labels))).1
    }
}

/// These locks are held for an assignment or a look-up, which do not panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client's socket, with deadlines.
///
/// The timers are moved only when they go off too early, not with each byte.
pub(super) struct Connection {
    stream: TcpStream,
    link: Arc<Link>,
    patience: Patience,
    read_timer: Pin<Box<Sleep>>,
    /// Runs while the client takes nothing.
    write_timer: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, patience: Patience) -> Self {
        let now = Instant::now();
        let link = Link {
            current: Mutex::new(Current {
                awaiting: Awaiting::Request(now),
                workload: None,
                active: LastSeries(None),
                duration: LastSeries(None),
            }),
            begun: AtomicBool::new(false),
            write_timed_out: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            aftermath: Mutex::new(None),
        };
        let read_timer = Box::pin(sleep_until(now + patience.header.min(patience.idle)));
        Self { stream, link: Arc::new(link), patience, read_timer, write_timer: None }
    }

    pub(super) fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link)
    }

    /// Ready when the client has taken too long to send what is awaited.
    fn poll_read_timeout(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.read_timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let next = match self.link.read_deadline(&self.patience) {
                Some(deadline) if deadline <= now => return Poll::Ready(()),
                Some(deadline) => deadline.min(now + self.patience.header),
                None => now + self.patience.header.min(self.patience.idle),
            };
            self.read_timer.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Passes on what a write said, or fails it if the client has taken nothing for too long.
    fn or_write_timeout<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let patience = self.patience.write;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.link.write_timed_out.store(true, Relaxed);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        match read {
            Poll::Ready(_) => {
                if buffer.filled().len() > before {
                    self.link.bytes_came();
                }
                read
            }
            Poll::Pending if self.poll_read_timeout(context).is_ready() => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client sends nothing")))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.or_write_timeout(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.or_write_timeout(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.link.reset.load(Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.link.reset.load(Relaxed) {
            // Closing a socket that lingers for no time sends RST instead of FIN. A socket that the
            // client has closed already refuses the option, and then nobody is left to be reset.
            let _ = self.stream.set_zero_linger();
        }
    }
}
