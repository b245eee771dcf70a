//! A real Prometheus, and what it knows.

pub(crate) mod api;
pub(crate) mod server;
