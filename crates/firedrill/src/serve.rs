//! `firedrill serve`: the service's flags.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::{flag, open_files, token};
use firedrill_contract::{Caps, OpenTo, Size, Workloads};
use firedrill_server::{self as server, Timeouts};
use firedrill_service::{Config, PageLink, Service};

/// What the service does and how much of it.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Listen address; port 0 lets the system choose the port
    #[arg(long, env = "FIREDRILL_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    #[command(flatten)]
    token: token::Flags,
    /// Values of the `workload` label, at most 16; any other counts as `other`
    #[arg(long, env = "FIREDRILL_WORKLOADS", default_value = "demo,drill,web", value_delimiter = ',')]
    workloads: Vec<String>,
    /// Random seed for requests that bring none [default: random]
    #[arg(long, env = "FIREDRILL_SEED")]
    seed: Option<u64>,
    /// Log each request
    #[arg(long, env = "FIREDRILL_LOG_REQUESTS", value_parser = clap::builder::FalseyValueParser::new())]
    log_requests: bool,
    /// Links to show on the page, as NAME=URL, e.g. Prometheus=http://localhost:9090 [default: none]
    #[arg(
        long = "link",
        value_name = "NAME=URL",
        env = "FIREDRILL_LINKS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    links: Vec<String>,

    /// Maximum latency of a request, up to 1h
    #[arg(long, env = "FIREDRILL_MAX_LATENCY", default_value = "60s", value_parser = flag::grace, help_heading = "Limits per request")]
    max_latency: Duration,
    /// Maximum CPU time of a request, up to 1h
    #[arg(long, env = "FIREDRILL_MAX_CPU", default_value = "10s", value_parser = flag::grace, help_heading = "Limits per request")]
    max_cpu: Duration,
    /// Maximum memory of a request, up to --max-memory-total
    #[arg(long, env = "FIREDRILL_MAX_MEMORY", default_value = "256MiB", help_heading = "Limits per request")]
    max_memory: Size,
    /// Maximum time for which a request may hold memory, up to 1h
    #[arg(long, env = "FIREDRILL_MAX_HOLD", default_value = "60s", value_parser = flag::grace, help_heading = "Limits per request")]
    max_hold: Duration,
    /// Maximum outage that a request may cause, up to 1h
    #[arg(long, env = "FIREDRILL_MAX_OUTAGE", default_value = "60s", value_parser = flag::grace, help_heading = "Limits per request")]
    max_outage: Duration,
    /// Maximum size of a response body
    #[arg(long, env = "FIREDRILL_MAX_BODY", default_value = "1GiB", help_heading = "Limits per request")]
    max_body: Size,
    /// Maximum latency of a request without the token, up to 1h
    #[arg(long, env = "FIREDRILL_OPEN_LATENCY", default_value = "5s", value_parser = flag::grace, help_heading = "Limits per request")]
    open_latency: Duration,
    /// Maximum response body of a request without the token
    #[arg(long, env = "FIREDRILL_OPEN_BODY", default_value = "1MiB", help_heading = "Limits per request")]
    open_body: Size,

    /// Maximum concurrent /work requests, 1 to 65535; the excess is answered 503
    #[arg(long, env = "FIREDRILL_MAX_WORK", default_value_t = 512, value_parser = flag::some(), help_heading = "Limits of the service")]
    max_work: u16,
    /// Threads that burn CPU time, 1 to 1024 [default: one per core]
    #[arg(long, env = "FIREDRILL_CPU_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Limits of the service")]
    cpu_threads: Option<u16>,
    /// Memory budget of all requests; a request that exceeds what is left is answered 503
    #[arg(
        long,
        env = "FIREDRILL_MAX_MEMORY_TOTAL",
        default_value = "256MiB",
        help_heading = "Limits of the service"
    )]
    max_memory_total: Size,
    /// Maximum open connections, 1 to 65535; the excess is answered 503 and closed
    #[arg(long, env = "FIREDRILL_MAX_CONNECTIONS", default_value_t = 1_000, value_parser = flag::some(), help_heading = "Limits of the service")]
    max_connections: u16,

    /// Maximum size of a request head (request line and headers), 1KiB to 1MiB
    #[arg(long, env = "FIREDRILL_MAX_HEADER", default_value = "16KiB", value_parser = flag::size(KIB, MIB), help_heading = "Clients")]
    max_header: Size,
    /// Maximum size of a request body, 1KiB to 1MiB
    #[arg(long, env = "FIREDRILL_MAX_REQUEST_BODY", default_value = "64KiB", value_parser = flag::size(KIB, MIB), help_heading = "Clients")]
    max_request_body: Size,
    /// Timeout for a request head, 1ms to 1h
    #[arg(long, env = "FIREDRILL_HEADER_TIMEOUT", default_value = "10s", value_parser = flag::wait, help_heading = "Clients")]
    header_timeout: Duration,
    /// Timeout for a request body, 1ms to 1h
    #[arg(long, env = "FIREDRILL_BODY_TIMEOUT", default_value = "10s", value_parser = flag::wait, help_heading = "Clients")]
    body_timeout: Duration,
    /// Idle timeout of a connection, 1ms to 1h; make it longer than the load balancer's, often 60s
    #[arg(long, env = "FIREDRILL_IDLE_TIMEOUT", default_value = "75s", value_parser = flag::wait, help_heading = "Clients")]
    idle_timeout: Duration,
    /// Write timeout, 1ms to 1h: drop a client that reads nothing for this long
    #[arg(long, env = "FIREDRILL_WRITE_TIMEOUT", default_value = "30s", value_parser = flag::wait, help_heading = "Clients")]
    write_timeout: Duration,

    /// Drain time after SIGTERM, up to 1h: not ready, but still accepting; Ctrl-C skips it
    #[arg(long, env = "FIREDRILL_DRAIN", default_value = "5s", value_parser = flag::grace, help_heading = "Shutdown")]
    drain: Duration,
    /// Grace period for requests in flight after that, up to 1h
    #[arg(long, env = "FIREDRILL_GRACE", default_value = "20s", value_parser = flag::grace, help_heading = "Shutdown")]
    grace: Duration,
}

