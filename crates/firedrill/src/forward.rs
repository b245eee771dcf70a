//! `firedrill forward HOST:PORT`: one address for the replicas behind a name.

use std::net::SocketAddr;
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;

use super::{flag, open_files};
use firedrill_net::forward::{Bounds, Forward};
use firedrill_net::{Connector, HostPort, shutdown};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Upstream host and port, e.g. app:8080
    #[arg(value_name = "HOST:PORT", env = "FIREDRILL_FORWARD_TO")]
    to: HostPort,

    /// Listen address
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "FIREDRILL_FORWARD_LISTEN",
        default_value = "127.0.0.1:8080"
    )]
    listen: SocketAddr,

    /// Maximum open connections, from 1 to 100000; the excess is reset
    #[arg(long, value_name = "NUMBER", env = "FIREDRILL_FORWARD_MAX_CONNECTIONS", default_value = "1024",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_connections: u32,

    /// Timeout for connecting to any of the addresses, from 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_FORWARD_CONNECT_TIMEOUT", default_value = "3s", value_parser = flag::wait)]
    connect_timeout: Duration,

    /// Grace period for open connections after SIGTERM, from 0 to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_FORWARD_GRACE", default_value = "5s", value_parser = flag::grace)]
    grace: Duration,
}

pub(super) fn run(flags: Flags) -> anyhow::Result<ExitCode> {
    // Each connection is two: the client's, and the one to the replica.
    open_files::allow(2 * u64::from(flags.max_connections), "--max-connections")?;
    let connections = NonZero::new(flags.max_connections).unwrap_or(NonZero::<u32>::MIN);
    let bounds = Bounds { connections, connect: flags.connect_timeout, grace: flags.grace };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the threads that carry")?;
    runtime.block_on(async {
        let stopping = shutdown::on_signals().context("cannot handle SIGTERM and SIGINT")?;
        let listener = TcpListener::bind(flags.listen).await;
        let listener = listener.with_context(|| {
            format!("cannot listen on {}, choose another address with --listen", flags.listen)
        })?;
        let address = listener.local_addr().context("cannot tell the address that is listened on")?;
        tracing::info!(%address, to = %flags.to, "listening");
        Forward::new(listener, Connector::new(flags.to), bounds).run(stopping).await;
        anyhow::Ok(())
    })?;
    // A look-up that still hangs must not hold the end up.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}
