//! firedrill: the test button for your monitoring.
//!
//! A service that misbehaves on request, in a known way, and the traffic that drives it.
//!
//! Reading order: [`contract`] says what a request can ask for and what it will do; [`service`]
//! does it and measures itself, on the HTTP [`server`]; [`drill`] sends requests on a schedule and
//! keeps the ledger of what truly happened; [`pager`] receives what Alertmanager sends; [`dial`]
//! connects to names whose addresses change, [`forward`] puts one address before several replicas,
//! [`stop`] ends what runs, `plain` keeps texts from outside from acting on a terminal or a document; [`cli`] turns flags into configurations and starts them. `service`,
//! `drill` and `pager` never import one another.

pub mod cli;
pub mod contract;
pub mod dial;
pub mod drill;
pub mod forward;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod pager;
mod plain;
pub mod server;
pub mod service;
pub mod stop;
