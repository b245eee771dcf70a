//! A real Prometheus, as a child process that does not outlive its test.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::api::Api;
use crate::support::directory::Directory;
use crate::support::process::within;

/// A running `prometheus` with a data directory of its own. Dropping it kills the process.
pub(crate) struct Server {
    pub(crate) api: Api,
    child: Child,
    data: Directory,
}

impl Server {
    /// Starts `prometheus` from PATH with this configuration.
    pub(crate) async fn start(configuration: &str) -> Self {
        Self::start_with(configuration, "groups: []\n").await
    }

    /// The same, with these rules, which the configuration names as `rules.yml`.
    pub(crate) async fn start_with(configuration: &str, rules: &str) -> Self {
        let directory = Directory::new("prometheus");
        directory.write("rules.yml", rules);
        directory.write("prometheus.yml", configuration);
        // It has read them when it listens.
        Self::start_in(directory.path(), &[]).await
    }

    /// Starts it with the `prometheus.yml` in this directory.
    pub(crate) async fn start_in(configuration: &Path, flags: &[&str]) -> Self {
        Self::start_on(Directory::new("prometheus-data"), configuration, flags).await
    }

    /// The same, on this data directory.
    pub(crate) async fn start_on(data: Directory, configuration: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", configuration.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", data.path().display()))
            .args(["--web.listen-address=127.0.0.1:0", "--enable-feature=native-histograms"])
            .args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("prometheus is on PATH");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let listening = async {
            let mut address = None;
            while let Some(line) = lines.next_line().await.unwrap() {
                log.push_str(&line);
                log.push('\n');
                if line.contains("msg=\"Listening on\"") {
                    address = line.split("address=").nth(1).map(|address| address.trim().to_owned());
                }
                // The configuration has been read, and nothing asks for it later.
                if line.contains("msg=\"Server is ready to receive web requests.\"") {
                    return address;
                }
            }
            None
        };
        let address = within(listening, "Prometheus to be ready").await;
        let address = address.unwrap_or_else(|| panic!("Prometheus did not start:\n{log}"));
        // Its log is read to the end, or it would wait for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { api: Api { url: format!("http://{address}") }, child, data }
    }

    /// Kills it, and returns its data once it is dead.
    pub(crate) async fn killed(mut self) -> Directory {
        self.child.kill().await.unwrap();
        self.data
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.api.url.trim_start_matches("http://").parse().unwrap()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("the process has not been waited for");
        kill_process(Pid::from_raw(id.try_into().unwrap()).unwrap(), signal).unwrap();
    }
}
