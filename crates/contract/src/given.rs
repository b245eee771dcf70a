//! A value as it was given, read as its parameter asks and held against its cap.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::latency::Latency;
use super::parameter::{Caps, Parameter};
use super::quantity::{Size, parse_duration};
use super::refusal::Refusal;

/// A value as it was given, for a parameter that exists.
pub(super) struct Given<'a> {
    pub(super) parameter: &'static Parameter,
    pub(super) got: &'a str,
    pub(super) caps: &'a Caps,
}

impl Given<'_> {
    pub(super) fn refuse(&self, expected: impl fmt::Display) -> Refusal {
        Refusal::new(self.parameter.name, self.got, expected)
    }

    fn malformed(&self) -> Refusal {
        self.refuse(self.parameter.takes(self.caps))
    }

    pub(super) fn read<T: FromStr>(&self) -> Result<T, Refusal> {
        self.got.parse().map_err(|_| self.malformed())
    }

    pub(super) fn latency(&self) -> Result<Latency, Refusal> {
        // An error of the form says more than the list of forms would.
        let latency: Latency = self.got.parse().map_err(|error| self.refuse(error))?;
        if latency.longest() <= self.caps.latency { Ok(latency) } else { Err(self.malformed()) }
    }

    pub(super) fn duration(&self) -> Result<Duration, Refusal> {
        let cap = self.parameter.longest(self.caps);
        parse_duration(self.got).ok().filter(|duration| *duration <= cap).ok_or_else(|| self.malformed())
    }

    pub(super) fn size(&self) -> Result<Size, Refusal> {
        let cap = self.parameter.largest(self.caps);
        self.read().ok().filter(|size| *size <= cap).ok_or_else(|| self.malformed())
    }

    /// A whole number in digits alone; `str::parse` would take a plus sign too.
    pub(super) fn integer<T: FromStr>(&self) -> Result<T, Refusal> {
        if self.got.bytes().all(|b| b.is_ascii_digit()) { self.read() } else { Err(self.malformed()) }
    }

    pub(super) fn status(&self) -> Result<u16, Refusal> {
        let status: u16 = self.integer()?;
        self.parameter.statuses().find(|taken| *taken == status).ok_or_else(|| self.malformed())
    }
}
