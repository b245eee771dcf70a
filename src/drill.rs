//! Drives a service from outside, keeps a ledger of what truly happened, and judges what monitoring made of it.
//!
//! Data flows one way, and each step is a type that the next one takes:
//!
//! ```text
//! file -> plan (what to send, when) -> load -> ledger (what was sent, what came back) -.
//!                                                                                      run -> judge -> verdicts -> report
//! Prometheus, Alertmanager, pager, dashboards -> evidence -----------------------------'
//! ```
//!
//! Reading order: [`mod@file`] is what people write; [`plan`] makes phases of it: [`arrivals`] says when each
//! request is due and [`request`] what is sent to which [`target`]; [`load`] sends it, one `exchange` a request over a
//! `pool` of connections a target; each ends in one [`fate`], which the [`ledger`] counts.
//! [`evidence`] is what monitoring knew, [`run`] holds all of it, [`judge`] reads nothing else, and
//! [`report`] is for people and programs.

pub mod arrivals;
pub mod conduct;
pub mod evidence;
mod exchange;
pub mod fate;
pub mod file;
pub mod judge;
pub mod ledger;
pub mod load;
pub mod plan;
mod pool;
pub mod promql;
pub mod question;
pub mod report;
pub mod request;
pub mod run;
pub mod target;
pub mod time;
pub mod timings;
