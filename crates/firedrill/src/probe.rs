//! `firedrill probe URL`: a health check for images that have no curl.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use super::{ca_file, flag};
use firedrill_contract::quantity::format_duration;
use firedrill_net::Target;
use firedrill_net::Trust;

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

/// How much of an answer that is not 2xx to show, in bytes.
const SHOWN: usize = 500;

/// Runs the command.
pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let trust = flags.ca.trust()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start")?;
    let asked = runtime.block_on(ask(&flags.target, &trust, flags.timeout));
    // A look-up that still hangs must not hold the end up.
    runtime.shutdown_background();
    let found = match asked {
        Ok((status, _)) if status.is_success() => return Ok(ExitCode::SUCCESS),
        Ok((status, text)) => format!("expected a status from 200 to 299, got {status}{text}"),
        Err(error) => format!("{error:#}"),
    };
    super::complain(&format!("firedrill: {}: {found}", flags.target));
    Ok(ExitCode::FAILURE)
}

/// The status of the answer, and what it says where it is not 2xx.
async fn ask(target: &Target, trust: &Trust, within: Duration) -> anyhow::Result<(StatusCode, String)> {
    let deadline = Instant::now() + within;
    let stream = target.connector(trust).open(deadline).await?.stream;
    let answered = timeout_at(deadline, async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let path = target
            .query()
            .map_or_else(|| target.path().to_owned(), |query| format!("{}?{query}", target.path()));
        let request = Request::get(path)
            .header(header::HOST, target.host_header())
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok((status, String::new()));
        }
        let said = Limited::new(answer.into_body(), SHOWN).collect().await;
        let text = said.map(|body| body.to_bytes()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        Ok((status, if text.is_empty() { text } else { format!(": {text}") }))
    });
    let in_time = answered.await;
    in_time.unwrap_or_else(|_| bail!("no answer within {}", format_duration(within)))
}
