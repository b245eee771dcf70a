//! The program itself, as a child process that does not outlive its test.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long to wait for what should happen soon, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(30);

/// A running `firedrill`. Dropping it kills the process.
pub(crate) struct Process {
    child: Child,
    stdout: Output,
    stderr: Output,
    /// How many lines of stderr have been waited for.
    read: usize,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code, when no signal killed it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What a stream has said so far, and whether it has ended.
type Output = watch::Receiver<(Vec<u8>, bool)>;

impl Process {
    /// Starts the program with these arguments, JSON logs, and no other `FIREDRILL_` variable than these.
    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn(Path::new("."), Stdio::null(), arguments, variables)
    }

    /// The same, with this standard input.
    pub(crate) fn start_on(input: Stdio, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn(Path::new("."), input, arguments, variables)
    }

    /// The same, in this directory.
    pub(crate) fn start_in(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn(directory, Stdio::null(), arguments, variables)
    }

    fn spawn(directory: &Path, input: Stdio, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firedrill"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FIREDRILL_") {
                command.env_remove(name);
            }
        }
        command.current_dir(directory).args(arguments);
        command.env("FIREDRILL_LOG_FORMAT", "json").envs(variables.iter().copied());
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: collect(stdout), stderr: collect(stderr), read: 0 }
    }

    /// Starts the program with these arguments and JSON logs.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// Waits for the next log line with this message.
    pub(crate) async fn logged(&mut self, message: &str) -> Value {
        let seen = self.read;
        let mut found = None;
        let waiting = self.stderr.wait_for(|(bytes, over)| {
            let text = String::from_utf8_lossy(bytes);
            let line =
                |line: &str| serde_json::from_str(line).ok().filter(|log: &Value| log["message"] == message);
            found = text.lines().enumerate().skip(seen).find_map(|(at, text)| Some((at, line(text)?)));
            found.is_some() || *over
        });
        let in_time = timeout(LIMIT, waiting).await.is_ok();
        let (at, log) = found.unwrap_or_else(|| {
            let (text, state) = (text(&self.stderr), if in_time { "ended" } else { "runs" });
            panic!("no log line {message:?}; the process {state}; its stderr:\n{text}")
        });
        self.read = at + 1;
        log
    }

    /// Waits until stderr has this text.
    pub(crate) async fn says(&mut self, expected: &str, limit: Duration) {
        let said =
            self.stderr.wait_for(|(bytes, over)| String::from_utf8_lossy(bytes).contains(expected) || *over);
        let in_time = timeout(limit, said).await.is_ok();
        let text = text(&self.stderr);
        assert!(
            in_time && text.contains(expected),
            "it did not say {expected:?} in {limit:?}; its stderr:\n{text}"
        );
    }

    /// The address that the program says it listens on.
    pub(crate) async fn listening(&mut self) -> SocketAddr {
        self.logged("listening").await["address"].as_str().unwrap().parse().unwrap()
    }

    /// What the system calls it.
    pub(crate) fn id(&self) -> Pid {
        let id = self.child.id().expect("the process has not been waited for");
        Pid::from_raw(id.try_into().unwrap()).unwrap()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).unwrap();
    }

    /// Waits until it has ended, which should be soon.
    pub(crate) async fn ended(self) -> Ended {
        self.ended_within(LIMIT).await
    }

    /// Waits until it has ended, so long at the most.
    pub(crate) async fn ended_within(mut self, limit: Duration) -> Ended {
        let status = timeout(limit, self.child.wait())
            .await
            .unwrap_or_else(|_| panic!("did not end in {limit:?}; its stderr:\n{}", text(&self.stderr)));
        let status = status.unwrap();
        for output in [&mut self.stdout, &mut self.stderr] {
            within(output.wait_for(|(_, over)| *over), "the end of its output").await.unwrap();
        }
        Ended { code: status.code(), stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }
}

/// Waits for what should happen soon; panics when it does not.
pub(crate) async fn within<F: Future<Output: Debug>>(happens: F, what: &str) -> F::Output {
    timeout(LIMIT, happens).await.unwrap_or_else(|_| panic!("waited {LIMIT:?} for {what}"))
}

fn collect(mut stream: impl AsyncRead + Unpin + Send + 'static) -> Output {
    let (said, output) = watch::channel((Vec::new(), false));
    tokio::spawn(async move {
        let mut chunk = [0; 4096];
        while let Ok(n @ 1..) = stream.read(&mut chunk).await {
            said.send_modify(|(bytes, _)| bytes.extend_from_slice(&chunk[..n]));
        }
        said.send_modify(|(_, over)| *over = true);
    });
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.borrow().0).into_owned()
}
