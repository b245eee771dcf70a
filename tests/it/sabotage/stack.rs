//! A service and everything that monitors it, with processes of their own, and drills against it.

use std::time::Duration;

use super::shipped::{ALERTMANAGER, Shipped};
use crate::support::alertmanager::Alertmanager;
use crate::support::directory::Directory;
use crate::support::process::{Ended, Process};
use crate::support::prometheus::server::Server;
use crate::support::serving::Serving;

/// How long a drill and what it waits for may take on the slowest machine.
const LIMIT: Duration = Duration::from_secs(400);

/// What makes the drills' requests the same each time.
const SEED: u64 = 7;

/// The workloads of the drills that ship.
const WORKLOADS: &str = "demo,drill,errors,latency,memory,notification,quiet,saturation,smoke";

/// Everything runs until it is dropped.
pub(super) struct Stack {
    pub(super) service: Serving,
    pub(super) prometheus: Server,
    alertmanager: Alertmanager,
    pager: Serving,
    /// What ships, for the drill.
    directory: Directory,
}

/// A drill that runs.
pub(super) struct Drill<'a> {
    process: Process,
    _stack: &'a Stack,
}

/// What came of a drill.
pub(super) struct Drilled(Ended);

impl Stack {
    /// Starts it with this configuration, of which only addresses and times are adapted.
    pub(super) async fn start(shipped: Shipped) -> Self {
        let service = Serving::start_with("serve", &["--workloads", WORKLOADS], &[]).await;
        let pager = Serving::start_with("pager", &["--heartbeat-timeout", "60s"], &[]).await;
        let shipped = shipped
            .with(ALERTMANAGER, "group_wait: 5s", "group_wait: 1s")
            .with(ALERTMANAGER, "group_interval: 15s", "group_interval: 5s")
            .paging(&pager.address.to_string());
        let alertmanager = Alertmanager::start(shipped.text(ALERTMANAGER)).await;
        let [watched, holder] = [service.address, alertmanager.address()].map(|address| address.to_string());
        let shipped = shipped.watching(&watched, &holder, "2s");
        let directory = Directory::new("sabotage");
        shipped.write(&directory);
        let prometheus = Server::start_in(
            &directory.path().join("deploy/prometheus"),
            &["--rules.alert.resend-delay=15s"],
        )
        .await;
        // Only now it is known where it listens.
        let itself = prometheus.address();
        directory.write("deploy/prometheus/itself.json", &format!(r#"[{{"targets":["{itself}"]}}]"#));
        Self { service, prometheus, alertmanager, pager, directory }
    }

    /// Begins drills that ship, several of them side by side.
    pub(super) fn begin(&self, drills: &[&str]) -> Drill<'_> {
        self.begin_with(drills, SEED, &[])
    }

    /// The same, with this seed and these environment variables.
    pub(super) fn begin_with(&self, drills: &[&str], seed: u64, variables: &[(&str, &str)]) -> Drill<'_> {
        let seed = seed.to_string();
        let [service, pager] =
            [&self.service, &self.pager].map(|serving| format!("http://{}", serving.address));
        let files: Vec<_> = drills.iter().map(|drill| format!("drills/{drill}.yaml")).collect();
        let mut arguments = vec!["drill", "--parallel", "--seed", &seed, "--out", "runs"];
        arguments.extend(["--target", &service, "--prometheus", &self.prometheus.api.url]);
        arguments.extend(["--alertmanager", &self.alertmanager.url, "--pager", &pager]);
        arguments.extend(files.iter().map(String::as_str));
        Drill { process: Process::start_in(self.directory.path(), &arguments, variables), _stack: self }
    }
}

impl Drill<'_> {
    /// Waits until it says that it has come so far.
    pub(super) async fn says(&mut self, stage: &str) {
        self.process.says(stage, LIMIT).await;
    }

    pub(super) async fn ended(self) -> Drilled {
        Drilled::of(self.process).await
    }
}

impl Drilled {
    /// What comes of the drill that this process runs.
    pub(super) async fn of(process: Process) -> Self {
        Self(process.ended_within(LIMIT).await)
    }

    /// Monitoring told the truth about everything.
    pub(super) fn pass(&self) {
        self.came_to(0, &[]);
    }

    /// Monitoring lied, and the report has these words about what is broken.
    pub(super) fn fail(&self, words: &str) {
        self.came_to(1, &["FAIL", words]);
    }

    /// It is inconclusive, and the report has these words about why.
    pub(super) fn inconclusive(&self, words: &str) {
        self.came_to(2, &["inconclusive", words]);
    }

    fn came_to(&self, code: i32, words: &[&str]) {
        let Ended { stdout, stderr, .. } = &self.0;
        let said = format!("it said:\n{stdout}\nand on stderr:\n{stderr}");
        assert_eq!(self.0.code, Some(code), "{said}");
        // The report is wrapped, also within words.
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        let report = plain(stdout);
        for words in words {
            assert!(report.contains(&plain(words)), "expected {words:?}; {said}");
        }
    }
}
