//! Custom trials (`product.md` §6): what sales-ops grants, who may grant how much, and what a purchase gets of it.
//!
//! Owns: the states of a grant, the limits, the days of an order. Does not own: the dates of a running trial (`extension`
//! derives them), the default trial's memory (`store::trial_uses`). Invariants: a tenant alone decides whose a grant is, and
//! never the one of all personal accounts; whoever approves is not who granted.

mod calendar;
pub mod extension;
mod figures;
mod json;
mod limits;
#[cfg(test)]
mod tests;

use time::{Date, OffsetDateTime};
use uuid::Uuid;

pub use calendar::{TrialNotice, due_trial_notice, next_trial_appointment, trial_erasure_due};
pub use figures::{CONVERTED, TrialFigures};
pub use json::TrialGrantJson;
pub use limits::{
    ALONE_DAYS, ALONE_USERS, DEFAULT_OFFER_DAYS, MAX_DAYS, MAX_NAME, MAX_OFFER_DAYS, TrialRefused, Wish,
    check_approver, check_granter, check_reason, check_tenant, check_terms, check_wish, is_same_person,
};

use super::{
    catalog::Plan,
    staff::Actor,
    time::{end_of_day, plus_days, utc_day},
};

/// How a trial is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To a tenant ahead of its purchase.
    Ahead,
    /// To a subscription in use.
    Extension,
    /// To a prospect, without any purchase: a key.
    OffMarket,
}

/// What an extension makes longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extends {
    /// The trial.
    Trial,
    /// The grace period.
    Grace,
}

/// Where a grant stands, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for a second person.
    Proposed,
    /// It can be used.
    Open,
    /// An order has used it up, or it is carried out.
    Used,
    /// It was taken back.
    Revoked,
}

/// Where a grant stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a second person.
    Proposed,
    /// It can be used.
    Open,
    /// An order has used it up, or it is carried out.
    Used,
    /// Nobody used it in time.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Ahead, Self::Extension, Self::OffMarket];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Extension => "extension",
            Self::OffMarket => "off_market",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Extends {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Grace => "grace",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Trial, Self::Grace].into_iter().find(|extends| extends.as_str() == word)
    }
}

impl State {
    const ALL: [Self; 4] = [Self::Proposed, Self::Open, Self::Used, Self::Revoked];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Open => "open",
            Self::Used => "used",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Standing {
    /// All of them, in the order of a grant's life.
    pub const ALL: [Self; 5] = [Self::Proposed, Self::Open, Self::Used, Self::Expired, Self::Revoked];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Open => "open",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}

/// For whom a grant is; every text may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// The organisation's name, as it will stand in a key.
    pub organisation: String,
    /// The person.
    pub name: String,
    /// Their mailbox.
    pub email: String,
    /// The language of mails, `en`.
    pub language: String,
}

/// Who granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granter {
    /// How the audit log names them.
    pub word: String,
    /// The name, for people.
    pub name: String,
    /// Where reminders go; may be empty.
    pub email: String,
}

impl Granter {
    /// Who acts.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        Self { word: actor.audit_word(), name: actor.name().to_owned(), email: actor.email().to_owned() }
    }
}

/// A grant that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBack {
    /// When.
    pub at: OffsetDateTime,
    /// By whom, as the audit log names them.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The key of a trial without a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialLicense {
    /// The license id, which a later purchase goes on with.
    pub license_id: String,
    /// Which key of that license.
    pub seq: u32,
    /// The key's text.
    pub key: String,
    /// Not from here on.
    pub ends_at: OffsetDateTime,
}

/// A custom trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialGrant {
    /// Its id.
    pub id: Uuid,
    /// How it is given.
    pub kind: Kind,
    /// The offer.
    pub offer_id: String,
    /// The plan.
    pub plan_id: String,
    /// The offer's trial group at the time of the grant.
    pub trial_group: String,
    /// Whose it is; without one, a prospect's whose tenant nobody has named yet.
    pub tenant_id: Option<Uuid>,
    /// What the tenant was resolved from.
    pub domain: Option<String>,
    /// For whom.
    pub contact: Contact,
    /// What an extension makes longer.
    pub extends: Option<Extends>,
    /// What is extended, or whose order used it up.
    pub subscription_id: Option<Uuid>,
    /// Days of trial; of an extension, the days more.
    pub days: u32,
    /// The most users that it is for; of a key, the users that it names.
    pub users: Option<u32>,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub state: State,
    /// Who granted.
    pub granted_by: Granter,
    /// When.
    pub granted_at: OffsetDateTime,
    /// Not to be used from here on; of a key, its end.
    pub expires_at: OffsetDateTime,
    /// Since when it can be used.
    pub opened_at: Option<OffsetDateTime>,
    /// When it was used.
    pub used_at: Option<OffsetDateTime>,
    /// Where it was taken back.
    pub taken_back: Option<TakenBack>,
    /// The key of a trial without a purchase.
    pub license: Option<TrialLicense>,
    /// Grows with every change.
    pub version: i64,
}

