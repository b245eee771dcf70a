//! A Docker Compose project of compose.yaml, as a user would start it, beside whatever else runs.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::{Mutex, MutexGuard};

use crate::support::repository;

/// What the image is called, so that a user's own is left alone.
pub(super) const IMAGE: &str = "firedrill:test";

/// Held by a test that has the machine to itself, since what it times is real.
pub(super) async fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::const_new(());
    MACHINE.lock().await
}

/// A running project. Dropped, it prints what its containers said if the test has failed, and is removed.
pub(super) struct Project {
    pub(super) name: String,
}

/// A container, as `docker inspect` describes it.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) inspected: Value,
}

impl Project {
    /// The project for this purpose, of which nothing is left over from before.
    pub(super) async fn new(purpose: &str) -> Self {
        // The name is always the same, so that what a killed run left behind is found.
        let of_all = std::env::var("COMPOSE_PROJECT_NAME").unwrap_or_else(|_| "firedrill-test".to_owned());
        let project = Self { name: format!("{of_all}-{purpose}") };
        project.compose(&["down", "--volumes", "--remove-orphans"]).await;
        project
    }

    /// Brings everything up and waits until it is healthy.
    pub(super) async fn up(&self, flags: &[&str]) {
        self.compose(&[&["up", "--wait", "--wait-timeout", "120"], flags].concat()).await;
    }

    /// `docker compose` with these arguments, which must succeed; its stdout.
    pub(super) async fn compose(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("docker");
        command.args(["compose", "--progress", "plain"]).args(arguments);
        self.run(command).await
    }

    /// A shell with these lines, as somebody would type them who has this project alone; all must succeed.
    pub(super) async fn shell(&self, lines: &str) {
        let mut command = Command::new("sh");
        command.args(["-e", "-c", lines]);
        self.run(command).await;
    }

    async fn run(&self, mut command: Command) -> String {
        command.current_dir(repository::path(""));
        command.env("COMPOSE_PROJECT_NAME", &self.name).env("FIREDRILL_IMAGE", IMAGE);
        // Ports that nobody has.
        for service in ["FIREDRILL", "PROMETHEUS", "ALERTMANAGER", "PAGER", "GRAFANA"] {
            command.env(format!("{service}_PORT"), "0");
        }
        succeed(command).await
    }

    /// Where a service's published port is, such as `127.0.0.1:49153`.
    pub(super) async fn address(&self, service: &str, port: u16) -> String {
        self.compose(&["port", service, &port.to_string()]).await.trim().to_owned()
    }

    /// All containers that run or have run.
    pub(super) async fn containers(&self) -> Vec<Container> {
        let ids = self.compose(&["ps", "--all", "--quiet"]).await;
        let ids: Vec<_> = ids.lines().collect();
        let inspected = docker(&[&["inspect"], &*ids].concat()).await;
        let inspected: Vec<Value> = serde_json::from_str(&inspected).unwrap();
        let container = |inspected: Value| Container {
            id: inspected["Id"].as_str().unwrap().to_owned(),
            service: inspected["Config"]["Labels"]["com.docker.compose.service"].as_str().unwrap().to_owned(),
            inspected,
        };
        inspected.into_iter().map(container).collect()
    }

    /// The containers of one service.
    pub(super) async fn replicas(&self, service: &str) -> Vec<Container> {
        let all = self.containers().await;
        all.into_iter().filter(|container| container.service == service).collect()
    }

    /// The ids of all containers, volumes and networks that are the project's own.
    pub(super) async fn belongings(&self) -> String {
        let own = format!("label=com.docker.compose.project={}", self.name);
        let mut ids = docker(&["ps", "--all", "--quiet", "--filter", &own]).await;
        for kind in ["volume", "network"] {
            ids += &docker(&[kind, "ls", "--quiet", "--filter", &own]).await;
        }
        ids
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let compose = |arguments: &[&str]| -> std::io::Result<Output> {
            let mut command = std::process::Command::new("docker");
            command.args(["compose", "--project-name", &self.name]).args(arguments);
            command.current_dir(repository::path("")).stdin(Stdio::null()).output()
        };
        if std::thread::panicking()
            && let Ok(logs) = compose(&["logs", "--no-color", "--tail", "60"])
        {
            println!("{}", String::from_utf8_lossy(&logs.stdout));
        }
        // Where even that fails, the next run begins with it.
        let _ = compose(&["down", "--volumes", "--timeout", "1"]);
    }
}

/// `docker` with these arguments, which must succeed; its stdout.
pub(super) async fn docker(arguments: &[&str]) -> String {
    let mut command = Command::new("docker");
    command.args(arguments);
    succeed(command).await
}

async fn succeed(mut command: Command) -> String {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("docker is on PATH");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {}\n{stderr}", command.as_std(), output.status);
    String::from_utf8(output.stdout).unwrap()
}
