//! `firedrill probe URL`: a health check for images that have no curl.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::{ca_file, flag};
use firedrill_net::{Client, Target};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// URL to request, e.g. http://localhost:8080/health
    #[arg(value_name = "URL", env = "FIREDRILL_PROBE_URL", value_parser = Target::parse)]
    target: Target,

    /// Timeout, from 1ms to 1h
    #[arg(long, value_name = "DURATION", env = "FIREDRILL_PROBE_TIMEOUT", default_value = "2s", value_parser = flag::wait)]
    timeout: Duration,

    #[command(flatten)]
    ca: ca_file::Flags,
}

pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let client = Client::new(flags.target.clone(), None).trusting(&flags.ca.trust()?).within(flags.timeout);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start")?;
    let probed = runtime.block_on(client.probe());
    // A look-up that still hangs must not hold the end up.
    runtime.shutdown_background();
    let found = match probed {
        Ok((status, _)) if status.is_success() => return Ok(ExitCode::SUCCESS),
        Ok((status, body)) if body.is_empty() => format!("expected a status from 200 to 299, got {status}"),
        Ok((status, body)) => format!("expected a status from 200 to 299, got {status}: {body}"),
        Err(error) => error,
    };
    super::complain(&format!("firedrill: {}: {found}", flags.target));
    Ok(ExitCode::FAILURE)
}
