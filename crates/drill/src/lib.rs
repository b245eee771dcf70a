//! Drives a service from outside and judges what monitoring made of it.
//!
//! Data flows one way, and each step is a type that the next one takes:
//!
//! ```text
//! file -> plan (what to send, when) -> load -> ledger (what was sent, what came back) -.
//!                                                                                      run -> judge -> verdicts -> report
//! Prometheus, Alertmanager, pager, dashboards -> evidence -----------------------------'
//! ```
//!
//! Reading order: [`mod@file`] is what people write; [`mod@plan`] makes a plan of its phases, which `firedrill_load`
//! sends and counts; [`evidence`] is what monitoring knew, [`run`] holds all of it, [`judge`] reads nothing else, and
//! [`report`] is for people and programs.

pub mod conduct;
pub mod evidence;
pub mod expectation;
pub mod file;
pub mod judge;
pub mod phase_ledger;
pub mod plan;
pub mod promql;
pub mod question;
pub mod report;
pub mod run;