impl TrialGrant {
    /// Where it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: OffsetDateTime) -> Standing {
        match self.state {
            State::Revoked => Standing::Revoked,
            State::Used => Standing::Used,
            State::Proposed | State::Open if self.expires_at <= now => Standing::Expired,
            State::Proposed => Standing::Proposed,
            State::Open => Standing::Open,
        }
    }

    /// The days that an order gets on `today`: those of the grant, or those that are left of a key.
    #[must_use]
    pub fn days_on(&self, today: Date) -> u32 {
        match (self.kind, &self.license) {
            (Kind::Ahead, _) => self.days,
            (Kind::OffMarket, Some(license)) => days_left(license.ends_at, today),
            (Kind::OffMarket, None) | (Kind::Extension, _) => 0,
        }
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`TrialRefused::NotRevocable`] when it was used, or taken back before.
    pub fn take_back(&mut self, taken_back: TakenBack) -> Result<(), TrialRefused> {
        match self.state {
            State::Proposed | State::Open => {
                self.state = State::Revoked;
                self.taken_back = Some(taken_back);
                Ok(())
            }
            State::Used => Err(TrialRefused::NotRevocable("used")),
            State::Revoked => Err(TrialRefused::NotRevocable("revoked")),
        }
    }
}

/// Whole days from `today` to an end at midnight, today included.
fn days_left(ends_at: OffsetDateTime, today: Date) -> u32 {
    u32::try_from((utc_day(ends_at) - today).whole_days()).unwrap_or(0)
}

/// The end of a trial of so many days that begins on the day of `now`.
#[must_use]
pub fn trial_end(now: OffsetDateTime, days: u32) -> OffsetDateTime {
    end_of_day(plus_days(utc_day(now), days.saturating_sub(1)))
}

/// An order, as far as trials go.
#[derive(Debug, Clone, Copy)]
pub struct OrderedPlan<'a> {
    /// The offer's id in the catalog.
    pub offer_id: &'a str,
    /// The plan.
    pub plan: &'a Plan,
    /// Users in total.
    pub users: u32,
}

/// The trial of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrialOfOrder {
    /// Its days.
    pub days: u32,
    /// The grants that the order uses up.
    pub grants: Vec<Uuid>,
}

/// What an order gets of the open grants of its tenant: the longest one ahead of it that is for so many users, and the
/// newest key without a purchase, which it takes over also when no day of it is left. The days are those of the longest,
/// and never added up. `default_days` are those of a first-time customer.
#[must_use]
pub fn decide_trial(
    grants: &[TrialGrant],
    order: OrderedPlan<'_>,
    default_days: u32,
    now: OffsetDateTime,
) -> TrialOfOrder {
    let today = utc_day(now);
    let open = |kind| {
        grants.iter().filter(move |one| one.state == State::Open && one.kind == kind && one.offer_id == order.offer_id)
    };
    let fits = |one: &&TrialGrant| {
        *one.plan_id == *order.plan.id && one.expires_at > now && one.users.is_none_or(|most| order.users <= most)
    };
    let ahead = open(Kind::Ahead).filter(fits).max_by_key(|one| (one.days, one.granted_at, one.id));
    let ends_at = |one: &&TrialGrant| (one.license.as_ref().map(|license| license.ends_at), one.id);
    let key = open(Kind::OffMarket).max_by_key(ends_at);
    let used: Vec<&TrialGrant> = ahead.into_iter().chain(key).collect();
    let longest = used.iter().map(|one| one.days_on(today)).max().unwrap_or(0);
    TrialOfOrder { days: longest.max(default_days), grants: used.iter().map(|one| one.id).collect() }
}
