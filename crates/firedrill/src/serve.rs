//! `firedrill serve`: the service's flags.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::{flag, open_files, token};
use firedrill_contract::{Caps, OpenTo, Size, Workloads};
use firedrill_server::{self as server, Patience};
use firedrill_service::{Config, PageLink, Service};

/// What the service does and how much of it.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Address and port to listen on; port 0 lets the system choose one
    #[arg(long, env = "FIREDRILL_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    #[command(flatten)]
    token: token::Flags,
    /// Values of the `workload` label, up to 16; any other name counts as `other`
    #[arg(long, env = "FIREDRILL_WORKLOADS", default_value = "demo,drill,web", value_delimiter = ',')]
    workloads: Vec<String>,
    /// What requests that bring no seed draw from, a whole number [default: random]
    #[arg(long, env = "FIREDRILL_SEED")]
    seed: Option<u64>,
    /// Log each request
    #[arg(long, env = "FIREDRILL_LOG_REQUESTS", value_parser = clap::builder::FalseyValueParser::new())]
    log_requests: bool,
    /// Where else to look, as links on the page: NAME=URL, such as Prometheus=http://localhost:9090 [default: none]
    #[arg(
        long = "link",
        value_name = "NAME=URL",
        env = "FIREDRILL_LINKS",
        value_delimiter = ',',
        hide_env_values = true
    )]
    links: Vec<String>,

    /// The longest latency that a request may ask for, up to 1h
    #[arg(long, env = "FIREDRILL_MAX_LATENCY", default_value = "60s", value_parser = flag::grace, help_heading = "One request")]
    max_latency: Duration,
    /// The most CPU time that a request may ask for, up to 1h
    #[arg(long, env = "FIREDRILL_MAX_CPU", default_value = "10s", value_parser = flag::grace, help_heading = "One request")]
    max_cpu: Duration,
    /// The most memory that a request may ask for, up to --max-memory-total
    #[arg(long, env = "FIREDRILL_MAX_MEMORY", default_value = "256MiB", help_heading = "One request")]
    max_memory: Size,
    /// The longest that a request may hold memory, up to 1h
    #[arg(long, env = "FIREDRILL_MAX_HOLD", default_value = "60s", value_parser = flag::grace, help_heading = "One request")]
    max_hold: Duration,
    /// The longest outage that a request may ask for, up to 1h
    #[arg(long, env = "FIREDRILL_MAX_OUTAGE", default_value = "60s", value_parser = flag::grace, help_heading = "One request")]
    max_outage: Duration,
    /// The largest answer that a request may ask for, any size
    #[arg(long, env = "FIREDRILL_MAX_BODY", default_value = "1GiB", help_heading = "One request")]
    max_body: Size,
    /// The longest latency without the token, up to 1h
    #[arg(long, env = "FIREDRILL_OPEN_LATENCY", default_value = "5s", value_parser = flag::grace, help_heading = "One request")]
    open_latency: Duration,
    /// The largest answer without the token, any size
    #[arg(long, env = "FIREDRILL_OPEN_BODY", default_value = "1MiB", help_heading = "One request")]
    open_body: Size,

    /// Requests for work at a time, 1 to 65535; one more is answered 503
    #[arg(long, env = "FIREDRILL_MAX_WORK", default_value_t = 512, value_parser = flag::some(), help_heading = "All together")]
    max_work: u16,
    /// Threads that burn CPU time, 1 to 1024 [default: one a core]
    #[arg(long, env = "FIREDRILL_CPU_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "All together")]
    cpu_threads: Option<u16>,
    /// Memory held at a time, any size; a request for more than is left is answered 503
    #[arg(long, env = "FIREDRILL_MAX_MEMORY_TOTAL", default_value = "256MiB", help_heading = "All together")]
    max_memory_total: Size,
    /// Connections at a time, 1 to 65535; one more is answered 503 and closed
    #[arg(long, env = "FIREDRILL_MAX_CONNECTIONS", default_value_t = 1_000, value_parser = flag::some(), help_heading = "All together")]
    max_connections: u16,

    /// A request's line and headers together, 1KiB to 1MiB
    #[arg(long, env = "FIREDRILL_MAX_HEADER", default_value = "16KiB", value_parser = flag::size(KIB, MIB), help_heading = "Clients")]
    max_header: Size,
    /// A request's body, 1KiB to 1MiB
    #[arg(long, env = "FIREDRILL_MAX_REQUEST_BODY", default_value = "64KiB", value_parser = flag::size(KIB, MIB), help_heading = "Clients")]
    max_request_body: Size,
    /// How long a client may take to send a request's line and headers, 1ms to 1h
    #[arg(long, env = "FIREDRILL_HEADER_TIMEOUT", default_value = "10s", value_parser = flag::wait, help_heading = "Clients")]
    header_timeout: Duration,
    /// How long a client may take to send a request's body, 1ms to 1h
    #[arg(long, env = "FIREDRILL_BODY_TIMEOUT", default_value = "10s", value_parser = flag::wait, help_heading = "Clients")]
    body_timeout: Duration,
    /// How long a connection may wait for its next request, 1ms to 1h; longer than balancers keep theirs, often 60s
    #[arg(long, env = "FIREDRILL_IDLE_TIMEOUT", default_value = "75s", value_parser = flag::wait, help_heading = "Clients")]
    idle_timeout: Duration,
    /// How long a client may take nothing of an answer, 1ms to 1h
    #[arg(long, env = "FIREDRILL_WRITE_TIMEOUT", default_value = "30s", value_parser = flag::wait, help_heading = "Clients")]
    write_timeout: Duration,

    /// On SIGTERM, how long to say "not ready" and still take connections, up to 1h; Ctrl-C leaves it out
    #[arg(long, env = "FIREDRILL_DRAIN", default_value = "5s", value_parser = flag::grace, help_heading = "The end")]
    drain: Duration,
    /// After that, how long requests in flight may take to finish, up to 1h
    #[arg(long, env = "FIREDRILL_GRACE", default_value = "20s", value_parser = flag::grace, help_heading = "The end")]
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
                patience: Patience {
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
