//! Connections to one target, kept open and used again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::request::Sending;
use firedrill_net::{Connector, Opened, Readiness, Unreached};

/// A connection is used for this long. A name that has got more addresses has its share of the
/// requests move there within this time, and connections that nobody needs any more end.
pub(super) const MAX_AGE: Duration = Duration::from_secs(10);

/// The idle connections to one target. Those in use belong to whoever took them.
#[derive(Debug)]
pub(super) struct Pool {
    connector: Connector,
    readiness: Readiness,
    idle: Mutex<VecDeque<Connection>>,
}

/// An HTTP/1.1 connection that can take a request.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) sender: SendRequest<Sending>,
    pub(super) opened: Instant,
    /// How long its TCP handshake took.
    pub(super) handshake: Duration,
    /// Whether it has carried a request before.
    pub(super) used: bool,
    /// The task that reads and writes, and owns the socket.
    pub(super) driver: AbortHandle,
}

impl Pool {
    pub(super) fn new(connector: Connector) -> Self {
        let readiness = Readiness::new(connector.to().clone());
        Self { connector, readiness, idle: Mutex::default() }
    }

    /// The connection that was used last, or a new one.
    pub(super) async fn take(&self, deadline: Instant) -> Result<Connection, Unreached> {
        match self.idle() {
            Some(connection) => Ok(connection),
            // Boxed, or every request would have room for what few of them do.
            None => Box::pin(self.open(deadline)).await,
        }
    }

    async fn open(&self, deadline: Instant) -> Result<Connection, Unreached> {
        let connected = self.connector.open(deadline).await;
        self.readiness.note(&connected);
        let Opened { stream, handshake } = connected?;
        let shaken = timeout_at(deadline, http1::handshake(TokioIo::new(stream))).await;
        let (sender, connection) =
            shaken.map_err(|_| Unreached::TimedOut)?.map_err(|error| Unreached::Failed(error.to_string()))?;
        // Ends when the sender is dropped. An error of it reaches the request that it hits.
        let driver = tokio::spawn(connection).abort_handle();
        Ok(Connection { sender, opened: Instant::now(), handshake, used: false, driver })
    }

    /// Gives a connection back once it can take another request.
    pub(super) async fn put_back(&self, mut connection: Connection, deadline: Instant) {
        if !connection.sender.is_ready() {
            let ready = Box::pin(timeout_at(deadline, connection.sender.ready())).await;
            if !matches!(ready, Ok(Ok(()))) {
                return;
            }
        }
        connection.used = true;
        self.keep(connection);
    }

    /// Adds an idle connection, and lets go of those that have been idle for too long.
    pub(super) fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push_back(connection);
        while idle.front().is_some_and(Connection::is_expired) {
            idle.pop_front();
        }
    }

    fn idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop_back() {
            if !connection.is_expired() {
                return Some(connection);
            }
        }
        None
    }
}

impl Connection {
    /// Closes it, whatever is under way.
    pub(super) fn hang_up(self) {
        self.driver.abort();
    }

    fn is_expired(&self) -> bool {
        self.sender.is_closed() || self.opened.elapsed() >= MAX_AGE
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A pool, and the listener that it connects to.
    async fn pool() -> (Pool, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap().to_string().parse().unwrap();
        (Pool::new(Connector::new(to)), listener)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[tokio::test]
    async fn a_connection_is_used_again_until_it_is_old() {
        let (pool, _listener) = pool().await;
        let first = pool.take(soon()).await.unwrap();
        assert!(!first.used);
        pool.put_back(first, soon()).await;
        let mut again = pool.take(soon()).await.unwrap();
        assert!(again.used);
        again.opened -= MAX_AGE;
        pool.put_back(again, soon()).await;
        assert!(!pool.take(soon()).await.unwrap().used);
    }

    #[tokio::test]
    async fn connections_that_nobody_needs_any_more_end() {
        let (pool, _listener) = pool().await;
        let (one, other) = (pool.take(soon()).await.unwrap(), pool.take(soon()).await.unwrap());
        pool.put_back(one, soon()).await;
        pool.idle.lock().unwrap()[0].opened -= MAX_AGE;
        pool.put_back(other, soon()).await;
        assert_eq!(pool.idle.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_connection_that_the_other_side_closed_is_not_used_again() {
        let (pool, listener) = pool().await;
        let connection = pool.take(soon()).await.unwrap();
        let (there, _) = listener.accept().await.unwrap();
        pool.put_back(connection, soon()).await;
        drop(there);
        let closed = || pool.idle.lock().unwrap()[0].sender.is_closed();
        while !closed() {
            tokio::task::yield_now().await;
        }
        assert!(!pool.take(soon()).await.unwrap().used);
    }
}
