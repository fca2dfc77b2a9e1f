//! Whole installations, simulated: one database, three workers, Microsoft, buyers, the network and the clock, one step of
//! one actor at a time, everything from one seed. Workers die at every boundary, answers are lost, webhooks never come, days
//! pass. When the storm is over, Microsoft and the ledger have to agree, charge by charge: nothing twice, nothing lost.
//!
//! `SEATKEY_HISTORIES=10000 cargo test --release --test it -- installations --nocapture` is the long form; `SEATKEY_SEED` replays
//! one; `SEATKEY_REPLAYS=200 … -- installations::a_seed` looks whether seeds really do.

#![expect(clippy::print_stdout, reason = "seeds and sums are printed")]

mod actors;
mod judge;
mod place;

use std::sync::{Arc, Mutex};

use crate::support::chance::{how_many, seeds};

use judge::Sums;
use place::Installation;

/// Histories of the short form, in both modes together.
const SHORT: usize = 200;
/// Tests that share them: one core for each.
const PARTS: usize = 4;
/// Histories that each of them lives through at the same time.
const AT_ONCE: usize = 3;

/// How Microsoft takes a second send of the same slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As a duplicate.
    Deduplicates,
    /// As another one, so that it cannot hide.
    AcceptsAll,
}

/// What is on its way at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batches {
    /// One batch, so that a seed decides everything.
    OneByOne,
    /// Several, as in production: a seed decides everything but which of two answers comes first.
    Overlapping,
}

#[test]
fn nothing_twice_nothing_lost_where_microsoft_deduplicates() {
    live_all(Mode::Deduplicates, Batches::OneByOne);
}

#[test]
fn nothing_twice_nothing_lost_where_microsoft_deduplicates_overlapping_batches() {
    live_all(Mode::Deduplicates, Batches::Overlapping);
}

#[test]
fn nothing_twice_nothing_lost_where_microsoft_accepts_all() {
    live_all(Mode::AcceptsAll, Batches::OneByOne);
}

#[test]
fn nothing_twice_nothing_lost_where_microsoft_accepts_all_overlapping_batches() {
    live_all(Mode::AcceptsAll, Batches::Overlapping);
}

#[test]
fn a_seed_replays_exactly() {
    for seed in seeds(how_many("SEATKEY_REPLAYS", 1)) {
        println!("SEATKEY_SEED={seed}");
        let [first, second] = [(); 2].map(|()| tell(seed, Mode::Deduplicates, Batches::OneByOne).1);
        let same = first.iter().zip(&second).take_while(|(one, other)| one == other).count();
        let rest = |steps: &[String]| steps[same..].iter().take(3).cloned().collect::<Vec<_>>().join("\n");
        assert_eq!(rest(&first), rest(&second), "SEATKEY_SEED={seed} does not replay from step {same} on");
    }
}

fn live_all(mode: Mode, batches: Batches) {
    let left = Mutex::new(seeds(how_many("SEATKEY_HISTORIES", SHORT).div_ceil(PARTS)));
    let sums = Mutex::new(Sums::default());
    // Much of a history is waiting: after a failure Microsoft is asked again a moment later.
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(seed) = next(&left) {
                    match tell(seed, mode, batches) {
                        (Ok(of_history), _) => sums.lock().unwrap().add(&of_history),
                        (Err(complaints), steps) => {
                            let told = (complaints.join("\n"), steps.join("\n"));
                            panic!("SEATKEY_SEED={seed} {mode:?} {batches:?}\n{}\n{}", told.0, told.1)
                        }
                    }
                }
            });
        }
    });
    println!("{mode:?} {batches:?}: {}", sums.into_inner().unwrap());
}

fn next(left: &Mutex<Vec<u64>>) -> Option<u64> {
    left.lock().unwrap().pop()
}

/// One history, in a thread of its own: what became of everything, or what is wrong; and its steps.
fn tell(seed: u64, mode: Mode, batches: Batches) -> (Result<Sums, Vec<String>>, Vec<String>) {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&steps);
    let lived = std::thread::spawn(move || {
        seatkey::clock::repeat_ids(seed);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move { Installation::begin(seed, (mode, batches), log).await.live().await })
    });
    let ended = lived.join().unwrap_or_else(|_| Err(vec!["it broke off; the reason stands above".to_owned()]));
    let steps = steps.lock().unwrap().clone();
    (ended, steps)
}
