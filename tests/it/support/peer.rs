//! A server that does to each request what a script says, byte by byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::process::within;

/// What to do to a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Answer with this status and a short body.
    Answer(u16),
    /// Answer 200 when the test says so.
    Hold,
    /// Never answer, and keep the connection.
    Hang,
    /// Reset the connection instead of answering.
    Reset,
    /// Close the connection instead of answering.
    Close,
    /// Close the connection in the middle of the body.
    Truncate,
    /// Reset the connection in the middle of the body.
    ResetInBody,
    /// Never go on after the middle of the body.
    HangInBody,
    /// Answer with what is not HTTP.
    Garble,
    /// Answer 200, then close without having announced it.
    AnswerAndClose,
    /// Answer with these bytes, then close.
    Say(&'static str),
    /// Begin with the first, then send the second for ever.
    Repeat(&'static str, &'static str),
}

/// A listening server. Dropping it closes its listener and its connections.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    script: Box<dyn Fn(usize) -> Act + Send + Sync>,
    /// The head of each request, in the order in which they came.
    heads: Mutex<Vec<String>>,
    count: watch::Sender<usize>,
    connections: AtomicUsize,
    held: watch::Sender<bool>,
}

impl Peer {
    /// Does to the nth request, from 0, what the script says.
    pub(crate) async fn start(script: impl Fn(usize) -> Act + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), script).await
    }

    /// The same, on an address that was used before.
    pub(crate) async fn at(
        address: SocketAddr,
        script: impl Fn(usize) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            heads: Mutex::default(),
            count: watch::Sender::new(0),
            connections: AtomicUsize::new(0),
            held: watch::Sender::new(true),
        });
        let serving = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::Relaxed);
                connections.spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { address, shared, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until it has read so many requests.
    pub(crate) async fn saw(&self, requests: usize) {
        let mut count = self.shared.count.subscribe();
        within(count.wait_for(|count| *count >= requests), "requests").await.unwrap();
    }

    /// The first line of each request that it has read.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.heads().iter().map(|head| head.lines().next().unwrap_or_default().to_owned()).collect()
    }

    /// The head of each request that it has read.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }

    /// How many connections it has taken.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Goes away; returns once nobody listens any more.
    pub(crate) async fn leave(mut self) -> SocketAddr {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
        self.address
    }

    /// Answers what it holds, and holds nothing from here on.
    pub(crate) fn release(&self) {
        self.shared.held.send_replace(false);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some(head) = head(&mut stream).await {
        let n = {
            let mut heads = shared.heads.lock().unwrap();
            heads.push(head);
            heads.len() - 1
        };
        shared.count.send_replace(n + 1);
        let half = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
        let whole = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        let (answer, goes_on) = match (shared.script)(n) {
            Act::Answer(status) => (format!("HTTP/1.1 {status} X\r\ncontent-length: 5\r\n\r\nhello"), true),
            Act::Hold => {
                let mut held = shared.held.subscribe();
                held.wait_for(|held| !held).await.unwrap();
                (whole.to_owned(), true)
            }
            Act::Hang => std::future::pending().await,
            Act::HangInBody => {
                stream.write_all(half.as_bytes()).await.unwrap();
                std::future::pending().await
            }
            Act::Reset => {
                stream.set_zero_linger().unwrap();
                return;
            }
            Act::ResetInBody => {
                stream.write_all(half.as_bytes()).await.unwrap();
                stream.set_zero_linger().unwrap();
                return;
            }
            Act::Close => return,
            Act::Truncate => (half.to_owned(), false),
            Act::Garble => ("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), false),
            Act::AnswerAndClose => (whole.to_owned(), false),
            Act::Say(bytes) => (bytes.to_owned(), false),
            Act::Repeat(first, then) => {
                let (mut piece, then) = (first.to_owned(), then.repeat(1_000));
                while stream.write_all(piece.as_bytes()).await.is_ok() {
                    piece.clone_from(&then);
                }
                return;
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() || !goes_on {
            return;
        }
    }
}

/// The head of the next request; nothing when the client has gone.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
