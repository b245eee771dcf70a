//! The parameters of `/work`: their names, what each takes, and how much of it.
//!
//! One table, read by the parser, its error messages, the OpenAPI document and the pages.

use std::time::Duration;

use super::nearest;
use super::quantity::{Size, format_duration};

/// The most that one request may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps {
    /// The longest latency that a distribution may draw.
    pub latency: Duration,
    /// CPU time.
    pub cpu: Duration,
    /// Memory to allocate.
    pub memory: Size,
    /// How long memory may be held.
    pub hold: Duration,
    /// Bytes to answer with.
    pub body: Size,
    /// How long nobody may be answered.
    pub outage: Duration,
}

impl Caps {
    /// More than any service does for one request, for those who ask: what one allows is its own to say.
    pub const WIDEST: Self = Self {
        latency: Duration::from_secs(86_400),
        cpu: Duration::from_secs(86_400),
        memory: Size::mebibytes(1 << 20),
        hold: Duration::from_secs(86_400),
        body: Size::mebibytes(1 << 20),
        outage: Duration::from_secs(86_400),
    };
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            latency: Duration::from_secs(60),
            cpu: Duration::from_secs(10),
            memory: Size::mebibytes(256),
            hold: Duration::from_secs(60),
            body: Size::mebibytes(1024),
            outage: Duration::from_secs(60),
        }
    }
}

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A duration or a distribution of durations.
    Latency,
    /// A duration.
    Duration,
    /// A number of bytes.
    Size,
    /// A number from 0 to 1.
    Share,
    /// A status of RFC 9110's registry.
    Status,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number from 0 to this.
    Integer(u64),
    /// A short text.
    Text,
}

/// One parameter of `/work`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, the same in a query and in a JSON body.
    pub name: &'static str,
    /// What kind of value it takes.
    pub kind: Kind,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// A value that it takes.
    pub example: &'static str,
}

/// How long requests take when `latency` is not given: small, realistic, varying.
pub const DEFAULT_LATENCY: &str = "p50=20ms,p99=120ms";

/// Every parameter, in the order in which documents list them.
pub const PARAMETERS: [Parameter; 14] = [
    Parameter {
        name: "latency",
        kind: Kind::Latency,
        about: "How long to wait before answering; p50=20ms,p99=120ms when not given.",
        example: "p50=40ms,p99=900ms",
    },
    Parameter {
        name: "status",
        kind: Kind::Status,
        about: "The status to answer with; 200 when not given.",
        example: "404",
    },
    Parameter {
        name: "error_rate",
        kind: Kind::Share,
        about: "The share of requests that answer with error_status instead of status.",
        example: "0.05",
    },
    Parameter {
        name: "error_status",
        kind: Kind::Status,
        about: "What a share of requests answers with, a server error; 500 when not given. Needs error_rate.",
        example: "503",
    },
    Parameter {
        name: "cpu",
        kind: Kind::Duration,
        about: "CPU time to burn before answering: the processor's time, not the clock's.",
        example: "50ms",
    },
    Parameter {
        name: "memory",
        kind: Kind::Size,
        about: "Memory to allocate and touch before answering, given back afterwards.",
        example: "64MiB",
    },
    Parameter {
        name: "hold",
        kind: Kind::Duration,
        about: "How long to hold the memory before answering. Needs memory.",
        example: "5s",
    },
    Parameter {
        name: "body",
        kind: Kind::Size,
        about: "How many bytes to answer with, streamed; a short JSON text when not given.",
        example: "1MiB",
    },
    Parameter {
        name: "abort",
        kind: Kind::Choice(&["reset", "truncate", "panic"]),
        about: "How to fail instead of answering: reset the TCP connection, close it in the middle of the body, or panic in the handler.",
        example: "reset",
    },
    Parameter {
        name: "exit",
        kind: Kind::Integer(255),
        about: "End the whole process with this code after answering.",
        example: "1",
    },
    Parameter {
        name: "outage",
        kind: Kind::Duration,
        about: "After answering, stop listening for so long: connections are refused, /metrics too, and then it listens again with its counters as they were.",
        example: "30s",
    },
    Parameter {
        name: "workload",
        kind: Kind::Text,
        about: "Whose traffic this is, for the label of that name; a name outside the service's list counts as other.",
        example: "demo",
    },
    Parameter {
        name: "seed",
        kind: Kind::Integer(u64::MAX),
        about: "Makes the draw repeatable: the same seed and n always do the same. Random when not given.",
        example: "7",
    },
    Parameter {
        name: "n",
        kind: Kind::Integer(u64::MAX),
        about: "Which draw of the seed this is; 0 when not given. Needs seed.",
        example: "42",
    },
];

impl Parameter {
    /// The parameter of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PARAMETERS.iter().find(|parameter| parameter.name == name)
    }

    /// What it takes under these caps, as the end of a sentence that begins "takes".
    #[must_use]
    pub fn takes(&self, caps: &Caps) -> String {
        match self.kind {
            Kind::Latency => format!(
                "a duration such as 40ms, uniform(10ms,50ms), normal(40ms,10ms), exponential(40ms), or two quantiles such as p50=40ms,p99=900ms, and none of its latencies above {}",
                format_duration(caps.latency)
            ),
            Kind::Duration => {
                let cap = format_duration(self.longest(caps));
                format!("a duration such as {} of at most {cap}", self.example)
            }
            Kind::Size => format!("a size such as {} of at most {}", self.example, self.largest(caps)),
            Kind::Share => "a share from 0 to 1, such as 0.05".to_owned(),
            Kind::Status if self.name == "error_status" => {
                "a registered server error, 500 to 508, 510 or 511".to_owned()
            }
            Kind::Status => "a registered status from 200 to 511".to_owned(),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
            Kind::Integer(most) => format!("a whole number from 0 to {most}"),
            Kind::Text => "1 to 64 characters".to_owned(),
        }
    }

    /// The longest duration that it takes, where it takes one.
    #[must_use]
    pub fn longest(&self, caps: &Caps) -> Duration {
        match self.name {
            "hold" => caps.hold,
            "outage" => caps.outage,
            _ => caps.cpu,
        }
    }

    /// The largest size that it takes, where it takes one.
    #[must_use]
    pub fn largest(&self, caps: &Caps) -> Size {
        if self.name == "body" { caps.body } else { caps.memory }
    }

    /// The statuses that it takes, where it takes one.
    pub fn statuses(&self) -> impl Iterator<Item = u16> + use<> {
        let least = if self.name == "error_status" { 500 } else { 200 };
        (least..600).filter(|status| is_registered(*status))
    }

    /// The parameter whose name is nearest to one that does not exist, if any is near.
    #[must_use]
    pub fn nearest(name: &str) -> Option<&'static str> {
        nearest(name, PARAMETERS.iter().map(|parameter| parameter.name))
    }
}

/// The final statuses that are registered.
///
/// IANA's HTTP Status Code Registry (RFC 9110, section 16.2.1), without 306 and 418, which it keeps
/// unused. A closed list, since each status is a label value.
#[must_use]
pub fn is_registered(status: u16) -> bool {
    matches!(status,
        200..=208 | 226 | 300..=305 | 307 | 308 | 400..=417 | 421..=426 | 428 | 429 | 431 | 451 | 500..=508 | 510 | 511)
}
