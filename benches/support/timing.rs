//! Rounds, medians and quotients. What is compared runs in turns, so that a change of the machine's mood meets both.

use std::{hint::black_box, time::Duration};

use seatkey::clock::Stopwatch;

/// A batch of calls lasts at least this long: short enough for many rounds, long enough for the clock.
const BATCH: Duration = Duration::from_millis(10);

/// What every contestant measured in every round.
pub(crate) struct Samples(Vec<Vec<f64>>);

impl Samples {
    /// The median of one contestant.
    pub(crate) fn median(&self, contestant: usize) -> f64 {
        median(self.0[contestant].clone())
    }

    /// The median of the rounds' quotients: one contestant over another in the same round.
    pub(crate) fn quotient(&self, over: usize, under: usize) -> f64 {
        median(self.0[over].iter().zip(&self.0[under]).map(|(over, under)| over / under).collect())
    }
}

/// Lets each contestant measure once in each round, every other round in reverse order; the first round only warms up.
#[expect(clippy::needless_pass_by_value, reason = "the list is written at the call, for this call alone")]
pub(crate) fn interleave<const N: usize>(rounds: usize, contestants: [&mut dyn FnMut() -> f64; N]) -> Samples {
    let mut samples = vec![Vec::with_capacity(rounds); N];
    for round in 0..=rounds {
        for turn in 0..N {
            let index = if round % 2 == 0 { turn } else { N - 1 - turn };
            let measured = contestants[index]();
            if round > 0 {
                samples[index].push(measured);
            }
        }
    }
    Samples(samples)
}

/// Seconds of one call, from a batch that is long enough to be measured. Its result is kept from the optimiser.
pub(crate) fn seconds_per_call<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut calls = 1_u32;
    loop {
        let watch = Stopwatch::start();
        for _ in 0..calls {
            black_box(work());
        }
        let elapsed = watch.elapsed();
        if elapsed >= BATCH {
            return elapsed.as_secs_f64() / f64::from(calls);
        }
        calls *= 2;
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
