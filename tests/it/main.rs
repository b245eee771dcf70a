//! Integration tests: the real program, real sockets.

mod client;
mod process;
mod scrape;
mod service;
