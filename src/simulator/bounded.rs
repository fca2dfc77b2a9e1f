//! A list that forgets its oldest entries, so that a simulator that runs for weeks stays small.

use std::collections::VecDeque;

/// At most `limit` entries, oldest first.
#[derive(Debug)]
pub(super) struct Bounded<T> {
    limit: usize,
    entries: VecDeque<T>,
}

impl<T> Bounded<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, entries: VecDeque::new() }
    }

    pub(super) fn push(&mut self, entry: T) {
        if self.entries.len() >= self.limit {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.entries.iter()
    }

    /// Removes and returns the first entry that fits.
    pub(super) fn take(&mut self, fits: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.entries.iter().position(fits)?;
        self.entries.remove(at)
    }
}
