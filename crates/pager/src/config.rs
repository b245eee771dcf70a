//! What a pager is told at its start.

use std::time::Duration;

use firedrill_contract::{Size, Token};

#[derive(Debug, Clone)]
pub struct Config {
    pub server: firedrill_server::Config,
    /// What a notification needs; without it, anybody who reaches the address can make it ring.
    pub token: Option<Token>,
    /// Pages that are remembered.
    pub keep: u32,
    /// The text in them, together.
    pub keep_size: Size,
    /// A notification's body.
    pub max_body: Size,
    /// How long Alertmanager may take to send it.
    pub body_timeout: Duration,
    /// Open streams at a time.
    pub max_subscribers: u16,
    /// How often an idle stream says that it is still there.
    pub keepalive: Duration,
    /// The alert that always fires, and how long it may be silent; `None` where there is no such alert.
    pub heartbeat: Option<(String, Duration)>,
}
