//! What stands for Grafana: one dashboard of one panel, which it answers for itself.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::rig::{PHASES, Rig};
use crate::support::directory::Directory;
use crate::support::draws::Draws;
use crate::support::wire::{State, Wire};

const SECOND: Duration = Duration::from_secs(1);

/// What the drill expects of it, as a line of its file.
const PANELS: &str = "  - panels: grafana\n";

async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(answer(client));
        }
    });
    address
}

/// Answers one request on a connection, as Grafana's HTTP API does.
async fn answer(mut client: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if client.read_exact(&mut body).await.is_err() {
        return;
    }
    let target = json!({ "refId": "A", "expr": "up", "datasource": { "type": "prometheus", "uid": "p" } });
    let panel = json!({ "id": 1, "type": "timeseries", "title": "Up", "targets": [target] });
    let said: Value = match head.split(' ').nth(1).unwrap_or_default() {
        "/api/health" => json!({ "database": "ok" }),
        "/api/ds/query" => json!({ "results": { "A": { "frames": [{
            "schema": { "fields": [{ "type": "time" }, { "type": "number" }] },
            "data": { "values": [[1], [1]] }
        }] } } }),
        path if path.starts_with("/api/search") => json!([{ "uid": "one" }]),
        _ => json!({ "dashboard": { "title": "One", "panels": [panel] } }),
    };
    let said = said.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        said.len()
    );
    // That the drill has gone is no failure of this test.
    let _ = client.write_all((head + &said).as_bytes()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
#[ignore = "needs Prometheus and Alertmanager on PATH, takes minutes"]
async fn gone_when_its_panels_are_asked_for_is_no_panel_that_holds_and_gone_before_changes_nothing() {
    let mut draws = Draws::of("grafana gone");
    let wire = Wire::to(start().await).await;
    let rig = Rig::start_with(Directory::new("prometheus-data"), PANELS, &[]).await;
    let url = wire.url();
    let flags = ["--grafana", url.as_str()];
    let mut drill = rig.begin_with(1, &flags, &[]);
    drill.reaches("calm").await;
    sleep(draws.between(Duration::ZERO, PHASES - SECOND)).await;
    wire.is(draws.one_of(&[State::Cut, State::Silent]));
    let findings = drill.ended().await;
    findings.inconclusive(&["panels"], "Grafana gave no evidence");
    findings.is_inconclusive();

    wire.is(State::Whole);
    let mut drill = rig.begin_with(2, &flags, &[]);
    drill.reaches("calm").await;
    wire.is(State::Cut);
    sleep(draws.between(SECOND, PHASES / 2)).await;
    wire.is(State::Whole);
    drill.ended().await.all_pass();
}
