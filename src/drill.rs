//! Drives a service from outside and keeps a ledger of what truly happened.
//!
//! Reading order: [`arrivals`] says when each request is due and [`request`] what is sent to which
//! [`target`]; [`load`] sends it, one `exchange` a request over a `pool` of connections a target;
//! each ends in one [`fate`], which the [`ledger`] counts.

pub mod arrivals;
mod exchange;
pub mod fate;
pub mod ledger;
pub mod load;
mod pool;
mod recorder;
pub mod request;
pub mod target;
pub mod timings;
