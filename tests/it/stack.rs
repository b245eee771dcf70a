//! The stack of compose.yaml, from `up` to `down`, with real requests from the host.

mod alerts;
mod compose;
mod grafana;
mod paging;
mod runbook;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::Value;

use crate::support::client::{Client, End};
use crate::support::dashboard;
use crate::support::eventually::eventually;
use crate::support::fetch;
use crate::support::prometheus::api::{Api, RawValue};
use crate::support::scrape::Scrape;
use compose::{IMAGE, Project, docker};
use grafana::Grafana;

/// How long a change of the stack may take until everything has noticed.
const SOON: Duration = Duration::from_secs(60);

/// The stack, and where it is reached.
struct Stack {
    project: Project,
    /// What `localhost:8080` is by default.
    front: String,
    prometheus: Api,
    grafana: Grafana,
}

/// One test, because the steps share one stack and each begins where the last one ended.
#[tokio::test]
#[ignore = "needs docker with compose; cargo test -- --ignored"]
async fn the_stack_works_from_up_to_down() {
    let _machine = compose::alone().await;
    let began = Instant::now();
    let step = |what: &str| println!("{:>5.1} s  {what}", began.elapsed().as_secs_f64());
    step("up");
    let stack = Stack::up().await;
    step("everything is healthy and published on loopback alone");
    stack.everything_is_healthy().await;
    step("every panel has data");
    stack.every_panel_has_data_within_30_s().await;
    step("each container is hardened and the image is small");
    stack.each_container_is_hardened().await;
    stack.the_image_is_small_and_without_root().await;
    step("Grafana lets viewers in, and no administrator");
    stack.grafana_has_viewers_and_no_administrator().await;
    step("Prometheus has native histograms and classic buckets");
    stack.native_and_classic_are_both_there().await;
    step("a reset reaches the client");
    stack.a_reset_reaches_the_client().await;
    step("three replicas");
    stack.three_replicas_are_each_scraped_and_share_the_requests().await;
    step("a replica that crashed comes back");
    stack.a_crashed_replica_comes_back().await;
    step("the watchdog's heartbeat goes the whole way");
    stack.the_watchdog_reaches_the_pager().await;
    step("a stop under load loses nothing");
    stack.a_stop_under_load_loses_nothing_and_exits_0().await;
    step("down");
    stack.down_leaves_nothing().await;
    step("done");
}

impl Stack {
    async fn up() -> Self {
        let project = Project::new("stack").await;
        project.up(&["--build"]).await;
        let front = project.address("front", 8080).await;
        let prometheus = Api { url: format!("http://{}", project.address("prometheus", 9090).await) };
        let grafana = Grafana { url: format!("http://{}", project.address("grafana", 3000).await) };
        Self { project, front, prometheus, grafana }
    }

    /// A client of the published port, on a connection of its own.
    async fn connect(&self) -> Client {
        Client::connect(self.front.parse().unwrap()).await
    }

    async fn everything_is_healthy(&self) {
        let containers = self.project.containers().await;
        let services: BTreeSet<_> = containers.iter().map(|container| &*container.service).collect();
        assert_eq!(
            services,
            BTreeSet::from(["alertmanager", "app", "front", "grafana", "load", "pager", "prometheus"])
        );
        for container in &containers {
            let state = &container.inspected["State"];
            assert_eq!(state["Health"]["Status"], "healthy", "{}: {state}", container.service);
            assert_eq!(container.inspected["RestartCount"], 0, "{}: {state}", container.service);
            for published in bindings(&container.inspected) {
                assert_eq!(published["HostIp"], "127.0.0.1", "{}", container.service);
            }
        }
        for job in ["firedrill", "prometheus", "alertmanager", "pager"] {
            eventually(SOON, async || self.prometheus.up(job, 1).await).await;
        }
    }

    async fn every_panel_has_data_within_30_s(&self) {
        let dashboards = dashboard::all();
        let uids: BTreeSet<_> = dashboards.iter().map(|dashboard| dashboard.uid().to_owned()).collect();
        assert_eq!(BTreeSet::from_iter(self.grafana.dashboards().await.unwrap()), uids);
        eventually(Duration::from_secs(30), async || {
            for dashboard in &dashboards {
                self.grafana.every_panel_has_data(dashboard).await?;
            }
            Ok(())
        })
        .await;
    }

