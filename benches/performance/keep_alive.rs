//! A client that keeps its connection and does as little as it can.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) struct KeepAlive {
    stream: TcpStream,
    read: Vec<u8>,
}

impl KeepAlive {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::with_capacity(64 << 10) }
    }

    /// Sends a request and reads its answer; how long the answer's body was.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).await.unwrap();
        self.read.clear();
        let head = loop {
            let seen = self.read.len().saturating_sub(3);
            assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0, "the server hung up");
            let end = self.read[seen..].windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break seen + end + 4;
            }
        };
        let body = length(&self.read[..head]);
        while self.read.len() < head + body {
            assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0, "the server hung up");
        }
        body
    }

    /// The body of the last answer, as text.
    pub(crate) fn into_last_body(self) -> String {
        let text = String::from_utf8(self.read).unwrap();
        text.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}

/// A request for this path, with further header lines.
pub(crate) fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n{headers}\r\n").into_bytes()
}

/// What the head says of the body's length.
fn length(head: &[u8]) -> usize {
    let head = str::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.unwrap_or_else(|| panic!("an answer without a length: {head}")).parse().unwrap()
}
