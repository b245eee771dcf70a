//! Where faults strike is drawn, and can be drawn again.

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// What is drawn for one test.
pub(crate) struct Draws(ChaCha20Rng);

impl Draws {
    /// Those of this test: always the same, or of the seed in `FAULTS_SEED`. A test that fails shows the seed.
    pub(crate) fn of(test: &str) -> Self {
        let seed = std::env::var("FAULTS_SEED").unwrap_or_else(|_| "8".to_owned());
        println!("{test}: FAULTS_SEED={seed}");
        Self(ChaCha20Rng::from_seed(Sha256::digest(format!("{seed} {test}")).into()))
    }

    /// A whole number below this.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.0.next_u64()) * bound as u128;
        usize::try_from(wide >> 64).unwrap()
    }

    /// A time between these.
    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = usize::try_from((most - least).as_millis()).unwrap();
        least + Duration::from_millis(u64::try_from(self.below(span + 1)).unwrap())
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}