const KIB: Size = Size(1 << 10);
const MIB: Size = Size::mebibytes(1);

impl Flags {
    /// What they ask for, checked.
    pub(super) fn config(self) -> anyhow::Result<Config> {
        let cores =
            || std::thread::available_parallelism().map_or(1, |n| u16::try_from(n.get()).unwrap_or(1024));
        Ok(Config {
            server: server::Config {
                listen: self.listen,
                max_connections: self.max_connections,
                max_header: self.max_header,
                timeouts: Timeouts {
                    header: self.header_timeout,
                    idle: self.idle_timeout,
                    write: self.write_timeout,
                },
                drain: self.drain,
                grace: self.grace,
                log_requests: self.log_requests,
                count_requests: true,
            },
            token: self.token.read()?,
            workloads: Workloads::new(self.workloads).map_err(anyhow::Error::msg).context("--workloads")?,
            seed: self.seed.unwrap_or_else(flag::random_seed),
            caps: Caps {
                latency: self.max_latency,
                cpu: self.max_cpu,
                memory: self.max_memory,
                hold: self.max_hold,
                outage: self.max_outage,
                body: self.max_body,
            },
            open: OpenTo { latency: self.open_latency, body: self.open_body },
            max_work: self.max_work,
            cpu_threads: self.cpu_threads.unwrap_or_else(cores),
            max_memory_total: self.max_memory_total,
            max_request_body: self.max_request_body,
            body_timeout: self.body_timeout,
            links: links(&self.links)?,
        })
    }
}

/// Read here and not by clap, whose message would show what is wrong, and that may be a password.
fn links(given: &[String]) -> anyhow::Result<Vec<PageLink>> {
    let given = given.iter().filter(|link| !link.is_empty());
    given.map(|link| link.parse().map_err(anyhow::Error::new)).collect::<Result<_, _>>().context("--link")
}

pub(super) fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let config = flags.config()?;
    open_files::allow(config.server.max_connections.into(), "--max-connections")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(serve(config))?;
    // A request that asked for a crash gets one: nothing else is waited for.
    runtime.shutdown_background();
    Ok(ExitCode::from(code))
}

async fn serve(config: Config) -> anyhow::Result<u8> {
    let (open, seed) = (config.token.is_none(), config.seed);
    let service = Service::bind(config).await?;
    service.handle().end_on_signals()?;
    let address = service.address();
    if open && !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "anybody who reaches this address can burn CPU time, hold memory, and end or silence the process; \
             FIREDRILL_TOKEN or --token-file closes that"
        );
    }
    tracing::info!(%address, seed, version = env!("CARGO_PKG_VERSION"), "listening");
    Ok(service.run().await)
}
