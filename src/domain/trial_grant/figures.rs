//! How many trials were granted, and what became of them, by month and offer.

use std::collections::BTreeMap;

use super::Standing;
use crate::domain::numbers::{Tallies, Topic};

/// The item of the trials whose subscription has paid fees by now; they are among the used ones.
pub const CONVERTED: &str = "converted";

/// The trials of a month and an offer. Tests count in no figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialFigures {
    /// The month in which they were granted: `2026-01`.
    pub month: String,
    /// The offer.
    pub offer_id: String,
    /// How they stand, in the order of [`Standing::ALL`]; extensions that are carried out are used.
    pub standing: [i64; 5],
    /// Those of the used ones whose subscription has paid fees by now.
    pub converted: i64,
}

impl TrialFigures {
    /// What was tallied, oldest month first.
    #[must_use]
    pub fn list(tallies: &Tallies) -> Vec<Self> {
        let mut figures = BTreeMap::<(&str, &str), Self>::new();
        for (of, tally) in tallies.iter().filter(|(of, _)| of.topic == Topic::Grant) {
            let one = figures.entry((&of.period, &of.offer_id)).or_insert_with(|| Self {
                month: of.period.clone(),
                offer_id: of.offer_id.clone(),
                standing: [0; 5],
                converted: 0,
            });
            match Standing::ALL.iter().position(|standing| standing.as_str() == of.item) {
                Some(place) => one.standing[place] += tally.count,
                None => one.converted += tally.count,
            }
        }
        figures.into_values().collect()
    }

    /// All of them.
    #[must_use]
    pub fn granted(&self) -> i64 {
        self.standing.iter().sum()
    }

    /// Those that an order used up, and the extensions.
    #[must_use]
    pub fn used(&self) -> i64 {
        let [_, _, used, _, _] = self.standing;
        used
    }
}
