//! `firedrill pager`: the pager's flags.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::{flag, open_files, token};
use firedrill_contract::Size;
use firedrill_pager::{Config, Pager};
use firedrill_server::{self as server, Patience};

/// What the pager listens for and how much it keeps.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Address and port to listen on; port 0 lets the system choose one
    #[arg(long, env = "FIREDRILL_PAGER_LISTEN", default_value = "127.0.0.1:8090")]
    listen: String,
    /// File that holds the bearer token that notifications need; FIREDRILL_PAGER_TOKEN may hold the token
    /// itself instead [default: no token]
    #[arg(long, value_name = "PATH", env = "FIREDRILL_PAGER_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Log each request
    #[arg(long, env = "FIREDRILL_PAGER_LOG_REQUESTS", value_parser = clap::builder::FalseyValueParser::new())]
    log_requests: bool,

    /// The alert that always fires; it is no page, and its silence says that the chain is broken
    #[arg(long, value_name = "ALERTNAME", env = "FIREDRILL_PAGER_HEARTBEAT", default_value = "Watchdog",
        value_parser = clap::builder::NonEmptyStringValueParser::new(), help_heading = "The heartbeat")]
    heartbeat: String,
    /// How long it may be silent, from the start on, up to 1h; longer than Alertmanager takes to repeat it
    /// (repeat_interval and group_interval of its route). 0: there is no such alert
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_HEARTBEAT_TIMEOUT", default_value = "5m", value_parser = flag::grace, help_heading = "The heartbeat")]
    heartbeat_timeout: Duration,

    /// Pages that are remembered, 1 to 100000; beyond that the one not heard of for longest is forgotten
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_PAGER_KEEP", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Memory")]
    keep: u32,
    /// The text in them together, 1MiB to 1GiB; beyond that pages are forgotten as well
    #[arg(long, value_name = "SIZE", env = "FIREDRILL_PAGER_KEEP_SIZE", default_value = "16MiB", value_parser = flag::size(Size::mebibytes(1), Size::mebibytes(1 << 10)), help_heading = "Memory")]
    keep_size: Size,
    /// Streams of pages at a time, 1 to 65535; one more is answered 503
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_PAGER_MAX_SUBSCRIBERS", default_value_t = 64, value_parser = flag::some(), help_heading = "Memory")]
    max_subscribers: u16,
    /// Connections at a time, 1 to 65535; one more is answered 503 and closed
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_PAGER_MAX_CONNECTIONS", default_value_t = 256, value_parser = flag::some(), help_heading = "Memory")]
    max_connections: u16,

    /// A request's line and headers together, 1KiB to 1MiB
    #[arg(long, value_name = "SIZE", env = "FIREDRILL_PAGER_MAX_HEADER", default_value = "16KiB", value_parser = flag::size(Size(1 << 10), Size::mebibytes(1)), help_heading = "Clients")]
    max_header: Size,
    /// A notification's body, 1KiB to 16MiB; a larger one is refused with all of its pages, so bound the
    /// groups in Alertmanager (max_alerts) well below it
    #[arg(long, value_name = "SIZE", env = "FIREDRILL_PAGER_MAX_BODY", default_value = "1MiB", value_parser = flag::size(Size(1 << 10), Size::mebibytes(16)), help_heading = "Clients")]
    max_body: Size,
    /// How long a client may take to send a request's line and headers, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_HEADER_TIMEOUT", default_value = "10s", value_parser = flag::wait, help_heading = "Clients")]
    header_timeout: Duration,
    /// How long a client may take to send a notification's body, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_BODY_TIMEOUT", default_value = "10s", value_parser = flag::wait, help_heading = "Clients")]
    body_timeout: Duration,
    /// How long a connection may wait for its next request, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_IDLE_TIMEOUT", default_value = "75s", value_parser = flag::wait, help_heading = "Clients")]
    idle_timeout: Duration,
    /// How long a client may take nothing of an answer, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_WRITE_TIMEOUT", default_value = "30s", value_parser = flag::wait, help_heading = "Clients")]
    write_timeout: Duration,
    /// How often a stream on which nothing happens says that it is still there, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_KEEPALIVE", default_value = "15s", value_parser = flag::wait, help_heading = "Clients")]
    keepalive: Duration,

    /// On SIGTERM, how long to say "not ready" and still take connections, up to 1h; Ctrl-C leaves it out
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_DRAIN", default_value = "5s", value_parser = flag::grace, help_heading = "The end")]
    drain: Duration,
    /// After that, how long requests in flight may take to finish, up to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_GRACE", default_value = "20s", value_parser = flag::grace, help_heading = "The end")]
    grace: Duration,
}

impl Flags {
    fn config(self) -> anyhow::Result<Config> {
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
            token: token::read(self.token_file.as_deref(), "FIREDRILL_PAGER_TOKEN")?,
            keep: self.keep,
            keep_size: self.keep_size,
            max_body: self.max_body,
            body_timeout: self.body_timeout,
            max_subscribers: self.max_subscribers,
            keepalive: self.keepalive,
            heartbeat: (!self.heartbeat_timeout.is_zero())
                .then_some((self.heartbeat, self.heartbeat_timeout)),
        })
    }
}

/// Runs the command.
pub(super) fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    let config = flags.config()?;
    open_files::allow(config.server.max_connections.into(), "--max-connections")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(listen(config))?;
    Ok(ExitCode::from(code))
}

async fn listen(config: Config) -> anyhow::Result<u8> {
    let open = config.token.is_none();
    let pager = Pager::bind(config).await?;
    pager.handle().end_on_signals()?;
    let address = pager.address();
    if open && !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "anybody who reaches this address can make it ring; FIREDRILL_PAGER_TOKEN or --token-file closes that"
        );
    }
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    Ok(pager.run().await)
}
