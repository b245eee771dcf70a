//! Connects to a host by its name, whatever addresses the name has today, and over TLS where that is wanted.
//!
//! A name may stand for several replicas, and for others in a minute: it is looked up anew, its
//! addresses are taken in turn, and one that does not take the connection is passed over. What was
//! looked up is kept for a second, so that a storm of connections is not a storm of look-ups.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{HostPort, Stream, Trust};

/// How long the addresses of a name are used before it is looked up again.
pub const FRESH: Duration = Duration::from_secs(1);

type Looked = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
type Lookup = Box<dyn Fn() -> Looked + Send + Sync>;

/// A host that can be connected to.
pub struct Connector {
    to: HostPort,
    lookup: Lookup,
    /// Whom to trust, where TLS is spoken.
    trust: Option<Trust>,
    known: tokio::sync::Mutex<Option<Known>>,
    turn: AtomicUsize,
}

/// What the last look-up said, also when it failed.
struct Known {
    since: Instant,
    addresses: Result<Arc<[SocketAddr]>, Arc<str>>,
}

/// Why there is no connection. No byte was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// The name has no address, or could not be looked up.
    Unnamed(Arc<str>),
    /// Each address refused: nobody listens there.
    Refused,
    /// No address took the connection in time.
    TimedOut,
    /// The last address failed in another way.
    Failed(String),
    /// There is a connection, but no TLS over it: why, and what to do.
    Insecure(String),
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unnamed(error) => write!(f, "no address found: {error}"),
            Self::Refused => f.write_str("connection refused"),
            Self::TimedOut => f.write_str("no connection in time"),
            Self::Failed(error) => write!(f, "no connection: {error}"),
            Self::Insecure(why) => f.write_str(why),
        }
    }
}

impl Error for Unreached {}

/// A new connection.
#[derive(Debug)]
pub struct Opened {
    /// What is read from and written to.
    pub stream: Stream,
    /// How long the TCP handshake took: a round trip to whoever took the connection, without looking up its name and
    /// without TLS.
    pub handshake: Duration,
}

impl Connector {
    /// A host that the system's resolver looks up.
    #[must_use]
    pub fn new(to: HostPort) -> Self {
        let name = (to.host().to_owned(), to.port());
        Self::looked_up_by(to, move || {
            let name = name.clone();
            async move { Ok(tokio::net::lookup_host((name.0.as_str(), name.1)).await?.collect()) }
        })
    }

    /// A host that `lookup` finds.
    pub fn looked_up_by<F>(to: HostPort, lookup: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        Self {
            to,
            lookup: Box::new(move || Box::pin(lookup())),
            trust: None,
            known: tokio::sync::Mutex::default(),
            turn: AtomicUsize::new(0),
        }
    }

    /// With TLS, spoken with who can prove by certificate to be this host.
    #[must_use]
    pub fn secured(self, trust: Trust) -> Self {
        Self { trust: Some(trust), ..self }
    }

    /// The name it goes by.
    #[must_use]
    pub const fn to(&self) -> &HostPort {
        &self.to
    }

    /// Opens a connection, and secures it where TLS is spoken.
    ///
    /// # Errors
    /// When no address took the connection before `deadline`, or the one that did cannot be trusted.
    pub async fn open(&self, deadline: Instant) -> Result<Opened, Unreached> {
        let (stream, handshake) = self.handshake(deadline).await?;
        let Some(trust) = &self.trust else { return Ok(Opened { stream: Stream::Plain(stream), handshake }) };
        let secured = timeout_at(deadline, trust.secure(stream, self.to.host())).await;
        let stream = secured.map_err(|_| Unreached::TimedOut)?.map_err(Unreached::Insecure)?;
        Ok(Opened { stream, handshake })
    }

    /// Connects to the next address in turn, or, where it fails, to one of the others.
    ///
    /// Each address gets an equal share of the time that is left. The connection has Nagle's
    /// algorithm off (RFC 896), which would hold small writes back.
    ///
    /// # Errors
    /// When no address took the connection before `deadline`.
    pub async fn connect(&self, deadline: Instant) -> Result<TcpStream, Unreached> {
        Ok(self.handshake(deadline).await?.0)
    }

