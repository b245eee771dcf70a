//! What one request will do: the draw of a [`Work`].

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::quantity::Size;
use super::work::{Abort, Memory, Work};

/// What one request will do: the draw of a [`Work`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The wait before the answer.
    pub latency: Duration,
    /// The status of the answer.
    pub status: u16,
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
}

impl Work {
    /// What the draw `n` of `seed` does: the same on every platform and in every release.
    ///
    /// ChaCha8 (Bernstein, "ChaCha, a variant of Salsa20", 2008), keyed by the seed, on stream `n`.
    /// Each choice has a fixed place in the stream, so asking for errors does not move the latencies.
    #[must_use]
    pub fn draw(&self, seed: u64, n: u64) -> Injection {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut random = ChaCha8Rng::from_seed(key);
        random.set_stream(n);
        let error_at = uniform(random.next_u64());
        let latency_at = uniform(random.next_u64());
        let status = match self.error {
            Some((share, status)) if error_at < share.get() => status,
            _ => self.status,
        };
        Injection {
            latency: self.latency.at(latency_at),
            status,
            cpu: self.cpu,
            memory: self.memory,
            body: self.body,
            abort: self.abort,
            exit: self.exit,
            outage: self.outage,
        }
    }
}

/// A number from 0 up to, but not including, 1, from the upper 53 bits.
fn uniform(word: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in an f64")]
    let upper = (word >> 11) as f64;
    upper / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Caps;

    fn read(query: &str) -> Work {
        Work::from_query(query, &Caps::default()).unwrap_or_else(|refusal| panic!("{query}: {refusal}"))
    }

    #[test]
    fn the_same_seed_and_number_do_the_same_for_ever() {
        let work = read("latency=p50=40ms,p99=900ms&error_rate=0.5");
        let draws: Vec<_> =
            (0..4).map(|n| work.draw(7, n)).map(|i| (i.latency.as_micros(), i.status)).collect();
        // Written down once; a change here breaks everybody's recorded runs.
        assert_eq!(draws, [(35_676, 200), (18_457, 200), (12_626, 500), (40_608, 200)]);
    }

    #[test]
    fn asking_for_errors_does_not_move_the_latencies() {
        let (calm, failing) =
            (read("latency=exponential(10ms)"), read("latency=exponential(10ms)&error_rate=0.5"));
        for n in 0..100 {
            assert_eq!(calm.draw(3, n).latency, failing.draw(3, n).latency);
        }
    }

    #[test]
    fn the_share_of_errors_is_the_share_that_was_asked_for() {
        let work = read("error_rate=0.25&error_status=503");
        let errors = (0..10_000).filter(|n| work.draw(1, *n).status == 503).count();
        assert!((2_300..2_700).contains(&errors), "{errors} of 10000");
        assert!((0..1_000).all(|n| read("error_rate=0").draw(1, n).status == 200));
        assert!((0..1_000).all(|n| read("error_rate=1").draw(1, n).status == 500));
    }
}
