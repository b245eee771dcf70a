//! `firedrill pager`, from outside.

pub(crate) mod alertmanager;
mod heartbeat;
mod pages;
mod refuses;
mod shows;
mod streams;