    /// Connects, and says how long the address that took the connection took for it.
    async fn handshake(&self, deadline: Instant) -> Result<(TcpStream, Duration), Unreached> {
        let looked_up = timeout_at(deadline, self.addresses()).await;
        let addresses = looked_up.map_err(|_| Unreached::TimedOut)?.map_err(Unreached::Unnamed)?;
        let count = addresses.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut why = Unreached::Refused;
        for tried in 0..count {
            let address = addresses[first.wrapping_add(tried) % count];
            let started = Instant::now();
            let left = deadline.saturating_duration_since(started);
            let share = left / u32::try_from(count - tried).unwrap_or(u32::MAX);
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let took = started.elapsed();
                    // Without it the connection works all the same, only slower.
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, took));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Ok(Err(error)) => why = Unreached::Failed(error.to_string()),
                Err(_) => why = Unreached::TimedOut,
            }
        }
        Err(why)
    }

    /// The addresses, looked up by one caller at a time; the others wait for its answer.
    async fn addresses(&self) -> Result<Arc<[SocketAddr]>, Arc<str>> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref()
            && known.since.elapsed() < FRESH
        {
            return known.addresses.clone();
        }
        let addresses = match (self.lookup)().await {
            Ok(none) if none.is_empty() => Err("the name exists without an address".into()),
            Ok(some) => Ok(some.into()),
            Err(error) => Err(error.to_string().into()),
        };
        *known = Some(Known { since: Instant::now(), addresses: addresses.clone() });
        addresses
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(&self.to).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use tokio::net::TcpListener;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn among(addresses: Vec<SocketAddr>) -> Connector {
        Connector::looked_up_by("app:8080".parse().unwrap(), move || {
            let addresses = addresses.clone();
            async move { Ok(addresses) }
        })
    }

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    async fn nobody() -> SocketAddr {
        listener().await.1
    }

    #[tokio::test]
    async fn addresses_are_taken_in_turn() {
        let ((_a, a), (_b, b)) = (listener().await, listener().await);
        let connector = among(vec![a, b]);
        let mut reached = Vec::new();
        for _ in 0..4 {
            reached.push(connector.connect(soon()).await.unwrap().peer_addr().unwrap());
        }
        assert_eq!(reached, [a, b, a, b]);
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_passed_over() {
        let (_listener, there) = listener().await;
        let connector = among(vec![nobody().await, there]);
        for _ in 0..3 {
            assert_eq!(connector.connect(soon()).await.unwrap().peer_addr().unwrap(), there);
        }
    }

    #[tokio::test]
    async fn it_says_why_there_is_no_connection() {
        assert_eq!(among(vec![nobody().await]).connect(soon()).await.unwrap_err(), Unreached::Refused);
        let unnamed = among(vec![]).connect(soon()).await.unwrap_err();
        assert_eq!(unnamed.to_string(), "no address found: the name exists without an address");
        let connector = Connector::looked_up_by("app:1".parse().unwrap(), std::future::pending);
        assert_eq!(connector.connect(Instant::now()).await.unwrap_err(), Unreached::TimedOut);
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_for_many_and_again_when_it_is_no_longer_fresh() {
        let (_listener, there) = listener().await;
        let answers = Mutex::new(VecDeque::from([Err("not yet"), Ok(there)]));
        let connector = Connector::looked_up_by("app:8080".parse().unwrap(), move || {
            let answer = answers.lock().unwrap().pop_front().unwrap();
            async move { answer.map(|address| vec![address]).map_err(io::Error::other) }
        });
        let (first, second) = tokio::join!(connector.connect(soon()), connector.connect(soon()));
        assert_eq!(first.unwrap_err(), Unreached::Unnamed("not yet".into()));
        assert_eq!(second.unwrap_err(), Unreached::Unnamed("not yet".into()));
        let mut known = connector.known.lock().await;
        known.as_mut().unwrap().since = Instant::now().checked_sub(FRESH).unwrap();
        drop(known);
        assert_eq!(connector.connect(soon()).await.unwrap().peer_addr().unwrap(), there);
    }
}
