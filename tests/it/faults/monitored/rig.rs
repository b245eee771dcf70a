//! A service and what monitors it, with a wire between each two of them, of which each part can be killed and started again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Signal;
use tokio::time::sleep;

use super::findings::Findings;
use crate::sabotage::shipped::{ALERTMANAGER, RULES, Shipped};
use crate::support::alertmanager::Alertmanager;
use crate::support::directory::Directory;
use crate::support::draws::Draws;
use crate::support::process::Process;
use crate::support::prometheus::server::Server;
use crate::support::serving::Serving;
use crate::support::wire::Wire;

/// How long a drill and what it waits for may take on the slowest machine.
const LIMIT: Duration = Duration::from_secs(240);

/// How long a page may take, as the drill has it.
pub(super) const PAGED_WITHIN: Duration = Duration::from_secs(10);

/// How often Prometheus scrapes and evaluates.
pub(super) const EVERY: Duration = Duration::from_secs(2);

/// How long the failing phase of the drill is, and all three together.
pub(super) const BURNING: Duration = Duration::from_secs(16);
pub(super) const PHASES: Duration = Duration::from_secs(32);

/// The drill that everything is about: calm, failures that page, recovery.
const DRILL: &str = r#"
name: struck
target: http://nobody
job: firedrill
workload: errors
phases:
  calm:     { for: 8s, rate: 20/s, work: { latency: 20ms } }
  burning:  { for: 16s, rate: 20/s, work: { latency: 20ms, error_rate: 0.5 } }
  recovery: { for: 8s, rate: 20/s, work: { latency: 20ms } }
expect:
  - scrapes: no gaps
  - counts: all phases
  - alert: HighErrorRatio
    labels: { job: firedrill, workload: errors }
    severity: page
    fires: { during: burning, within: 16s }
    notifies: { receiver: pager, within: 10s }
    resolves: { within: 60s }
  - alert: HighErrorRatio
    labels: { workload: demo }
    never: fires
  - nothing_else: fires
    labels: { workload: errors }
    except: [ErrorBudgetBurn14x, ErrorBudgetBurn6x, HighLatency] # which a busy machine may have
"#;

const SERVICE: [&str; 2] = ["--workloads", "demo,errors"];

/// Everything runs until it is dropped.
pub(super) struct Rig {
    service: Serving,
    pager: Serving,
    alertmanager: Option<Alertmanager>,
    prometheus: Option<Server>,
    pub(super) wires: Wires,
    pub(super) directory: Directory,
}

/// Who reaches whom by which wire.
pub(super) struct Wires {
    /// The drill the service.
    pub(super) traffic: Wire,
    /// Prometheus the service.
    pub(super) scrapes: Wire,
    /// Prometheus Alertmanager.
    pub(super) alerts: Wire,
    /// Alertmanager the pager.
    pub(super) pages: Wire,
    /// The drill Prometheus, Alertmanager and the pager.
    pub(super) prometheus: Wire,
    pub(super) alertmanager: Wire,
    pub(super) pager: Wire,
}

/// A drill that runs.
pub(super) struct Drill {
    process: Process,
    /// What it will come to.
    report: PathBuf,
}

impl Rig {
    pub(super) async fn start() -> Self {
        Self::start_with(Directory::new("prometheus-data"), "", &[]).await
    }

    /// One whose drill has come to this stage, and what is drawn for this test.
    pub(super) async fn drilling(test: &str, stage: &str) -> (Draws, Self, Drill) {
        let draws = Draws::of(test);
        let rig = Self::start().await;
        let mut drill = rig.begin(1);
        drill.reaches(stage).await;
        (draws, rig, drill)
    }

    /// Starts it with this data directory of Prometheus, more drill lines, and these variables of the pager.
    pub(super) async fn start_with(data: Directory, expected: &str, pager: &[(&str, &str)]) -> Self {
        let service = Serving::start_with("serve", &SERVICE, &[]).await;
        let pager = Serving::start_with("pager", &["--heartbeat-timeout", "60s"], pager).await;
        let wire = async |to: SocketAddr| Wire::to(to).await;
        let pages = wire(pager.address).await;
        let shipped = Shipped::copy()
            .with(ALERTMANAGER, "group_wait: 5s", "group_wait: 1s")
            .with(ALERTMANAGER, "group_interval: 15s", "group_interval: 2s")
            // What is quick to ring is quick to be silent again.
            .with(RULES, "[1m]", "[15s]")
            .with(RULES, "for: 10s", "for: 2s")
            .paging(&pages.address.to_string());
        let alertmanager = Alertmanager::start(shipped.text(ALERTMANAGER)).await;
        let alerts = wire(alertmanager.address()).await;
        let scrapes = wire(service.address).await;
        let every = format!("{}s", EVERY.as_secs());
        let directory = Directory::new("struck");
        shipped.watching(&scrapes.address.to_string(), &alerts.address.to_string(), &every).write(&directory);
        directory.write("struck.yaml", &format!("{DRILL}{expected}"));
        let server = prometheus(data, &directory).await;
        let wires = Wires {
            traffic: wire(service.address).await,
            scrapes,
            alerts,
            pages,
            prometheus: wire(server.address()).await,
            alertmanager: wire(alertmanager.address()).await,
            pager: wire(pager.address).await,
        };
        let (alertmanager, prometheus) = (Some(alertmanager), Some(server));
        Self { service, pager, alertmanager, prometheus, wires, directory }
    }

