//! How many batches are on their way at once: one more after each round that went well, half after "too many requests", one
//! after trouble. Each process has its own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use time::{Duration, OffsetDateTime};

/// More would not be faster, and would leave more in doubt when Microsoft goes down.
const MOST: usize = 4;
/// For each batch on its way another one is written down, and a third may fetch more: the database and Microsoft are never
/// waiting for each other.
const LANES_PER_BATCH: usize = 3;
/// "Too many requests" without a time.
const PAUSE: Duration = Duration::seconds(10);
const LONGEST_PAUSE: Duration = Duration::minutes(15);

/// The pace of this process.
#[derive(Debug, Default)]
pub struct Pace {
    state: Mutex<State>,
    one_by_one: bool,
}

#[derive(Debug, Clone, Copy)]
struct State {
    batches: usize,
    careful: bool,
    pause_until: Option<OffsetDateTime>,
}

impl Default for State {
    fn default() -> Self {
        Self { batches: MOST, careful: false, pause_until: None }
    }
}

impl Pace {
    /// Never two things at once: what overlaps ends in an order that no seed decides, and a simulated history is to be
    /// replayed exactly.
    #[cfg(feature = "crash-points")]
    #[must_use]
    pub fn one_by_one() -> Self {
        Self { one_by_one: true, ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many batches may be on their way.
    pub(super) fn batches(&self) -> usize {
        let state = self.state();
        if state.careful { 1 } else { state.batches }
    }

    /// How many lanes work on them.
    pub(super) fn lanes(&self) -> usize {
        if self.one_by_one { 1 } else { self.batches() * LANES_PER_BATCH }
    }

    /// Whether the last round met trouble: then what is open is tried first, alone.
    pub(super) fn is_careful(&self) -> bool {
        self.state().careful
    }

    /// Until when nothing is sent.
    pub(super) fn pause_until(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        self.state().pause_until.filter(|until| *until > now)
    }

    /// A batch was answered.
    pub(super) fn went_well(&self) {
        let mut state = self.state();
        *state = State { batches: (state.batches + 1).min(MOST), careful: false, pause_until: None };
    }

    /// Microsoft wants to be asked less often.
    pub(super) fn too_many(&self, retry_after: Option<Duration>, now: OffsetDateTime) {
        let mut state = self.state();
        let pause = retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE);
        *state = State { batches: (state.batches / 2).max(1), pause_until: Some(now + pause), ..*state };
    }

    /// Microsoft is not well, or we are not.
    pub(super) fn met_trouble(&self, now: OffsetDateTime) {
        let mut state = self.state();
        *state = State { batches: 1, careful: true, pause_until: Some(now + PAUSE) };
    }
}
