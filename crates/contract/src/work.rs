//! A request for misbehaviour, checked.

use std::str::FromStr;
use std::time::Duration;

use super::given::Given;
use super::latency::Latency;
use super::members::Members;
use super::parameter::{Caps, DEFAULT_LATENCY, Parameter};
use super::quantity::{Share, Size};
use super::refusal::Refusal;

/// What a request asks `/work` to do, every value within its cap.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// How long to wait before answering.
    pub latency: Latency,
    /// The status to answer with when no error is drawn.
    pub status: u16,
    /// How often to answer with an error instead, and with which.
    pub error: Option<(Share, u16)>,
    /// CPU time to burn.
    pub cpu: Duration,
    /// Memory to hold.
    pub memory: Option<Memory>,
    /// Bytes to answer with; a short JSON text where this is `None`.
    pub body: Option<Size>,
    /// How to fail instead of answering.
    pub abort: Option<Abort>,
    /// The code to end the process with after answering.
    pub exit: Option<u8>,
    /// How long to answer nobody after answering.
    pub outage: Duration,
    /// Whose traffic it says it is.
    pub workload: Option<String>,
    /// What makes the draw repeatable.
    pub seed: Option<u64>,
    /// Which draw of the seed this is.
    pub n: u64,
}

/// Memory to allocate and touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// How much.
    pub size: Size,
    /// How long to hold it before it is given back.
    pub hold: Duration,
}

/// Ways to fail without a proper answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abort {
    /// Reset the TCP connection; no answer.
    Reset,
    /// Close the connection in the middle of the body.
    Truncate,
    /// Panic in the handler; the process lives and answers 500.
    Panic,
}

/// The most that `/work` does for anybody, without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTo {
    /// The longest latency that may be drawn.
    pub latency: Duration,
    /// Bytes to answer with.
    pub body: Size,
}

impl Default for OpenTo {
    fn default() -> Self {
        Self { latency: Duration::from_secs(5), body: Size::mebibytes(1) }
    }
}

impl Default for Work {
    /// What a request without parameters does.
    fn default() -> Self {
        Self {
            latency: DEFAULT_LATENCY.parse().expect("the default latency is well-formed"),
            status: 200,
            error: None,
            cpu: Duration::ZERO,
            memory: None,
            body: None,
            abort: None,
            exit: None,
            outage: Duration::ZERO,
            workload: None,
            seed: None,
            n: 0,
        }
    }
}

