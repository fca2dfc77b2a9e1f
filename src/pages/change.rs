//! A change of the number of users: what it means now and afterwards, beside the number as it is typed and in the review.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Page, change_samples,
    change_words::{button, caption, details, facts, spoken, title, total_label, warning, why},
    frame::Frame,
    purchase::Purchase,
    samples,
    table::Table,
    words::{self, Fact},
};
use crate::domain::{
    change::{ChangeKind, FrozenChange},
    enrolment::sum,
    money::{Amount, TooLarge},
    pricing::PricedPlan,
    time::utc_day,
};

/// Everything that is told of a change.
#[derive(Debug, Clone, Copy)]
pub struct ChangeFacts<'a> {
    /// The subscription.
    pub purchase: &'a Purchase<'a>,
    /// The change, as it is frozen or previewed.
    pub change: &'a FrozenChange,
    /// The plan with the prices of the change.
    pub plan: &'a PricedPlan,
    /// Users of the downgrade that is planned now.
    pub planned: Option<u32>,
    /// What is held now and written anew by a lowering.
    pub held: Option<Amount>,
}

/// A sentence whose first words are strong.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sentence {
    pub(super) strong: String,
    pub(super) rest: String,
}

/// What a change means.
#[derive(Debug, Clone, Serialize)]
pub struct Meaning {
    title: String,
    table: Table,
    caption: String,
    why: Vec<Sentence>,
    warning: String,
    button: String,
    spoken: String,
    reseller: bool,
}

impl Meaning {
    /// Works the words out.
    ///
    /// # Errors
    /// [`TooLarge`] when a sum does not fit.
    pub fn of(told: &ChangeFacts<'_>) -> Result<Self, TooLarge> {
        let ChangeFacts { purchase, change, .. } = *told;
        let zero = Amount::zero(change.next.total.currency);
        // A planned downgrade charges nothing now: its table is that of a full term afterwards.
        let (lines, total) = match change.kind {
            ChangeKind::Upgrade | ChangeKind::Lowering => (&change.lines, sum(&change.lines)?.unwrap_or(zero)),
            ChangeKind::Downgrade | ChangeKind::Renewal => (&change.next.lines, change.next.total),
        };
        let table = Table::of(purchase, lines, |line| details(change, line));
        Ok(Self {
            title: title(change),
            table: table.with_total(&total_label(purchase, change), total),
            caption: caption(change),
            why: why(told, total),
            warning: warning(told),
            button: button(change),
            spoken: spoken(purchase, change, total),
            reseller: purchase.is_reseller_deal(),
        })
    }
}

/// The part of the account page that follows the number as it is typed.
#[derive(Debug, Clone, Serialize)]
pub struct ChangePreview {
    meaning: Option<Meaning>,
    users_error: String,
}

impl ChangePreview {
    /// What the number means.
    #[must_use]
    pub fn of(meaning: Meaning) -> Self {
        Self { meaning: Some(meaning), users_error: String::new() }
    }

    /// Nothing, because the number is refused; empty when nobody has written one yet.
    #[must_use]
    pub fn refused(message: &str) -> Self {
        Self { meaning: None, users_error: message.to_owned() }
    }
}

impl Page for ChangePreview {
    const TEMPLATE: &'static str = "change_preview.html";

    fn samples() -> Vec<Self> {
        let mut pages = vec![Self::refused(""), Self::refused("Must be at least 25.")];
        change_samples::each_change(|_, told, _| pages.extend(Meaning::of(told).ok().map(Self::of)));
        pages
    }
}

/// The review of a change. One click from here is binding.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeReview {
    frame: Frame,
    title: String,
    path: String,
    change_id: Uuid,
    users: u32,
    changes: Vec<String>,
    facts: Vec<Fact>,
    meaning: Meaning,
    holds_until: String,
}

/// The change that the review asks to accept.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// Its id, which the form sends back.
    pub change_id: Uuid,
    /// Until when it can be accepted.
    pub holds_until: OffsetDateTime,
    /// What differs from the one shown before, in sentences.
    pub changes: &'a [String],
}

impl ChangeReview {
    /// The page.
    ///
    /// # Errors
    /// [`TooLarge`] when a sum does not fit.
    pub fn new(
        frame: Frame,
        told: &ChangeFacts<'_>,
        proposal: Proposal<'_>,
        now: OffsetDateTime,
    ) -> Result<Self, TooLarge> {
        let meaning = Meaning::of(told)?;
        Ok(Self {
            frame,
            title: meaning.title.clone(),
            path: told.purchase.path(),
            change_id: proposal.change_id,
            users: told.change.to_users,
            changes: proposal.changes.to_vec(),
            facts: facts(told, utc_day(now)),
            meaning,
            holds_until: words::instant_near(proposal.holds_until, utc_day(now)),
        })
    }
}

impl Page for ChangeReview {
    const TEMPLATE: &'static str = "change.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        change_samples::each_change(|deal, told, differences| {
            let holds_until = deal.now.saturating_add(time::Duration::minutes(30));
            for changes in [&[], differences] {
                let proposal = Proposal { change_id: samples::ID, holds_until, changes };
                pages.extend(Self::new(deal.frame.clone(), told, proposal, deal.now));
            }
        });
        pages
    }
}
