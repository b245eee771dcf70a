//! A client's socket with its deadlines, so that a slow or idle client cannot hold the server.
//!
//! hyper reads and writes through it, and the requests on it reach it through a [`Link`].

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::config::Timeouts;
use super::link::Link;

/// Its timers are moved only when they go off too early, not with each byte.
pub(super) struct Connection {
    stream: TcpStream,
    link: Arc<Link>,
    timeouts: Timeouts,
    read_timer: Pin<Box<Sleep>>,
    /// Runs while the client reads nothing.
    write_timer: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, timeouts: Timeouts) -> Self {
        let now = Instant::now();
        let read_timer = Box::pin(sleep_until(now + timeouts.header.min(timeouts.idle)));
        Self { stream, link: Arc::new(Link::new(now)), timeouts, read_timer, write_timer: None }
    }

    pub(super) fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link)
    }

    /// Ready when the client has taken too long to send what is awaited.
    fn poll_read_timeout(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.read_timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            let next = match self.link.read_deadline(&self.timeouts) {
                Some(deadline) if deadline <= now => return Poll::Ready(()),
                Some(deadline) => deadline.min(now + self.timeouts.header),
                None => now + self.timeouts.header.min(self.timeouts.idle),
            };
            self.read_timer.as_mut().reset(next);
        }
        Poll::Pending
    }

    /// Passes on the result of a write, or fails it if the client has read nothing for too long.
    fn or_write_timeout<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let write_timeout = self.timeouts.write;
        let timer = self.write_timer.get_or_insert_with(|| Box::pin(sleep(write_timeout)));
        if timer.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.link.time_write_out();
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing")))
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
                    self.link.bytes_received();
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
        if self.link.is_reset() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.link.is_reset() {
            // Closing a socket that lingers for no time sends RST instead of FIN. A socket that the
            // client has closed already refuses the option, and then nobody is left to be reset.
            let _ = self.stream.set_zero_linger();
        }
    }
}
