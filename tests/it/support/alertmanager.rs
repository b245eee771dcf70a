//! A real Alertmanager, as a child process that does not outlive its test.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use procfs::net::TcpState;
use procfs::process::FDTarget;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::support::directory::Directory;
use crate::support::eventually::eventually;
use crate::support::fetch;

const LIMIT: Duration = Duration::from_secs(30);

/// A running `alertmanager` with a directory of its own. Dropping it kills the process.
pub(crate) struct Alertmanager {
    pub(crate) url: String,
    directory: Directory,
    child: Child,
}

impl Alertmanager {
    /// Starts `alertmanager` from PATH with this configuration.
    pub(crate) async fn start(configuration: &str) -> Self {
        let directory = Directory::new("alertmanager");
        directory.write("alertmanager.yml", configuration);
        Self::start_on(directory).await
    }

    /// Starts it with the configuration and on the data in this directory.
    pub(crate) async fn start_on(directory: Directory) -> Self {
        let path = directory.path();
        let child = Command::new("alertmanager")
            .arg(format!("--config.file={}", path.join("alertmanager.yml").display()))
            .arg(format!("--storage.path={}", path.join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(path.join("log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .expect("alertmanager is on PATH");
        let mut alertmanager = Self { url: String::new(), directory, child };
        let port = eventually(LIMIT, async || alertmanager.port().ok_or_else(|| alertmanager.log())).await;
        alertmanager.url = format!("http://127.0.0.1:{port}");
        let url = format!("{}/-/ready", alertmanager.url);
        eventually(LIMIT, async || match fetch::get(&url).await {
            Ok(ready) if ready.status.is_success() => Ok(()),
            other => Err(format!("{other:?}; it says:\n{}", alertmanager.log())),
        })
        .await;
        alertmanager
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
    }

    /// Kills it, and returns its directory once it is dead.
    pub(crate) async fn killed(mut self) -> Directory {
        self.child.kill().await.unwrap();
        self.directory
    }

    /// Tells it of alerts, as Prometheus does.
    pub(crate) async fn alert(&self, alerts: Value) {
        let answer = fetch::post_json(&format!("{}/api/v2/alerts", self.url), &alerts).await.unwrap();
        assert!(answer.status.is_success(), "{}", answer.text());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// The port that it listens on, once it does. It does not say which one it got, but the system knows.
    fn port(&self) -> Option<u16> {
        let process = procfs::process::Process::new(self.child.id()?.try_into().unwrap()).ok()?;
        let sockets: Vec<_> = process
            .fd()
            .ok()?
            .flatten()
            .filter_map(|file| match file.target {
                FDTarget::Socket(inode) => Some(inode),
                _ => None,
            })
            .collect();
        let listens =
            process.tcp().ok()?.into_iter().find(|connection| {
                connection.state == TcpState::Listen && sockets.contains(&connection.inode)
            });
        Some(listens?.local_address.port())
    }
}
