//! Sends requests when they are due, and keeps a ledger of what truly happened.
//!
//! Reading order: a [`plan`] is phases; [`arrivals`] says when each request is due and [`request`] what is sent;
//! [`load`] sends it, one `round_trip` a request over a `pool` of connections a target; each ends in one [`outcome`],
//! which the [`ledger`] counts with its [`timings`] and what is known of the [`path`].

pub mod arrivals;
pub mod ledger;
pub mod load;
pub mod outcome;
pub mod path;
pub mod plan;
mod pool;
pub mod request;
mod round_trip;
pub mod timings;

pub use round_trip::HANG_UP_AFTER;
