//! Carries TCP connections from one address to the replicas behind a name.
//!
//! Replicas cannot share one published port; this stands before them and takes them in turn. It
//! carries bytes and does not look at them: an end of one side is an end for the other, a reset a
//! reset, so that what a service does to a connection reaches the client as it was done.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::shutdown::{self, Shutdown, ShutdownSignal};
use crate::{Connector, Readiness};

/// A listener, and where what it accepts is carried to.
#[derive(Debug)]
pub struct Forward {
    listener: TcpListener,
    to: Arc<Upstream>,
    bounds: Bounds,
}

/// How much to hold open, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many connections may be open. One above it is reset.
    pub connections: NonZero<u32>,
    /// How long a connection to the name may take, over all of its addresses.
    pub connect: Duration,
    /// How long open connections may go on after a gentle stop. Those that do are reset.
    pub grace: Duration,
}

#[derive(Debug)]
struct Upstream {
    connector: Connector,
    presence: Readiness,
    connect: Duration,
}

/// How long to leave accepting alone when the system cannot accept, e.g. for want of memory.
const PAUSE: Duration = Duration::from_millis(100);

impl Forward {
    /// From a listener to a name.
    #[must_use]
    pub fn new(listener: TcpListener, to: Connector, bounds: Bounds) -> Self {
        let presence = Readiness::new(to.to().clone());
        let to = Arc::new(Upstream { connector: to, presence, connect: bounds.connect });
        Self { listener, to, bounds }
    }

    /// Carries connections until a stop is asked for; then takes no more, and returns when those
    /// that are open have ended, the grace is over, or a stop at once is asked for.
    pub async fn run(self, mut stopping: ShutdownSignal) {
        let Self { listener, to, bounds } = self;
        let most = bounds.connections.get();
        let slots = Arc::new(Semaphore::new(most as usize));
        let (cutter, cut) = shutdown::channel();
        let mut refusals = Refusals::default();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stopping.wait_for(Shutdown::Graceful) => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((client, _)) => {
                    let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                        reset(&client);
                        refusals.tell(most);
                        continue;
                    };
                    let (to, cut) = (Arc::clone(&to), cut.clone());
                    tokio::spawn(async move {
                        carry(client, &to, cut).await;
                        drop(slot);
                    });
                }
                // The client left before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        let open = || (most as usize).saturating_sub(slots.available_permits());
        tracing::info!(open = open(), "accepting no more connections, waiting for those that are open");
        tokio::select! {
            _ = slots.acquire_many(most) => return,
            () = sleep(bounds.grace) => {}
            () = stopping.wait_for(Shutdown::Immediate) => {}
        }
        tracing::warn!(open = open(), "resetting the connections that are still open");
        cutter.ask(Shutdown::Immediate);
        // Each has only to close two sockets.
        let _ = slots.acquire_many(most).await;
    }
}

/// Carries one connection to its end.
async fn carry(mut client: TcpStream, to: &Upstream, mut cut: ShutdownSignal) {
    let connected = tokio::select! {
        connected = to.connector.connect(Instant::now() + to.connect) => connected,
        () = cut.wait_for(Shutdown::Immediate) => return reset(&client),
    };
    to.presence.note(&connected);
    let Ok(mut server) = connected else {
        return reset(&client);
    };
    // Small writes go on as they come; without it they do too, only later.
    let _ = client.set_nodelay(true);
    let ended = tokio::select! {
        copied = copy_bidirectional(&mut client, &mut server) => copied.is_ok(),
        () = cut.wait_for(Shutdown::Immediate) => false,
    };
    if !ended {
        reset(&client);
        reset(&server);
    }
}

/// Makes the end of a connection a reset (RST) instead of an orderly close (FIN).
fn reset(stream: &TcpStream) {
    // Fails only when the connection is gone already.
    let _ = stream.set_zero_linger();
}

/// Tells of refused connections, but not of each.
#[derive(Default)]
struct Refusals {
    untold: u64,
    told: Option<Instant>,
}

impl Refusals {
    const EVERY: Duration = Duration::from_secs(10);

    fn tell(&mut self, most: u32) {
        self.untold += 1;
        if self.told.is_none_or(|told| told.elapsed() >= Self::EVERY) {
            tracing::warn!(refused = self.untold, most, "refused connections: as many as allowed are open");
            *self = Self { untold: 0, told: Some(Instant::now()) };
        }
    }
}
