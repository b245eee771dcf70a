//! A client that sends bytes as they are given and reads answers as they come, so that it can be rude.

use std::io::ErrorKind;
use std::net::SocketAddr;

use rustix::net::sockopt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::process::within;

/// A connection to a server.
pub(crate) struct Client {
    stream: TcpStream,
    /// What has been read and not yet been taken as an answer.
    read: Vec<u8>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order.
    Closed,
    /// With a TCP reset.
    Reset,
}

impl Answer {
    /// The value of a header, if there is one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

impl From<TcpStream> for Client {
    fn from(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        within(TcpStream::connect(address), "a connection").await.unwrap().into()
    }

    /// Sends these bytes.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.write_all(bytes.as_ref()), "room to send").await.unwrap();
    }

    /// Sends a request without a body and reads its answer.
    pub(crate) async fn request(&mut self, method: &str, target: &str) -> Answer {
        self.send(format!("{method} {target} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        if method == "HEAD" { self.head_alone().await } else { self.answer().await }
    }

    /// Reads one answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head_alone().await;
        let length = match answer.header("content-length") {
            Some(length) => length.parse().unwrap(),
            None if matches!(answer.status, 204 | 304) => 0,
            None => panic!("an answer without a length: {answer:?}"),
        };
        self.fill(|read| read.len() >= length).await;
        answer.body = self.read.drain(..length).collect();
        answer
    }

    /// Reads an answer's head and leaves the body, if there is one, where it is.
    pub(crate) async fn head_alone(&mut self) -> Answer {
        let end = |read: &[u8]| read.windows(4).position(|four| four == b"\r\n\r\n");
        self.fill(|read| end(read).is_some()).await;
        let length = end(&self.read).unwrap() + 4;
        let head = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: Vec::new() }
    }

    /// Reads until these bytes come, and takes everything up to them and them.
    pub(crate) async fn through(&mut self, end: &[u8]) -> Vec<u8> {
        let found = |read: &[u8]| read.windows(end.len()).position(|bytes| bytes == end);
        // All of it in time, and not just each part: something may go on coming.
        within(self.fill(|read| found(read).is_some()), "the end of what comes").await;
        let length = found(&self.read).unwrap() + end.len();
        self.read.drain(..length).collect()
    }

    /// Reads until the connection ends; how it did, and what came before.
    pub(crate) async fn end(mut self) -> (End, Vec<u8>) {
        let mut chunk = vec![0; 64 << 10];
        loop {
            match within(self.stream.read(&mut chunk), "the end of the connection").await {
                Ok(0) => return (End::Closed, self.read),
                Ok(n) => self.read.extend_from_slice(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return (End::Reset, self.read),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Reads so many bytes.
    pub(crate) async fn take(&mut self, bytes: usize) -> Vec<u8> {
        self.fill(|read| read.len() >= bytes).await;
        self.read.drain(..bytes).collect()
    }

    /// Sends these bytes; whether the server was there to take them.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        within(self.stream.write_all(bytes), "room to send").await.is_ok()
    }

    /// Hangs up with a TCP reset.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Says that nothing more will be sent, and goes on to read.
    pub(crate) async fn finish_sending(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Takes answers only in small pieces from here on, so that a large one has to wait for it.
    pub(crate) fn shrink_window(&self) {
        sockopt::set_socket_recv_buffer_size(&self.stream, 4 << 10).unwrap();
    }

    async fn fill(&mut self, enough: impl Fn(&[u8]) -> bool) {
        let mut chunk = vec![0; 64 << 10];
        while !enough(&self.read) {
            let n = within(self.stream.read(&mut chunk), "an answer").await.unwrap();
            assert!(n > 0, "the connection ended early, after {:?}", String::from_utf8_lossy(&self.read));
            self.read.extend_from_slice(&chunk[..n]);
        }
    }
}
