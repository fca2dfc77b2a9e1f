//! A SaaS subscription: what Microsoft says of it, and where it stands here.
//!
//! Owns: the stages of its life and what each event does to them (`stage`), what a fresh answer of Microsoft's means
//! (`observe`), and what falls due by the calendar (`calendar`). Does not own: charges and keys, which follow from these.

mod bind;
mod calendar;
mod observe;
mod stage;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

pub use bind::NotBindable;
pub use calendar::{
    MICROSOFT_DROPS_AFTER_DAYS, Notice, RETENTION_AT_LEAST, appointment_after_change, due_notice, erasure_due,
    is_dropped_by_microsoft, next_appointment, unbilled_change_due,
};
pub use observe::{Observation, observe};
pub use stage::{Enrolled, Event, Refused, Stage, transition_table};

use super::time::{Term, TermUnit};

/// Microsoft's status. Open-ended: an unknown word is kept and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MicrosoftStatus {
    /// Bought, not activated (`NotStarted` of the OpenAPI document counts as this).
    PendingFulfillmentStart,
    /// In use and billed.
    Subscribed,
    /// The payment failed.
    Suspended,
    /// Over, for good.
    Unsubscribed,
    /// A word that this version does not know.
    Unknown(String),
}

impl MicrosoftStatus {
    /// Reads Microsoft's word; its samples carry blanks around it.
    #[must_use]
    pub fn new(word: &str) -> Self {
        match word.trim() {
            "PendingFulfillmentStart" | "NotStarted" => Self::PendingFulfillmentStart,
            "Subscribed" => Self::Subscribed,
            "Suspended" => Self::Suspended,
            "Unsubscribed" => Self::Unsubscribed,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// Microsoft's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::PendingFulfillmentStart => "PendingFulfillmentStart",
            Self::Subscribed => "Subscribed",
            Self::Suspended => "Suspended",
            Self::Unsubscribed => "Unsubscribed",
            Self::Unknown(word) => word,
        }
    }
}

/// Beneficiary or purchaser. Only the pair (tenant, object) ever identifies; the e-mail address is for mails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// The Entra tenant.
    pub tenant_id: Option<Uuid>,
    /// The person in that tenant; Microsoft does not always give one.
    pub object_id: Option<Uuid>,
    /// Where Microsoft says that mail goes; may be empty.
    pub email: String,
}

/// What Microsoft's API says of a subscription at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Microsoft's id.
    pub id: Uuid,
    /// The offer, with its `-preview` suffix where there is one.
    pub offer_id: String,
    /// The plan.
    pub plan_id: String,
    /// The customer's name for it.
    pub name: String,
    /// The status.
    pub status: MicrosoftStatus,
    /// Who uses it.
    pub beneficiary: Party,
    /// Who pays.
    pub purchaser: Party,
    /// The length of a term.
    pub term_unit: Option<TermUnit>,
    /// The current term; absent until activated.
    pub term: Option<Term>,
    /// Whether it renews.
    pub auto_renew: bool,
    /// Whether the customer may change it (absent in reseller deals).
    pub update_allowed: bool,
    /// `DryRun`, sandbox and preview purchases: real in everything but money.
    pub is_test: bool,
    /// Seats, on plans that Microsoft bills by seat.
    pub quantity: Option<u32>,
}

/// A subscription as it is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// What Microsoft said last.
    pub microsoft: Snapshot,
    /// How far the enrolment is.
    pub stage: Stage,
    /// The seats that the subscription pays for, once enrolled.
    pub users: Option<u32>,
    /// The segment that they are in.
    pub segment: Option<String>,
    /// The term that charges, key and dates here belong to. Microsoft's own is ahead of it until its renewal is written.
    pub term: Option<Term>,
    /// The last day of the trial, where there was one.
    pub trial_end: Option<Date>,
    /// When the grace period of the enrolment is over.
    pub grace_end: Option<OffsetDateTime>,
    /// The users from the next renewal on, where fewer are planned.
    pub planned: Option<PlannedDowngrade>,
    /// When the buyer asked to withdraw; Microsoft has to end the subscription before it is true.
    pub withdrawn_at: Option<OffsetDateTime>,
    /// When it was first seen here.
    pub seen_at: OffsetDateTime,
    /// When the answer was asked for that `microsoft` came from.
    pub observed_at: OffsetDateTime,
    /// Grows with every change; decisions about money are bound to it.
    pub version: i64,
}

impl Snapshot {
    /// A reseller (CSP) deal: another tenant pays, or changes are not allowed to the customer (`product.md` §3).
    #[must_use]
    pub fn is_reseller_deal(&self) -> bool {
        self.purchaser.tenant_id != self.beneficiary.tenant_id || !self.update_allowed
    }
}

/// Why an enrolment cannot be submitted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotEnrollable {
    /// Somebody has enrolled already.
    #[error("this subscription has already been set up")]
    AlreadyEnrolled,
    /// The payment failed.
    #[error("this subscription is suspended until its payment is in order")]
    Suspended,
    /// It is over.
    #[error("this subscription has ended; it has to be bought again")]
    Ended,
}

/// Fewer users from the next renewal on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDowngrade {
    /// Users in total from then on.
    pub users: u32,
    /// When it was planned.
    pub planned_at: OffsetDateTime,
}

impl Subscription {
    /// A subscription that is seen for the first time, in an answer that was asked for at `at`.
    #[must_use]
    pub fn new(microsoft: Snapshot, at: OffsetDateTime) -> Self {
        Self {
            microsoft,
            stage: Stage::AwaitingEnrolment,
            users: None,
            segment: None,
            term: None,
            trial_end: None,
            grace_end: None,
            planned: None,
            withdrawn_at: None,
            seen_at: at,
            observed_at: at,
            version: 1,
        }
    }

    /// Whether it can be enrolled now: bought or already activated by Microsoft, and not enrolled before.
    ///
    /// # Errors
    /// [`NotEnrollable`] with the reason.
    pub fn check_enrollable(&self) -> Result<(), NotEnrollable> {
        match (&self.stage, &self.microsoft.status) {
            (Stage::Ended { .. }, _) | (_, MicrosoftStatus::Unsubscribed) => Err(NotEnrollable::Ended),
            (Stage::Activating { .. } | Stage::Active(_) | Stage::Suspended { .. }, _) => {
                Err(NotEnrollable::AlreadyEnrolled)
            }
            (Stage::AwaitingEnrolment, MicrosoftStatus::Suspended) => Err(NotEnrollable::Suspended),
            (Stage::AwaitingEnrolment, _) => Ok(()),
        }
    }

    /// Whether a new term of Microsoft's has not been written here: its renewal is due. A renewal is a start later than the
    /// old end; nothing else is (`product.md` §4.2).
    #[must_use]
    pub fn unwritten_renewal(&self) -> Option<Term> {
        let (known, fresh) = (self.term?, self.microsoft.term?);
        (fresh.start > known.end && !matches!(self.stage, Stage::Ended { .. })).then_some(fresh)
    }
}
