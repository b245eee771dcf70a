//! What is written about the program, held against what it does.

mod architecture;
mod dashboards;
mod drill_files;
mod metrics;
mod openapi;
mod run_files;
mod schemathesis;
mod security;
