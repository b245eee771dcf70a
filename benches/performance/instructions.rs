//! How many instructions of the processor a request takes, counted by valgrind: the same on an idle machine and
//! on a busy one.
//!
//! This bench runs itself under cachegrind, with the service and its client on one thread, for a few requests and
//! for many. What the many take more is divided by how many more they are, so that the start costs nothing.

use std::io::ErrorKind;
use std::process::Command;

use firedrill_service::Service;
use tokio::runtime::Builder;

use crate::instrumented;
use crate::keep_alive::{KeepAlive, get};

/// The argument with which this bench is what valgrind runs.
pub(crate) const RUN_UNDER_VALGRIND: &str = "--under-valgrind";

const FEW: u32 = 200;
const MANY: u32 = 1_200;

/// The instructions of one request, client included, as the service counts it or not; `None` without valgrind.
pub(crate) fn of_a_request(count: bool) -> Option<f64> {
    let (few, many) = (of_requests(count, FEW)?, of_requests(count, MANY)?);
    Some((many - few) / f64::from(MANY - FEW))
}

fn of_requests(count: bool, requests: u32) -> Option<f64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    command.arg(std::env::current_exe().unwrap()).arg(RUN_UNDER_VALGRIND);
    let output = match command.args([count.to_string(), requests.to_string()]).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => panic!("valgrind: {error}"),
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let total = said.lines().find_map(|line| line.split_once("refs:")).map(|(_, total)| total);
    let total = total.unwrap_or_else(|| panic!("valgrind named no total: {said}")).replace(',', "");
    Some(total.trim().parse().unwrap())
}

/// What valgrind runs: asks a service of its own for `/health`, and ends.
pub(crate) fn run_under_valgrind(count: &str, requests: &str) {
    let (count, requests) = (count.parse().unwrap(), requests.parse::<u32>().unwrap());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = instrumented::config(instrumented::workloads(), count);
        let service = Service::bind(config).await.unwrap();
        let address = service.address();
        tokio::spawn(service.run());
        let mut connection = KeepAlive::connect(address).await;
        for _ in 0..requests {
            connection.exchange(&get("/health", "")).await;
        }
    });
}
