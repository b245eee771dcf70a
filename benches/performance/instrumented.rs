//! The service under measurement, as `firedrill serve` starts it with its default flags.

use std::net::SocketAddr;
use std::time::Duration;

use firedrill_contract::{Caps, OpenTo, Size, Workloads};
use firedrill_server::{self as server, Timeouts};
use firedrill_service::{Config, Service};

use crate::core::Core;

/// Starts it on this core, with these workloads.
pub(crate) fn start(core: &Core, workloads: Workloads) -> SocketAddr {
    serve(core, config(workloads, true))
}

/// Starts one that does all the same and counts no request.
pub(crate) fn start_uncounted(core: &Core) -> SocketAddr {
    serve(core, config(workloads(), false))
}

fn serve(core: &Core, config: Config) -> SocketAddr {
    let service = core.run(async { Service::bind(config).await.unwrap() });
    let address = service.address();
    core.keep_running(service.run());
    address
}

pub(crate) fn config(workloads: Workloads, count_requests: bool) -> Config {
    Config {
        server: server::Config {
            listen: "127.0.0.1:0".to_owned(),
            max_connections: 1_000,
            max_header: Size(16 << 10),
            timeouts: Timeouts {
                header: Duration::from_secs(10),
                idle: Duration::from_secs(75),
                write: Duration::from_secs(30),
            },
            drain: Duration::from_secs(5),
            grace: Duration::from_secs(20),
            log_requests: false,
            count_requests,
        },
        token: None,
        workloads,
        seed: 7,
        caps: Caps::default(),
        open: OpenTo::default(),
        max_work: 512,
        cpu_threads: 1,
        max_memory_total: Size::mebibytes(256),
        max_request_body: Size(64 << 10),
        body_timeout: Duration::from_secs(10),
        links: Vec::new(),
    }
}

/// The workloads of `firedrill serve` by default.
pub(crate) fn workloads() -> Workloads {
    Workloads::new(["demo", "drill", "web"]).unwrap()
}
