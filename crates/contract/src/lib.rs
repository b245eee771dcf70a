//! What a `/work` request can be asked to do, and what a given request will do.
//!
//! Pure: no clock, no socket, no global. The service and the drill meet only here.
//!
//! Reading order: [`parameter`] lists the names that exist; [`Work`] is a request for
//! misbehaviour after every check; [`Work::draw`] turns it into one [`Injection`],
//! the same one on every machine for the same seed. [`Latency`] holds the
//! distributions, [`quantity`] reads durations, sizes, shares and rates as people write them, [`display`] shows them.
//! [`metric`] lists what the service exposes. [`Time`] is a moment as run files and Prometheus have it.

pub mod display;
mod given;
mod injection;
pub mod latency;
mod members;
pub mod metric;
mod nearest;
pub mod parameter;
pub mod quantity;
mod refusal;
mod time;
mod token;
mod work;
mod workload;

pub use injection::Injection;
pub use latency::Latency;
pub use nearest::{near, nearest, suggest};
pub use parameter::{Caps, Parameter};
pub use quantity::{Rate, Share, Size};
pub use refusal::{Refusal, quoted};
pub use time::Time;
pub use token::Token;
pub use work::{Abort, Memory, OpenTo, Work};
pub use workload::Workloads;
