//! The review of a change of users on the buyer's behalf: what the buyer would see, and who consented.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{frame::ConsoleFrame, samples, table::subscription_path};
use crate::{
    domain::{money::TooLarge, time::utc_day},
    pages::{
        Page,
        change::{ChangeFacts, Meaning, Proposal},
        change_samples,
        change_words::{facts, title},
        words::{self, Fact},
    },
};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeOnBehalf {
    frame: ConsoleFrame,
    title: String,
    organisation: String,
    path: String,
    change_id: Uuid,
    changes: Vec<String>,
    facts: Vec<Fact>,
    meaning: Meaning,
    holds_until: String,
    consent: String,
    error: String,
}

impl ChangeOnBehalf {
    /// The page; `consent` as it was typed, `error` what is wrong with it.
    ///
    /// # Errors
    /// [`TooLarge`] when a sum does not fit.
    pub fn new(
        frame: ConsoleFrame,
        told: &ChangeFacts<'_>,
        proposal: Proposal<'_>,
        (consent, error): (&str, &str),
        now: OffsetDateTime,
    ) -> Result<Self, TooLarge> {
        let today = utc_day(now);
        Ok(Self {
            frame,
            title: title(told.change),
            organisation: told.purchase.organisation.to_owned(),
            path: subscription_path(told.purchase.id),
            change_id: proposal.change_id,
            changes: proposal.changes.to_vec(),
            facts: facts(told, today),
            meaning: Meaning::of(told)?,
            holds_until: words::instant_near(proposal.holds_until, today),
            consent: consent.to_owned(),
            error: error.to_owned(),
        })
    }
}

impl Page for ChangeOnBehalf {
    const TEMPLATE: &'static str = "console/change.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        change_samples::each_change(|deal, told, differences| {
            for (changes, error) in [(&[][..], ""), (differences, "Say who consented.")] {
                let proposal = Proposal { change_id: samples::ID, holds_until: deal.now, changes };
                pages.extend(Self::new(samples::frame(), told, proposal, (samples::HOSTILE, error), deal.now));
            }
        });
        pages
    }
}
