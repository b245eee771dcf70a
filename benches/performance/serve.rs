//! The real binary as its own process, built as this bench is: in release by `cargo bench`.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::core::Core;
use crate::keep_alive::{KeepAlive, get};

/// A running `firedrill serve`. Dropping it kills the process.
pub(crate) struct Serve {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first 200 of `/ready`.
    pub(crate) ready: Duration,
}

impl Serve {
    pub(crate) fn start(clients: &Core) -> Self {
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let log: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = log["address"].as_str().unwrap().parse().unwrap();
        clients.run(async move { KeepAlive::connect(address).await.exchange(&get("/ready", "")).await });
        Self { child, address, ready: began.elapsed() }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
