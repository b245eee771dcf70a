//! Sends requests when they are due, and keeps a ledger of what truly happened.
//!
//! Reading order: a [`plan`] is phases; [`arrivals`] says when each request is due and [`request`] what is sent;
//! [`load`] sends it, one `exchange` a request over a `pool` of connections a target; each ends in one [`fate`],
//! which the [`ledger`] counts with its [`timings`] and what is known of the [`path`].

pub mod arrivals;
mod exchange;
pub mod fate;
pub mod ledger;
pub mod load;
pub mod path;
pub mod plan;
mod pool;
pub mod request;
pub mod timings;

pub use exchange::PATIENCE;