    async fn each_container_is_hardened(&self) {
        for container in self.project.containers().await {
            let service = &container.service;
            let config = &container.inspected["HostConfig"];
            assert_eq!(config["ReadonlyRootfs"], true, "{service}");
            assert_eq!(config["Privileged"], false, "{service}");
            assert_eq!(config["CapDrop"], serde_json::json!(["ALL"]), "{service}");
            assert!(config["CapAdd"].as_array().is_none_or(Vec::is_empty), "{service}: {}", config["CapAdd"]);
            let options = config["SecurityOpt"].as_array().unwrap();
            assert!(options.contains(&"no-new-privileges:true".into()), "{service}: {options:?}");
            // Docker's own profile for system calls, and its own for files.
            assert!(
                !options.iter().any(|option| option.to_string().contains("unconfined")),
                "{service}: {options:?}"
            );
            assert!(
                config["Memory"].as_u64().is_some_and(|bytes| bytes > 0),
                "{service} may have all memory"
            );
            assert!(
                config["PidsLimit"].as_u64().is_some_and(|pids| pids > 0),
                "{service} may have all threads"
            );
            let user = container.inspected["Config"]["User"].as_str().unwrap();
            assert!(
                !["", "0", "root"].contains(&user.split(':').next().unwrap()),
                "{service} is root: {user:?}"
            );
        }
    }

    async fn the_image_is_small_and_without_root(&self) {
        let image: Value = serde_json::from_str(&docker(&["image", "inspect", IMAGE]).await).unwrap();
        let size = image[0]["Size"].as_u64().unwrap();
        assert!(size < 15_000_000, "{size} bytes");
        assert_eq!(image[0]["Config"]["User"], "65532:65532");
        assert_eq!(image[0]["RootFS"]["Layers"].as_array().map(Vec::len), Some(1), "scratch and the program");
    }

    async fn grafana_has_viewers_and_no_administrator(&self) {
        let url = format!("{}/api/search", self.grafana.url);
        assert_eq!(fetch::get(&url).await.unwrap().status, StatusCode::OK);
        // admin:admin
        let refused = fetch::get_as(&url, "Basic YWRtaW46YWRtaW4=").await.unwrap();
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{}", refused.text());
    }

    async fn native_and_classic_are_both_there(&self) {
        let labels = "{job=\"firedrill\",http_route=\"/work\",workload=\"demo\",error_type=\"\",http_request_method=\"GET\"}";
        let last = async |name: &str| self.prometheus.last(&format!("{name}{labels}")).await.unwrap();
        let native = last("http_server_request_duration_seconds").await;
        let is_native = |value: &RawValue| matches!(value, RawValue::Native { count, .. } if *count > 0.0);
        assert!(native.len() == 1 && is_native(&native[0].value), "{native:?}");
        let classic = last("http_server_request_duration_seconds_bucket").await;
        assert_eq!(classic.len(), firedrill_server::BUCKETS.len() + 1, "{classic:?}");
    }

    /// From inside the network: what publishes a port on the host may turn a reset into a close.
    async fn a_reset_reaches_the_client(&self) {
        let load = ["run", "--rm", "--no-deps", "--no-TTY", "load", "load", "--json"];
        let resets = ["--rate", "20/s", "--for", "500ms", "--work", "abort=reset", "http://front:8080"];
        let report = self.project.compose(&[&load[..], &resets].concat()).await;
        let report: Value = serde_json::from_str(&report).unwrap_or_else(|error| panic!("{error}: {report}"));
        assert_eq!(report["unanswered"], serde_json::json!({ "reset": 10 }), "{report}");
        // Through the published port nobody gets an answer either.
        let mut client = self.connect().await;
        client.send("GET /work?abort=reset HTTP/1.1\r\nhost: test\r\n\r\n").await;
        let (end, before) = client.end().await;
        assert!(before.is_empty() && matches!(end, End::Closed | End::Reset), "{end:?} after {before:?}");
    }

