//! Behaviour from outside: the program as a process, and its parts over real sockets.

#![allow(clippy::unwrap_used, reason = "in a test an unwrap is the assertion")]

mod browser;
mod check;
mod conformance;
mod documents;
mod drill;
mod evidence;
mod faults;
mod forward;
mod load;
mod manual;
mod pager;
mod probe;
mod prometheus;
mod sabotage;
mod service;
mod stack;
mod support;
mod tls;
