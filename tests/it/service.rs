//! `firedrill serve`, from outside.

mod bounds;
mod counts;
mod ends;
mod exposition;
mod outage;
mod page;
mod starts;
mod work;
