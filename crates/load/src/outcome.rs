//! What can become of a request.

use http::StatusCode;

use firedrill_net::Unreached;

/// What became of a request. Each one that falls due ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Answered with this status, to the end of the body.
    Answered(StatusCode),
    /// The answer began, with this status, and broke off: closed or reset before the end of its body.
    Truncated(StatusCode),
    /// The client hung up, as it was told to, on a service that had begun to read the request or to answer it.
    HungUp,
    /// The connection was reset before the answer.
    Reset,
    /// The connection was closed before the answer.
    Closed,
    /// What came back was not HTTP.
    Garbled,
    /// No whole answer came in time.
    TimedOut,
    /// Nobody listened: the connection was refused.
    Refused,
    /// There was no connection to send it over: no address, no route, not in time, not to be trusted.
    Unreachable,
    /// Not sent, because as many requests as allowed were in flight.
    NotSent,
    /// Left in flight when the load was told to end at once.
    Abandoned,
}

/// Whether the service saw a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It did.
    Yes,
    /// It did not: the request was never sent.
    No,
    /// A client cannot tell.
    Unknown,
}

impl Outcome {
    /// What the client knows about whether the service saw the request. It does not guess.
    #[must_use]
    pub const fn reached(self) -> Reached {
        match self {
            Self::Answered(_) | Self::Truncated(_) | Self::HungUp => Reached::Yes,
            Self::Refused | Self::Unreachable | Self::NotSent => Reached::No,
            Self::Reset | Self::Closed | Self::Garbled | Self::TimedOut | Self::Abandoned => Reached::Unknown,
        }
    }

    /// The status of its answer, where one began.
    #[must_use]
    pub const fn status(self) -> Option<StatusCode> {
        match self {
            Self::Answered(status) | Self::Truncated(status) => Some(status),
            Self::HungUp
            | Self::Reset
            | Self::Closed
            | Self::Garbled
            | Self::TimedOut
            | Self::Refused
            | Self::Unreachable
            | Self::NotSent
            | Self::Abandoned => None,
        }
    }

    /// Whether it is a failure of the service, as far as its client can see: a status of 5xx, or no
    /// proper answer. A client that hangs up as it was told to, or never sent, has seen none.
    #[must_use]
    pub fn is_error(self) -> bool {
        match self {
            Self::Answered(status) => status.is_server_error(),
            Self::Truncated(_)
            | Self::Reset
            | Self::Closed
            | Self::Garbled
            | Self::TimedOut
            | Self::Refused => true,
            Self::HungUp | Self::Unreachable | Self::NotSent | Self::Abandoned => false,
        }
    }

    /// Its name in reports; those with a status share one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Truncated(_) => "truncated",
            Self::HungUp => "hung up",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Garbled => "garbled",
            Self::TimedOut => "timed out",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::NotSent => "not sent",
            Self::Abandoned => "abandoned",
        }
    }

    /// The outcome of this name, with the status that those of that name have.
    #[must_use]
    pub fn named(name: &str, status: Option<StatusCode>) -> Option<Self> {
        let outcome = match (name, status) {
            ("answered", Some(status)) => return Some(Self::Answered(status)),
            ("truncated", Some(status)) => return Some(Self::Truncated(status)),
            ("hung up", None) => Self::HungUp,
            ("reset", None) => Self::Reset,
            ("closed", None) => Self::Closed,
            ("garbled", None) => Self::Garbled,
            ("timed out", None) => Self::TimedOut,
            ("refused", None) => Self::Refused,
            ("unreachable", None) => Self::Unreachable,
            ("not sent", None) => Self::NotSent,
            ("abandoned", None) => Self::Abandoned,
            _ => return None,
        };
        Some(outcome)
    }

    /// What it means, as a clause.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Answered(_) => "answered to the end of the body",
            Self::Truncated(_) => "the answer broke off before the end of its body",
            Self::HungUp => "the client hung up as it was told to",
            Self::Reset => "the connection was reset before the answer",
            Self::Closed => "the connection was closed before the answer",
            Self::Garbled => "what came back was not HTTP",
            Self::TimedOut => "no whole answer came in time",
            Self::Refused => "nobody listened at the target",
            Self::Unreachable => "no connection to the target",
            Self::NotSent => "as many requests as allowed were in flight",
            Self::Abandoned => "in flight when told to end at once",
        }
    }
}

impl From<&Unreached> for Outcome {
    fn from(why: &Unreached) -> Self {
        match why {
            Unreached::Refused => Self::Refused,
            Unreached::Unnamed(_) | Unreached::TimedOut | Unreached::Failed(_) | Unreached::Insecure(_) => {
                Self::Unreachable
            }
        }
    }
}

impl From<&hyper::Error> for Outcome {
    /// Of an error before the answer.
    fn from(error: &hyper::Error) -> Self {
        use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        if error.is_parse() {
            return Self::Garbled;
        }
        let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        let io = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
        let reset =
            io.into_iter().any(|kind| matches!(kind, ConnectionReset | ConnectionAborted | BrokenPipe));
        if reset { Self::Reset } else { Self::Closed }
    }
}