    async fn three_replicas_are_each_scraped_and_share_the_requests(&self) {
        self.project.up(&["--scale", "app=3"]).await;
        let instances = eventually(SOON, async || self.prometheus.up("firedrill", 3).await).await;
        assert_eq!(BTreeSet::from_iter(&instances).len(), 3, "{instances:?}");
        for _ in 0..30 {
            let answer = self.connect().await.request("GET", "/work?latency=0&workload=drill").await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        // Each is counted once, by the replica that answered it.
        let selector = "http_server_request_duration_seconds_count{job=\"firedrill\",workload=\"drill\",\
                        http_response_status_code=\"200\",http_request_method=\"GET\",error_type=\"\"}";
        let counted = eventually(SOON, async || {
            let counted = self.prometheus.last(selector).await?;
            let sum: f64 = counted.iter().map(|sample| sample.number()).sum();
            if sum >= 30.0 { Ok(counted) } else { Err(format!("30 requests, {sum} counted: {counted:?}")) }
        })
        .await;
        assert_eq!(counted.iter().map(|sample| sample.number()).sum::<f64>(), 30.0, "{counted:?}");
        assert!(counted.iter().filter(|sample| sample.number() > 0.0).count() > 1, "{counted:?}");
    }

    async fn a_crashed_replica_comes_back(&self) {
        let restarts = async || {
            let replicas = self.project.replicas("app").await;
            let count = |replica: &compose::Container| replica.inspected["RestartCount"].as_u64().unwrap();
            (replicas.iter().map(count).sum::<u64>(), replicas)
        };
        assert_eq!(restarts().await.0, 0);
        let answer = self.connect().await.request("GET", "/work?exit=3&latency=0").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        // The others answer meanwhile.
        for _ in 0..10 {
            assert_eq!(self.connect().await.request("GET", "/health").await.status, 200);
        }
        eventually(SOON, async || {
            let (restarts, replicas) = restarts().await;
            let healthy =
                |replica: &compose::Container| replica.inspected["State"]["Health"]["Status"] == "healthy";
            if restarts == 1 && replicas.len() == 3 && replicas.iter().all(healthy) {
                return Ok(());
            }
            Err(format!("{restarts} restarts of {replicas:#?}"))
        })
        .await;
        eventually(SOON, async || self.prometheus.up("firedrill", 3).await).await;
    }

    /// From a rule over Prometheus and Alertmanager to the pager.
    async fn the_watchdog_reaches_the_pager(&self) {
        eventually(SOON, async || {
            let heartbeats = self.prometheus.last("firedrill_pager_heartbeats_total{job=\"pager\"}").await?;
            let came = heartbeats.iter().any(|sample| sample.number() > 0.0);
            if came { Ok(()) } else { Err(format!("no heartbeat: {heartbeats:?}")) }
        })
        .await;
    }

    async fn a_stop_under_load_loses_nothing_and_exits_0(&self) {
        self.project.up(&["--scale", "app=1"]).await;
        let mut clients = Vec::new();
        for _ in 0..10 {
            let mut client = self.connect().await;
            client.send("GET /work?latency=4s&workload=web HTTP/1.1\r\nhost: test\r\n\r\n").await;
            clients.push(client);
        }
        // Beside them, the load of compose.yaml goes on.
        eventually(SOON, async || {
            let scrape = Scrape::parse(&self.connect().await.request("GET", "/metrics").await.text());
            let in_flight = scrape.sum("firedrill_work_in_flight", &[]);
            if in_flight >= 10.0 { Ok(()) } else { Err(format!("{in_flight} in flight")) }
        })
        .await;
        self.project.compose(&["stop", "app"]).await;
        for mut client in clients {
            assert_eq!(client.answer().await.status, 200);
        }
        let stopped = self.project.replicas("app").await;
        assert_eq!(stopped.len(), 1, "{stopped:?}");
        let state = &stopped[0].inspected["State"];
        assert_eq!(
            (&state["Status"], &state["ExitCode"]),
            (&"exited".into(), &0.into()),
            "{}",
            stopped[0].id
        );
    }

    async fn down_leaves_nothing(self) {
        assert_ne!(self.project.belongings().await, "");
        self.project.compose(&["down", "--volumes"]).await;
        assert_eq!(self.project.belongings().await, "");
    }
}

/// The host's side of a container's published ports.
fn bindings(inspected: &Value) -> Vec<&Value> {
    let ports = inspected["NetworkSettings"]["Ports"].as_object().unwrap();
    ports.values().filter_map(Value::as_array).flatten().collect()
}
