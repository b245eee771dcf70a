//! Behaviour from outside: the program as a process, and its parts over real sockets.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

mod client;
mod forward;
mod load;
mod peer;
mod probe;
mod process;
mod scrape;
mod service;
