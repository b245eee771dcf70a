//! The real binary as its own process, built as this bench is: in release by `cargo bench`.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::core::Core;
use crate::keep_alive::{KeepAlive, get};

/// A running `firedrill serve`. Dropping it kills the process.
pub(crate) struct Serve {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the first 200 of `/ready`.
    pub(crate) ready: Duration,
}

impl Serve {
    /// Starts it with its default flags, on whichever cores the system chooses.
    pub(crate) fn start(clients: &Core) -> Self {
        Self::start_by(clients, &[], |mut command| command.spawn().unwrap())
    }

    /// Starts it with these flags on one core: a process inherits that of the thread that starts it.
    pub(crate) fn start_on(core: &Core, clients: &Core, flags: &[&str]) -> Self {
        Self::start_by(clients, flags, |mut command| core.run(async move { command.spawn().unwrap() }))
    }

    fn start_by(clients: &Core, flags: &[&str], spawn: impl FnOnce(Command) -> Child) -> Self {
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]).args(flags);
        command.stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = spawn(command);
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let log: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = log["address"].as_str().unwrap().parse().unwrap();
        clients.run(async move { KeepAlive::connect(address).await.exchange(&get("/ready", "")).await });
        Self { child, address, ready: began.elapsed() }
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> f64 {
        let status = self.read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kibibytes * 1024.0
    }

    /// The CPU time that all of its threads have spent, which the scheduler counts in nanoseconds.
    pub(crate) fn spent(&self) -> Duration {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_thread = |thread: std::io::Result<std::fs::DirEntry>| {
            let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
            text.split(' ').next().unwrap().parse::<u64>().unwrap()
        };
        Duration::from_nanos(threads.map(of_thread).sum())
    }

    fn read(&self, file: &str) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()));
        text.expect("what a process takes is read from Linux' /proc")
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
