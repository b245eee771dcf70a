//! The end of an outage: the server listens again where it did before.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::sleep;

/// How often to try before giving up, and how long to wait between two tries.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(500);

/// Another program has the address, or the system has taken it away.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen again on {address} after an outage, tried {TRIES} times: {error}; find what has taken the \
     address, and give this service a port below those that the system hands out to others"
)]
pub(super) struct AddressLost {
    address: SocketAddr,
    error: io::Error,
}

/// Waits for its address to be free, and listens there again.
///
/// tokio sets `SO_REUSEADDR`, so what is left of earlier connections is not in the way. Only another
/// program is, which can have taken the port meanwhile; it has a few seconds to give it back.
pub(super) async fn listen_again(address: SocketAddr) -> Result<TcpListener, AddressLost> {
    let mut tries = 1;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                tracing::info!(%address, "listening again");
                return Ok(listener);
            }
            Err(error) if tries == TRIES => return Err(AddressLost { address, error }),
            Err(error) => {
                tracing::error!(%address, %error, tries, "cannot listen again yet");
                tries += 1;
                sleep(PAUSE).await;
            }
        }
    }
}
