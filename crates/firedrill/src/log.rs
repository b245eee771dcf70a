//! Where logs go and what they look like.

use std::io::{IsTerminal, stderr};

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// Flags that every command has.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// Log format, on stderr
    #[arg(
        long,
        global = true,
        env = "FIREDRILL_LOG_FORMAT",
        help_heading = "Logging",
        default_value = "text",
        value_enum
    )]
    log_format: Format,
    /// Log level (error, warn, info, debug, trace) or a filter such as info,firedrill_service=debug
    /// [default: info; warn where the output is a report]
    #[arg(long, global = true, env = "FIREDRILL_LOG", help_heading = "Logging", value_parser = str::parse::<EnvFilter>)]
    log: Option<EnvFilter>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Lines for people
    Text,
    /// One JSON object per line
    Json,
}

impl Flags {
    /// Sends logs to stderr from here on, a panic as one of them; of this level where no flag says.
    pub(super) fn install(&self, otherwise: &str) {
        let builder = tracing_subscriber::fmt()
            .with_env_filter(self.log.clone().unwrap_or_else(|| EnvFilter::new(otherwise)))
            .with_writer(stderr)
            // It would say so on stderr, and panic where that is full.
            .log_internal_errors(false)
            .with_ansi(stderr().is_terminal());
        match self.log_format {
            Format::Text => builder.init(),
            Format::Json => builder.json().flatten_event(true).with_ansi(false).init(),
        }
        std::panic::set_hook(Box::new(|panic| {
            let at = panic.location().map(ToString::to_string).unwrap_or_default();
            let message = panic.payload_as_str().unwrap_or("not a text");
            tracing::error!(message, at, "panic");
        }));
    }
}