impl Work {
    /// Checks named values, from a query or a JSON body.
    ///
    /// # Errors
    /// The first name that does not exist or comes twice, value that is malformed or over its cap,
    /// or combination that contradicts itself.
    pub fn parse<'a>(
        values: impl IntoIterator<Item = (&'a str, &'a str)>,
        caps: &'a Caps,
    ) -> Result<Self, Refusal> {
        let mut work = Self::default();
        let mut given: Vec<Given<'a>> = Vec::new();
        for (name, got) in values {
            let Some(parameter) = Parameter::named(name) else {
                return Err(Refusal::unknown(name, got));
            };
            let value = Given { parameter, got, caps };
            if given.iter().any(|earlier| earlier.parameter == parameter) {
                return Err(value.refuse("it once"));
            }
            work.set(&value)?;
            given.push(value);
        }
        work.contradiction(&given).map_or(Ok(work), Err)
    }

    /// Reads a query string, percent-encoded as forms are.
    ///
    /// # Errors
    /// As [`Work::parse`].
    pub fn from_query(query: &str, caps: &Caps) -> Result<Self, Refusal> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        Self::parse(pairs.iter().map(|(name, value)| (&**name, &**value)), caps)
    }

    /// Checks named values, from a query, and those of a JSON object of the same names; each value a string or a
    /// number, each name in one of them.
    ///
    /// # Errors
    /// As [`Work::parse`], and a refusal of the `body` where it is not such an object.
    pub fn parse_with_json<'a>(
        values: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: &[u8],
        caps: &Caps,
    ) -> Result<Self, Refusal> {
        let Members(members) = serde_json::from_slice(body).map_err(|error| {
            let expected = format!("a JSON object of parameters ({error})");
            Refusal::new("request body", &String::from_utf8_lossy(body), expected)
        })?;
        let mut all: Vec<(&str, &str)> = values.into_iter().collect();
        all.extend(members.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Self::parse(all, caps)
    }

    fn set(&mut self, value: &Given<'_>) -> Result<(), Refusal> {
        let caps = value.caps;
        match value.parameter.name {
            "latency" => self.latency = value.latency()?,
            "status" => self.status = value.status()?,
            "error_rate" => {
                let status = self.error.map_or(500, |(_, status)| status);
                self.error = Some((value.read()?, status));
            }
            "error_status" => {
                let share = self.error.map_or(Share::NONE, |(share, _)| share);
                self.error = Some((share, value.status()?));
            }
            "cpu" => self.cpu = value.duration()?,
            "memory" => {
                self.memory.get_or_insert(NOTHING_HELD).size = value.size()?;
            }
            "hold" => {
                self.memory.get_or_insert(NOTHING_HELD).hold = value.duration()?;
            }
            "body" => self.body = Some(value.size()?),
            "abort" => self.abort = Some(value.read()?),
            "exit" => self.exit = Some(value.integer()?),
            "outage" => self.outage = value.duration()?,
            "workload" if (1..=64).contains(&value.got.len()) => self.workload = Some(value.got.to_owned()),
            "seed" => self.seed = Some(value.integer()?),
            "n" => self.n = value.integer()?,
            _ => return Err(value.refuse(value.parameter.takes(caps))),
        }
        Ok(())
    }

    /// Values that are each right but cannot all be done.
    fn contradiction(&self, given: &[Given<'_>]) -> Option<Refusal> {
        let has = |name: &str| given.iter().find(|value| value.parameter.name == name);
        for (name, needed) in [("hold", "memory"), ("error_status", "error_rate"), ("n", "seed")] {
            if let Some(value) = has(name)
                && has(needed).is_none()
            {
                return Some(value.refuse(format!("it only together with {needed}")));
            }
        }
        for (name, other, why) in [
            ("exit", "abort", "the process ends after an answer"),
            ("outage", "abort", "the outage begins after an answer"),
            ("outage", "exit", "a process that has ended does not come back by itself"),
        ] {
            if let (Some(value), Some(_)) = (has(name), has(other)) {
                return Some(value.refuse(format!("it only without {other}: {why}")));
            }
        }
        let bodiless = |status| matches!(status, 204 | 205 | 304);
        if let Some(body) = has("body")
            && bodiless(self.status)
        {
            return Some(
                body.refuse(format!("it only with a status that has a body, which {} has not", self.status)),
            );
        }
        if let Some(abort) = has("abort")
            && self.abort == Some(Abort::Truncate)
            && (bodiless(self.status) || self.body.is_some_and(|size| size.bytes() < 2))
        {
            return Some(abort.refuse("truncate only with a body of at least 2 bytes"));
        }
        None
    }

    /// The first wish that costs more than is open to everybody, with what makes it costly.
    #[must_use]
    pub fn costly(&self, open: &OpenTo) -> Option<&'static str> {
        if self.exit.is_some() {
            Some("exit")
        } else if !self.outage.is_zero() {
            Some("outage")
        } else if self.abort.is_some() {
            Some("abort")
        } else if self.memory.is_some() {
            Some("memory")
        } else if !self.cpu.is_zero() {
            Some("cpu")
        } else if self.body.is_some_and(|size| size > open.body) {
            Some("body")
        } else if self.latency.longest() > open.latency {
            Some("latency")
        } else {
            None
        }
    }
}

const NOTHING_HELD: Memory = Memory { size: Size(0), hold: Duration::ZERO };

