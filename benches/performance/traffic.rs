//! Connections on which the next request is sent as soon as the last answer is there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::core::Core;
use crate::keep_alive::KeepAlive;

pub(crate) struct Traffic<'a> {
    clients: &'a Core,
    connections: Vec<KeepAlive>,
}

/// What came of it.
pub(crate) struct Asked {
    pub(crate) answers: f64,
    pub(crate) took: Duration,
}

impl<'a> Traffic<'a> {
    pub(crate) fn open(clients: &'a Core, address: SocketAddr, connections: usize) -> Self {
        let connections = clients.run(async move {
            let mut open = Vec::with_capacity(connections);
            // Not all in one go: the kernel keeps a limited number waiting to be accepted.
            for _ in 0..connections {
                open.push(KeepAlive::connect(address).await);
            }
            open
        });
        Self { clients, connections }
    }

    /// Asks for so long, on all of the connections, each going through these requests in turn.
    pub(crate) fn ask(&mut self, requests: &Arc<[Vec<u8>]>, length: Duration) -> Asked {
        let mut connections = std::mem::take(&mut self.connections);
        let requests = Arc::clone(requests);
        let (asked, connections) = self.clients.run(async move {
            let began = Instant::now();
            let asking = connections.iter_mut().enumerate().map(async |(n, connection)| {
                let mut answers = 0_u32;
                for request in requests.iter().cycle().skip(n) {
                    if began.elapsed() >= length {
                        break;
                    }
                    connection.exchange(request).await;
                    answers += 1;
                }
                answers
            });
            let answers = join_all(asking).await.iter().sum::<u32>();
            (Asked { answers: answers.into(), took: began.elapsed() }, connections)
        });
        self.connections = connections;
        asked
    }
}
