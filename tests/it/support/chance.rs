//! Chance that can be repeated: everything random in a story comes from one printed seed.

use proptest::test_runner::{RngAlgorithm, TestRng};
use uuid::Uuid;

/// What a seed decides, in the order in which it is asked.
pub(crate) struct Chance(TestRng);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
    }

    /// A number from 0 to `limit - 1`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        use proptest::prelude::Rng as _;
        // The bias of the remainder is far below what a test could notice.
        usize::try_from(self.0.next_u64() % u64::try_from(limit).unwrap()).unwrap()
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of them.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// The seeds of a run: `SEATKEY_SEED` alone where it is set, else so many new ones.
pub(crate) fn seeds(count: usize) -> Vec<u64> {
    match std::env::var("SEATKEY_SEED") {
        Ok(seed) => vec![seed.parse().expect("SEATKEY_SEED is a number")],
        Err(_) => (0..count).map(|_| Uuid::new_v4().as_u64_pair().0).collect(),
    }
}

/// How often a run does something: what the variable says, else the short form.
pub(crate) fn how_many(variable: &str, short: usize) -> usize {
    std::env::var(variable).map_or(short, |count| count.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
