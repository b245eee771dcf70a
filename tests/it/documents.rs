//! What is written about the program, held against what it does.

mod architecture;
mod dashboards;
mod drill_files;
mod generated;
mod metrics;
mod openapi;
mod schemathesis;
mod security;
