//! What a service exposes, without anybody who asks for it over a connection.

use std::sync::Arc;

use http::HeaderMap;

use firedrill_server::exposition::Exposition;

use super::Service;
use super::state::State;

/// What a service exposes, also while it runs.
pub struct Exposed(Arc<State>);

impl Exposed {
    pub fn new(service: &Service) -> Self {
        Self(Arc::clone(&service.state))
    }

    /// All of it, as text.
    pub fn text(&self) -> String {
        let exposition = Exposition::write(self.0.telemetry.registry(), &HeaderMap::new());
        String::from_utf8(exposition.expect("it can be written").bytes).expect("it is text")
    }

    /// Forgets each request that has ended.
    pub fn forget(&self) {
        self.0.telemetry.server.request_duration.clear();
        self.0.telemetry.injected_errors.clear();
    }
}