    pub(super) fn begin(&self, seed: u64) -> Drill {
        self.begin_with(seed, &[], &[])
    }

    /// The same, with these flags and environment variables.
    pub(super) fn begin_with(&self, seed: u64, flags: &[&str], variables: &[(&str, &str)]) -> Drill {
        let (seed, wires) = (seed.to_string(), &self.wires);
        let [target, prometheus, alertmanager, pager] =
            [&wires.traffic, &wires.prometheus, &wires.alertmanager, &wires.pager].map(Wire::url);
        let mut arguments =
            vec!["drill", "--seed", &seed, "--out", "runs", "--target", &target, "struck.yaml"];
        arguments.extend(["--prometheus", &prometheus, "--alertmanager", &alertmanager, "--pager", &pager]);
        arguments.extend(flags);
        let process = Process::start_in(self.directory.path(), &arguments, variables);
        Drill { process, report: self.directory.path().join("runs/struck.json") }
    }

    /// A drill without any fault, whatever was before it: all of it holds.
    pub(super) async fn has_recovered(&self) {
        self.begin(2).ended().await.all_pass();
    }

    /// How long after the alert fired its page rang at the pager, if it did: by what Prometheus and the pager hold
    /// themselves.
    pub(super) async fn paged_after(&self) -> Option<Duration> {
        let fired = "ALERTS{alertname='HighErrorRatio',workload='errors',alertstate='firing'}[10m]";
        let fired = self.prometheus.as_ref().unwrap().api.query(fired).await.unwrap();
        let fired = fired.first()?["values"][0][0].as_f64().unwrap();
        let pages = self.pager.get("/pages").await.json();
        let mut pages = pages["pages"].as_array().unwrap().iter();
        let page =
            pages.find(|page| page["receiver"] == "pager" && page["labels"]["workload"] == "errors")?;
        let rang: Timestamp = page["rang_at"].as_str()?.parse().unwrap();
        Some(Duration::from_secs_f64((rang.as_duration().as_secs_f64() - fired).max(0.0)))
    }

    /// Kills the service, and starts another one in its place after so long.
    pub(super) async fn kill_service(&mut self, down: Duration) {
        self.service.signal(Signal::KILL);
        sleep(down).await;
        self.service = Serving::start_with("serve", &SERVICE, &[]).await;
        for wire in [&self.wires.traffic, &self.wires.scrapes] {
            wire.leads_to(self.service.address);
        }
    }

    /// Kills the pager, and starts another one in its place after so long.
    pub(super) async fn kill_pager(&mut self, down: Duration) {
        self.pager.signal(Signal::KILL);
        sleep(down).await;
        self.pager = Serving::start_with("pager", &["--heartbeat-timeout", "60s"], &[]).await;
        for wire in [&self.wires.pages, &self.wires.pager] {
            wire.leads_to(self.pager.address);
        }
    }

    /// Kills Alertmanager, and starts it again on its data after so long.
    pub(super) async fn kill_alertmanager(&mut self, down: Duration) {
        let data = self.alertmanager.take().unwrap().killed().await;
        sleep(down).await;
        let alertmanager = Alertmanager::start_on(data).await;
        for wire in [&self.wires.alerts, &self.wires.alertmanager] {
            wire.leads_to(alertmanager.address());
        }
        self.alertmanager = Some(alertmanager);
    }

    /// Kills Prometheus, and starts it again on its data after so long.
    pub(super) async fn kill_prometheus(&mut self, down: Duration) {
        let data = self.prometheus.take().unwrap().killed().await;
        sleep(down).await;
        let server = prometheus(data, &self.directory).await;
        self.wires.prometheus.leads_to(server.address());
        self.prometheus = Some(server);
    }
}

/// Starts Prometheus on this data with the configuration in this directory, to which it then tells its own address.
async fn prometheus(data: Directory, directory: &Directory) -> Server {
    let configuration = directory.path().join("deploy/prometheus");
    let server = Server::start_on(data, &configuration, &["--rules.alert.resend-delay=2s"]).await;
    let itself = format!(r#"[{{"targets":["{}"]}}]"#, server.address());
    directory.write("deploy/prometheus/itself.json", &itself);
    server
}

impl Drill {
    /// Waits until it has come so far, such as to a phase.
    pub(super) async fn reaches(&mut self, stage: &str) {
        self.process.says(stage, LIMIT).await;
    }

    pub(super) async fn ended(self) -> Findings {
        let ended = self.process.ended_within(LIMIT).await;
        Findings::of(&ended, &self.report)
    }
}
