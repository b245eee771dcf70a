//! A real Prometheus, as a child process that does not outlive its test.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::api::Api;
use crate::process::within;

/// A running `prometheus` with a data directory of its own. Dropping it kills the process.
pub(crate) struct Server {
    pub(crate) api: Api,
    _child: Child,
    _directory: Directory,
}

/// A directory that is removed when dropped.
struct Directory(PathBuf);

impl Server {
    /// Starts `prometheus` from PATH with this configuration.
    pub(crate) async fn start(configuration: &str) -> Self {
        Self::start_with(configuration, "groups: []\n").await
    }

    /// The same, with these rules, which the configuration names as `rules.yml`.
    pub(crate) async fn start_with(configuration: &str, rules: &str) -> Self {
        let directory = Directory::new();
        std::fs::write(directory.0.join("rules.yml"), rules).unwrap();
        let file = directory.0.join("prometheus.yml");
        std::fs::write(&file, configuration).unwrap();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.0.join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--enable-feature=native-histograms"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("prometheus is on PATH");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let listening = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                log.push_str(&line);
                log.push('\n');
                if line.contains("msg=\"Listening on\"") {
                    return line.split("address=").nth(1).map(|address| address.trim().to_owned());
                }
            }
            None
        };
        let address = within(listening, "Prometheus to listen").await;
        let address = address.unwrap_or_else(|| panic!("Prometheus did not start:\n{log}"));
        // Its log is read to the end, or it would wait for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { api: Api { url: format!("http://{address}") }, _child: child, _directory: directory }
    }
}

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("prometheus-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left behind is in the target directory, which is nobody's treasure.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
