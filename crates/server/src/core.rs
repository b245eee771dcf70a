//! What the connections of one server share.

use super::config::Config;
use super::lifecycle::Lifecycle;
use super::telemetry::Telemetry;

pub(super) struct Core {
    pub(super) config: Config,
    pub(super) telemetry: Telemetry,
    pub(super) lifecycle: Lifecycle,
}
