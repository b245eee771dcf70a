//! What suites share: the program as a process, clients and peers that are rude on purpose, and the real programs of the stack.

pub(crate) mod alertmanager;
pub(crate) mod client;
pub(crate) mod dashboard;
pub(crate) mod directory;
pub(crate) mod draws;
pub(crate) mod eventually;
pub(crate) mod fetch;
pub(crate) mod openmetrics;
pub(crate) mod pager;
pub(crate) mod peer;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod promql;
pub(crate) mod repository;
pub(crate) mod scrape;
pub(crate) mod service;
pub(crate) mod serving;
pub(crate) mod wire;
