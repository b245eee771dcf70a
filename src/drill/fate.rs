//! What can become of a request.

use http::StatusCode;

use crate::dial::Unreached;

/// What became of a request. Each one that falls due ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Answered with this status, to the end of the body.
    Answered(StatusCode),
    /// The answer began, with this status, and broke off: closed or reset before the end of its body.
    Truncated(StatusCode),
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
    /// There was no connection to send it over: no address, no route, not in time.
    Unreachable,
    /// Not sent, because as many requests as allowed were in flight.
    NotSent,
    /// Left in flight when the load was told to end at once.
    Abandoned,
}

/// Whether the service saw a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It did.
    Yes,
    /// It did not: the request was never sent.
    No,
    /// A client cannot tell.
    Unknown,
}

impl Fate {
    /// What the client knows about whether the service saw the request. It does not guess.
    #[must_use]
    pub const fn seen(self) -> Seen {
        match self {
            Self::Answered(_) | Self::Truncated(_) => Seen::Yes,
            Self::Refused | Self::Unreachable | Self::NotSent => Seen::No,
            Self::Reset | Self::Closed | Self::Garbled | Self::TimedOut | Self::Abandoned => Seen::Unknown,
        }
    }

    /// Its name in reports; those with a status share one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered(_) => "answered",
            Self::Truncated(_) => "truncated",
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

    /// What it means, as a clause.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Answered(_) => "answered to the end of the body",
            Self::Truncated(_) => "the answer broke off before the end of its body",
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

impl From<&Unreached> for Fate {
    fn from(why: &Unreached) -> Self {
        match why {
            Unreached::Refused => Self::Refused,
            Unreached::Unnamed(_) | Unreached::TimedOut | Unreached::Failed(_) => Self::Unreachable,
        }
    }
}

impl From<&hyper::Error> for Fate {
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
