//! What is written about the program, held against what it does.

mod dashboards;
mod metrics;
mod openapi;
