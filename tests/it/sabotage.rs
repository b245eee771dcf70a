//! The drill is no rubber stamp: it is held against monitoring in which one thing is broken.
//!
//! Each test takes a copy of the configuration that ships (`shipped`), breaks one thing in it, and runs
//! a drill that ships against a real Prometheus, Alertmanager, pager and service (`stack`). Where
//! monitoring lies, the drill has to say so and name what is broken; where evidence is cut off, it must
//! not tell; and where nothing is broken, everything must hold.

mod alerts;
mod cut_off;
mod delivery;
mod honest;
mod panels;
mod scrapes;
mod service;
pub(crate) mod shipped;
mod stack;

pub(crate) use cut_off::libfaketime;
