//! `firedrill pager`: the pager's flags.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::{flag, open_files, token};
use firedrill_contract::Size;
use firedrill_pager::{Config, Pager};
use firedrill_server::{self as server, Timeouts};

/// What the pager listens for and how much it keeps.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Listen address; port 0 lets the system choose the port
    #[arg(long, env = "FIREDRILL_PAGER_LISTEN", default_value = "127.0.0.1:8090")]
    listen: String,
    /// File with the bearer token that notifications must carry; or set FIREDRILL_PAGER_TOKEN to the
    /// token itself [default: no token]
    #[arg(long, value_name = "PATH", env = "FIREDRILL_PAGER_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    /// Log each request
    #[arg(long, env = "FIREDRILL_PAGER_LOG_REQUESTS", value_parser = clap::builder::FalseyValueParser::new())]
    log_requests: bool,

    /// Name of the heartbeat: an alert that always fires, so that its silence means a broken chain
    #[arg(long, value_name = "ALERTNAME", env = "FIREDRILL_PAGER_HEARTBEAT", default_value = "Watchdog",
        value_parser = clap::builder::NonEmptyStringValueParser::new(), help_heading = "Heartbeat")]
    heartbeat: String,
    /// Heartbeat timeout, up to 1h; make it longer than the repeat_interval and group_interval of its
    /// route. 0 disables the heartbeat
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_HEARTBEAT_TIMEOUT", default_value = "5m", value_parser = flag::grace, help_heading = "Heartbeat")]
    heartbeat_timeout: Duration,

    /// Maximum pages to keep, 1 to 100000; the least recently updated is dropped first
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_PAGER_KEEP", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Memory")]
    keep: u32,
    /// Maximum size of all pages together, 1MiB to 1GiB
    #[arg(long, value_name = "SIZE", env = "FIREDRILL_PAGER_KEEP_SIZE", default_value = "16MiB", value_parser = flag::size(Size::mebibytes(1), Size::mebibytes(1 << 10)), help_heading = "Memory")]
    keep_size: Size,
    /// Maximum subscribers of the page stream, 1 to 65535; the excess is answered 503
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_PAGER_MAX_SUBSCRIBERS", default_value_t = 64, value_parser = flag::some(), help_heading = "Memory")]
    max_subscribers: u16,
    /// Maximum open connections, 1 to 65535; the excess is answered 503 and closed
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_PAGER_MAX_CONNECTIONS", default_value_t = 256, value_parser = flag::some(), help_heading = "Memory")]
    max_connections: u16,

    /// Maximum size of a request head (request line and headers), 1KiB to 1MiB
    #[arg(long, value_name = "SIZE", env = "FIREDRILL_PAGER_MAX_HEADER", default_value = "16KiB", value_parser = flag::size(Size(1 << 10), Size::mebibytes(1)), help_heading = "Clients")]
    max_header: Size,
    /// Maximum size of a notification, 1KiB to 16MiB; a larger one is refused with all its pages, so set
    /// max_alerts in Alertmanager well below it
    #[arg(long, value_name = "SIZE", env = "FIREDRILL_PAGER_MAX_BODY", default_value = "1MiB", value_parser = flag::size(Size(1 << 10), Size::mebibytes(16)), help_heading = "Clients")]
    max_body: Size,
    /// Timeout for a request head, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_HEADER_TIMEOUT", default_value = "10s", value_parser = flag::wait, help_heading = "Clients")]
    header_timeout: Duration,
    /// Timeout for a notification body, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_BODY_TIMEOUT", default_value = "10s", value_parser = flag::wait, help_heading = "Clients")]
    body_timeout: Duration,
    /// Idle timeout of a connection, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_IDLE_TIMEOUT", default_value = "75s", value_parser = flag::wait, help_heading = "Clients")]
    idle_timeout: Duration,
    /// Write timeout, 1ms to 1h: drop a client that reads nothing for this long
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_WRITE_TIMEOUT", default_value = "30s", value_parser = flag::wait, help_heading = "Clients")]
    write_timeout: Duration,
    /// Interval of keep-alive comments on an idle stream, 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_KEEPALIVE", default_value = "15s", value_parser = flag::wait, help_heading = "Clients")]
    keepalive: Duration,

    /// Drain time after SIGTERM, up to 1h: not ready, but still accepting; Ctrl-C skips it
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_DRAIN", default_value = "5s", value_parser = flag::grace, help_heading = "Shutdown")]
    drain: Duration,
    /// Grace period for requests in flight after that, up to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PAGER_GRACE", default_value = "20s", value_parser = flag::grace, help_heading = "Shutdown")]
    grace: Duration,
}

impl Flags {
    fn config(self) -> anyhow::Result<Config> {
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