impl FromStr for Abort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "reset" => Ok(Self::Reset),
            "truncate" => Ok(Self::Truncate),
            "panic" => Ok(Self::Panic),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Work {
        Work::from_query(query, &Caps::default()).unwrap_or_else(|refusal| panic!("{query}: {refusal}"))
    }

    fn refused(query: &str) -> Refusal {
        Work::from_query(query, &Caps::default()).expect_err(query)
    }

    #[test]
    fn a_request_without_parameters_has_a_small_varying_latency() {
        let work = read("");
        assert_eq!(work, Work::default());
        let draws: Vec<_> = (0..100).map(|n| work.draw(1, n).latency).collect();
        assert!(draws.iter().all(|latency| *latency < Duration::from_secs(1)));
        assert_ne!(draws[0], draws[1]);
        assert_eq!(work.costly(&OpenTo::default()), None);
    }

    #[test]
    fn every_parameter_of_the_table_is_read() {
        for parameter in &crate::parameter::PARAMETERS {
            let needs = match parameter.name {
                "error_status" => "error_rate=0.1&",
                "hold" => "memory=1MiB&",
                "n" => "seed=1&",
                _ => "",
            };
            let work = read(&format!("{needs}{}={}", parameter.name, parameter.example));
            assert_ne!(work, read(needs.trim_end_matches('&')), "{} was ignored", parameter.name);
        }
    }

    #[test]
    fn an_unknown_parameter_is_refused_by_name_with_the_nearest_one() {
        let refusal = refused("latncy=40ms");
        assert_eq!(refusal.parameter, "latncy");
        assert!(refusal.expected.contains("did you mean latency?"), "{refusal}");
        assert!(refused("colour=red").expected.contains("one of the parameters latency, status"));
    }

    #[test]
    fn what_is_malformed_over_its_cap_or_contradictory_is_refused() {
        for (query, parameter, expected) in [
            ("latency=soon", "latency", "uniform(10ms,50ms)"),
            ("latency=2h", "latency", "above 60s"),
            ("latency=exponential(20s)", "latency", "above 60s"),
            ("status=99", "status", "registered status from 200"),
            ("status=101", "status", "registered status from 200"),
            ("status=299", "status", "registered status from 200"),
            ("status=+200", "status", "registered status from 200"),
            ("error_rate=2", "error_rate", "from 0 to 1"),
            ("error_rate=0.5&error_status=404", "error_status", "registered server error"),
            ("error_status=500", "error_status", "together with error_rate"),
            ("cpu=11s", "cpu", "at most 10s"),
            ("memory=1GiB", "memory", "at most 256MiB"),
            ("memory=1MiB&hold=2m", "hold", "at most 60s"),
            ("hold=5s", "hold", "together with memory"),
            ("body=2GiB", "body", "at most 1GiB"),
            ("abort=loudly", "abort", "one of reset, truncate, panic"),
            ("exit=256", "exit", "from 0 to 255"),
            ("exit=1&abort=panic", "exit", "without abort"),
            ("outage=61s", "outage", "at most 60s"),
            ("outage=1s&abort=reset", "outage", "without abort"),
            ("outage=1s&exit=0", "outage", "without exit"),
            ("status=204&body=1KiB", "body", "a status that has a body"),
            ("abort=truncate&body=1", "abort", "at least 2 bytes"),
            ("workload=", "workload", "1 to 64 characters"),
            ("seed=-1", "seed", "whole number"),
            ("n=1", "n", "together with seed"),
            ("cpu=1ms&cpu=2ms", "cpu", "it once"),
        ] {
            let refusal = refused(query);
            assert_eq!(refusal.parameter, parameter, "{query}: {refusal}");
            assert!(refusal.expected.contains(expected), "{query}: {refusal}");
        }
    }

    #[test]
    fn json_says_the_same_as_a_query() {
        let json =
            br#"{"latency": "p50=40ms,p99=900ms", "error_rate": 0.05, "status": 404, "seed": "7", "n": 3}"#;
        let query = "latency=p50=40ms,p99=900ms&error_rate=0.05&status=404&seed=7&n=3";
        assert_eq!(Work::parse_with_json([], json, &Caps::default()), Ok(read(query)));
        assert_eq!(Work::parse_with_json([], b"{}", &Caps::default()), Ok(Work::default()));
    }

    #[test]
    fn a_number_of_json_is_what_it_is_worth_however_it_is_written() {
        let json = br#"{"status": 4.04e2, "error_rate": 1e-7, "body": 1e3, "cpu": -0.0, "seed": 18446744073709551615}"#;
        let query = "status=404&error_rate=0.0000001&body=1000&cpu=0&seed=18446744073709551615";
        assert_eq!(Work::parse_with_json([], json, &Caps::default()), Ok(read(query)));
    }

    #[test]
    fn json_that_is_not_an_object_of_parameters_is_refused() {
        for (json, expected) in [
            ("", "JSON object"),
            ("[]", "JSON object"),
            ("{\"cpu\": true}", "cpu is true"),
            ("{\"cpu\": \"1ms\", \"cpu\": \"2ms\"}", "it once"),
            ("{\"status\": 503.5}", "registered status"),
            ("{\"speed\": 1}", "did you mean seed?"),
            ("{} {}", "JSON object"),
        ] {
            let refusal = Work::parse_with_json([], json.as_bytes(), &Caps::default()).expect_err(json);
            assert!(refusal.expected.contains(expected), "{json}: {refusal}");
        }
    }

    #[test]
    fn what_a_client_sent_is_shown_short_and_harmless() {
        let refusal = refused(&format!("status=%0A%1b[31m{}", "9".repeat(500)));
        assert!(
            refusal.got.starts_with("\\n\\u{1b}[31m999") && refusal.got.chars().count() < 100,
            "{}",
            refusal.got
        );
    }

    #[test]
    fn costly_wishes_are_told_from_cheap_ones() {
        let costly = |query| read(query).costly(&OpenTo::default());
        for (query, wish) in [
            ("cpu=1ms", "cpu"),
            ("memory=1KiB", "memory"),
            ("abort=reset", "abort"),
            ("exit=0", "exit"),
            ("outage=1ms", "outage"),
            ("body=2MiB", "body"),
            ("latency=6s", "latency"),
            ("latency=exponential(1s)", "latency"),
        ] {
            assert_eq!(costly(query), Some(wish), "{query}");
        }
        for query in ["", "status=503", "error_rate=1", "body=1MiB", "latency=5s", "cpu=0", "outage=0"] {
            assert_eq!(costly(query), None, "{query}");
        }
    }
}
