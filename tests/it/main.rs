//! Behaviour from outside: the program as a process, and its parts over real sockets.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

mod alertmanager;
mod browser;
mod check;
mod client;
mod conformance;
mod dashboard;
mod directory;
mod documents;
mod drill;
mod eventually;
mod evidence;
mod faults;
mod fetch;
mod forward;
mod load;
mod manual;
mod openmetrics;
mod pager;
mod peer;
mod probe;
mod process;
mod prometheus;
mod promql;
mod sabotage;
mod scrape;
mod service;
mod serving;
mod stack;
mod tls;
