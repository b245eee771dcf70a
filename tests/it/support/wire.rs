//! A wire between two programs, which can be slow, silent or cut.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// How a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Whole,
    /// Each part takes so long.
    Slow(Duration),
    /// Nothing passes and nobody is told, as where packets are lost.
    Silent,
    /// Connections are reset, new ones too.
    Cut,
}

/// A listening address that leads to another one. Dropping it cuts it.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    state: watch::Sender<State>,
    to: watch::Sender<SocketAddr>,
    carrying: JoinHandle<()>,
}

impl Wire {
    /// A whole one to this address.
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (state, to) = (watch::Sender::new(State::Whole), watch::Sender::new(address));
        let address = listener.local_addr().unwrap();
        let carrying = tokio::spawn(carry(listener, state.subscribe(), to.subscribe()));
        Self { address, state, to, carrying }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads new connections here.
    pub(crate) fn leads_to(&self, address: SocketAddr) {
        self.to.send_replace(address);
    }

    pub(crate) fn is(&self, state: State) {
        self.state.send_replace(state);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrying.abort();
        self.state.send_replace(State::Cut);
    }
}

async fn carry(listener: TcpListener, state: watch::Receiver<State>, to: watch::Receiver<SocketAddr>) {
    while let Ok((client, _)) = listener.accept().await {
        let (mut cut, state, to) = (state.clone(), state.clone(), *to.borrow());
        tokio::spawn(async move {
            // What ends in order has told both sides by then; all else is reset where it is dropped.
            let _ = client.set_zero_linger();
            tokio::select! {
                _ = cut.wait_for(|state| *state == State::Cut) => {}
                () = connect(client, to, state) => {}
            }
        });
    }
}

/// Carries one connection, both ways, to its end.
async fn connect(client: TcpStream, to: SocketAddr, state: watch::Receiver<State>) {
    let mut whole = state.clone();
    // Whoever is dropped meanwhile is nobody's loss.
    let _ = whole.wait_for(|state| *state != State::Silent).await;
    let Ok(server) = TcpStream::connect(to).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true), server.set_zero_linger());
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = one_way(from_client, to_server, state.clone());
    let back = one_way(from_server, to_client, state);
    tokio::join!(there, back);
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut part = vec![0; 16 << 10];
    while let Ok(n @ 1..) = from.read(&mut part).await {
        let Ok(state) = state.wait_for(|state| *state != State::Silent).await.map(|state| *state) else {
            break;
        };
        if let State::Slow(delay) = state {
            sleep(delay).await;
        }
        if to.write_all(&part[..n]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
