//! Faults: what must hold when clients, machines and monitoring itself go wrong.
//!
//! Each request that could be seen is counted once, nothing that was taken is kept, no drill says "held"
//! without full evidence, and what was hit recovers without a hand.
//!
//! Clients hang up at every byte (`hang_up`) and come in crowds (`crowd`), resources run out (`exhausted`), and
//! health answers through all of it (`saturated`). In `monitored`, a drill goes on while what monitors it is hit.
//! Moments and sizes are drawn from a seed (`support/draws`).

mod crowd;
mod exhausted;
mod hang_up;
mod monitored;
mod saturated;

use crate::support::scrape::Scrape;
use crate::support::service::Service;

impl Service {
    /// Waits until no connection is open but the one that asks, and no more files than before the fault.
    async fn let_go_of_all(&self, before: &Scrape) -> Scrape {
        let files = before.sum("process_open_fds", &[]);
        self.scrape_until("nothing left of the fault", |scrape| {
            scrape.sum("firedrill_connections", &[]) == 1.0
                && scrape.sum("http_server_active_requests", &[]) == 1.0
                && scrape.sum("process_open_fds", &[]) <= files
        })
        .await
    }
}
