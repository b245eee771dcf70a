//! From a drill file to what is sent and when: pure.
//!
//! A [`Plan`] is a file's phases after every check, or what an endless load does. Requests are numbered
//! through the whole of it, from 0; the number decides which request of a mix it is and what the service
//! draws for it, so that a seed repeats everything.

use std::num::NonZero;
use std::time::Duration;

use http::HeaderMap;
use rand_chacha::rand_core::Rng as _;

use super::arrivals::{Arrivals, seeded};
use super::request::Request;

/// What is sent, and when: phases, one after the other, each of which begins when the one before ends.
#[derive(Debug, Clone)]
pub struct Plan {
    seed: u64,
    phases: Vec<PlannedPhase>,
}

/// A phase of a plan.
#[derive(Debug, Clone)]
pub struct PlannedPhase {
    /// Its name.
    pub name: String,
    /// What happens in it.
    pub activity: Activity,
}

/// What happens in a phase.
#[derive(Debug, Clone)]
pub enum Activity {
    /// Nothing, for so long.
    Pause(Duration),
    /// Requests fall due.
    Traffic {
        /// When.
        arrivals: Arrivals,
        /// Which.
        mix: Mix,
    },
}

/// Kinds of requests, each with its weight.
#[derive(Debug, Clone)]
pub struct Mix {
    /// The kinds, each with the sum of the weights up to it and its own.
    parts: Vec<(u64, Request)>,
}

impl Plan {
    /// These phases, one after the other.
    #[must_use]
    pub const fn new(seed: u64, phases: Vec<PlannedPhase>) -> Self {
        Self { seed, phases }
    }

    /// One kind of request, for as long as it arrives.
    #[must_use]
    pub fn steady(seed: u64, arrivals: Arrivals, request: Request) -> Self {
        let activity = Activity::Traffic { arrivals, mix: Mix { parts: vec![(1, request)] } };
        Self { seed, phases: vec![PlannedPhase { name: "load".to_owned(), activity }] }
    }

    /// With these header fields in each request; they win over those of the same name that it has.
    #[must_use]
    pub fn with_headers(mut self, headers: &HeaderMap) -> Self {
        for (_, request) in
            self.phases.iter_mut().filter_map(PlannedPhase::mix_mut).flat_map(|mix| &mut mix.parts)
        {
            for name in headers.keys() {
                request.headers.remove(name);
            }
            request.headers.extend(headers.iter().map(|(name, value)| (Some(name.clone()), value.clone())));
        }
        self
    }

    /// The phases, in their order.
    #[must_use]
    pub fn phases(&self) -> &[PlannedPhase] {
        &self.phases
    }

    /// How long all phases last together; nothing when they go on for ever.
    #[must_use]
    pub fn lasts(&self) -> Option<Duration> {
        self.phases.iter().map(PlannedPhase::lasts).sum()
    }

    /// Request `n`, counted through the whole plan, of a phase's mix.
    #[must_use]
    pub fn pick<'a>(&self, mix: &'a Mix, n: u64) -> &'a Request {
        mix.pick(self.seed, n)
    }
}

impl PlannedPhase {
    /// How long it lasts; nothing when it goes on for ever.
    #[must_use]
    pub const fn lasts(&self) -> Option<Duration> {
        match &self.activity {
            Activity::Pause(span) => Some(*span),
            Activity::Traffic { arrivals, .. } => arrivals.span(),
        }
    }

    /// What it sends; nothing in a pause.
    #[must_use]
    pub const fn mix(&self) -> Option<&Mix> {
        match &self.activity {
            Activity::Pause(_) => None,
            Activity::Traffic { mix, .. } => Some(mix),
        }
    }

    const fn mix_mut(&mut self) -> Option<&mut Mix> {
        match &mut self.activity {
            Activity::Pause(_) => None,
            Activity::Traffic { mix, .. } => Some(mix),
        }
    }
}

impl Mix {
    /// Of at least one kind; nothing without any.
    #[must_use]
    pub fn new(kinds: Vec<(NonZero<u32>, Request)>) -> Option<Self> {
        let mut sum = 0;
        let parts = kinds.into_iter().map(|(weight, request)| {
            sum += u64::from(weight.get());
            (sum, request)
        });
        let parts: Vec<_> = parts.collect();
        (!parts.is_empty()).then_some(Self { parts })
    }

    /// The kinds of requests.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.parts.iter().map(|(_, request)| request)
    }

    /// Request `n`: drawn from the seed on stream `n`, so that each kind's share comes close to that of
    /// its weight over many requests, without any pattern.
    fn pick(&self, seed: u64, n: u64) -> &Request {
        let (all, last) = &self.parts[self.parts.len() - 1];
        if self.parts.len() == 1 {
            return last;
        }
        let mut random = seeded(seed, *b"mix\0\0\0\0\0");
        random.set_stream(n);
        // The upper half of the product is evenly spread over what is below the sum of the weights.
        let at = (u128::from(random.next_u64()) * u128::from(*all)) >> 64;
        self.parts.iter().find(|(upto, _)| at < u128::from(*upto)).map_or(last, |(_, request)| request)
    }
}
