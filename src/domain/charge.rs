//! A line of the ledger: what for, how much, where it stands (`product.md` §4).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    catalog::{Plan, Segment},
    money::{Amount, Quantity, UnitPrice},
    pricing::{Item, Line},
    proration::Part,
    subscription::Subscription,
};

/// Why a charge exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The first term, with the extras chosen for it.
    Enrolment,
    /// A later term.
    Renewal,
    /// More users within a term.
    Upgrade,
    /// Told again, by a person's decision: the one before it certainly never arrived.
    Correction,
}

/// Where a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not to be reported yet: grace period, trial or suspension.
    Held,
    /// To be reported.
    Due,
    /// In its slot; the bytes are committed, and may have been sent.
    Sending,
    /// Microsoft has it.
    Accepted,
    /// It was sent, nobody knows whether it arrived, and its slot is over: a person decides.
    Unknown,
    /// Microsoft has another quantity in its slot: a person decides.
    Conflict,
    /// Microsoft refuses it for good: a person decides.
    Rejected,
    /// Microsoft does not take it any more; it was never reported.
    Expired,
    /// A person gave it up.
    WrittenOff,
    /// Dropped before it was reported.
    Cancelled,
    /// A person decides whether it is reported.
    Frozen,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Enrolment, Self::Renewal, Self::Upgrade, Self::Correction];

    /// The word in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enrolment => "enrolment",
            Self::Renewal => "renewal",
            Self::Upgrade => "upgrade",
            Self::Correction => "correction",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

impl State {
    /// All of them, in the order of a charge's life.
    pub const ALL: [Self; 11] = [
        Self::Held,
        Self::Due,
        Self::Sending,
        Self::Accepted,
        Self::Unknown,
        Self::Conflict,
        Self::Rejected,
        Self::Expired,
        Self::WrittenOff,
        Self::Cancelled,
        Self::Frozen,
    ];

    /// Those that are not the usual end: how many there are does not grow with the years.
    pub const OPEN: [Self; 9] = [
        Self::Held,
        Self::Due,
        Self::Sending,
        Self::Unknown,
        Self::Conflict,
        Self::Rejected,
        Self::Expired,
        Self::WrittenOff,
        Self::Frozen,
    ];

    /// The word in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Due => "due",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Unknown => "unknown",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::WrittenOff => "written_off",
            Self::Cancelled => "cancelled",
            Self::Frozen => "frozen",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether it is not settled: Microsoft has not accepted it, and nobody has dropped it. Keys are provisional meanwhile
    /// (`product.md` §5).
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Held | Self::Due | Self::Sending => true,
            Self::Accepted | Self::Expired | Self::WrittenOff | Self::Cancelled => false,
            Self::Unknown | Self::Conflict | Self::Rejected | Self::Frozen => true,
        }
    }

    /// Whether what it bought is not paid: it is open, or it was never told to Microsoft and the fee is lost. No key gets
    /// longer by it (`product.md` §5).
    #[must_use]
    pub fn is_unpaid(self) -> bool {
        self.is_open() || self == Self::Expired
    }

    /// Whether it waits for a person.
    #[must_use]
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Unknown | Self::Conflict | Self::Rejected | Self::Frozen)
    }
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its id.
    pub id: Uuid,
    /// The frozen quote or change that it came from.
    pub cause_id: Uuid,
    /// Why it exists.
    pub reason: Reason,
    /// The first day of the term that it is for.
    pub term_start: Date,
    /// The plan that it is reported under; `None` where it was written before this was kept.
    pub plan_id: Option<String>,
    /// What it is for, in the words of the invoice.
    pub description: String,
    /// What it is reported in.
    pub dimension: String,
    /// How much of it.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: UnitPrice,
    /// Quantity × price.
    pub amount: Amount,
    /// The time from which it may be reported.
    pub reportable_from: OffsetDateTime,
    /// Users in total that it pays for; `None` where it was written before this was kept.
    pub users: Option<u32>,
    /// Users before, of an upgrade.
    pub from_users: Option<u32>,
    /// The part of the term that it is for; `None` where it was written before this was kept, and for extras.
    pub part: Option<Part>,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: OffsetDateTime,
}

impl Charge {
    /// The line of a quote that it came from, in the words of the plan; `None` when the plan does not have its dimension
    /// any more.
    #[must_use]
    pub fn line(&self, plan: &Plan) -> Option<Line> {
        let of_segment = plan.segments().iter().find_map(|segment| {
            let segment_line = |item: fn(Arc<Segment>) -> Item| Some(item(Arc::clone(segment)));
            match &*self.dimension {
                dimension if *dimension == *segment.base_dimension => segment_line(Item::BaseFee),
                dimension if *dimension == *segment.user_dimension => segment_line(Item::AdditionalUsers),
                _ => None,
            }
        });
        let extra = || {
            let extra = plan.extras.iter().find(|extra| *extra.dimension == *self.dimension)?;
            Some(Item::Extra { name: extra.name.clone() })
        };
        Some(Line {
            item: of_segment.or_else(extra)?,
            dimension: self.dimension.as_str().into(),
            quantity: self.quantity,
            unit_price: self.unit_price,
            amount: self.amount,
        })
    }

    /// Whether it is for a one-time purchase, which does not depend on the number of users.
    #[must_use]
    pub fn is_extra(&self, plan: &Plan) -> bool {
        plan.extras.iter().any(|extra| *extra.dimension == *self.dimension)
    }
}

/// What a cancellation does to charges and license.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterEnd {
    /// Charges that are dropped: held, frozen, or due and not on their way yet.
    pub cancelled: Vec<Uuid>,
    /// Held charges whose time had come before the end: they are reported while Microsoft still takes them.
    pub released: Vec<Uuid>,
    /// What becomes of the license.
    pub license: LicenseAfterEnd,
}

/// What becomes of a license when its subscription has ended (`product.md` §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenseAfterEnd {
    /// An enrolment or a renewal was not paid.
    EndsAtOnce,
    /// What was paid stays until the end of the term.
    RunsOut {
        /// The users before the earliest upgrade that was not paid.
        users_taken_back_to: Option<u32>,
    },
}

/// What a cancellation undoes: what was still held at `ended_at`, and what it bought. A suspension holds on: what had not
/// come due before `suspended_at` is held until the end. What a person had yet to decide about is undone in the same way, and
/// so is what has become due since `ended_at`, before anybody knew of the end. The license depends on the current term: an
/// earlier one is over.
#[must_use]
pub fn decide_after_end(
    charges: &[Charge],
    ended_at: OffsetDateTime,
    suspended_at: Option<OffsetDateTime>,
) -> AfterEnd {
    let undone = |charge: &Charge| {
        let from = charge.reportable_from;
        from > ended_at || suspended_at.is_some_and(|at| from >= at)
    };
    let held = charges.iter().filter(|charge| charge.state == State::Held);
    let (mut cancelled, released): (Vec<&Charge>, Vec<&Charge>) = held.partition(|charge| undone(charge));
    cancelled.extend(charges.iter().filter(|charge| match charge.state {
        State::Frozen => undone(charge),
        State::Due => charge.reportable_from > ended_at,
        _ => false,
    }));
    let current = charges.iter().map(|charge| charge.term_start).max();
    let of_term = || cancelled.iter().filter(|charge| Some(charge.term_start) == current);
    let term_unpaid = of_term().any(|charge| charge.reason != Reason::Upgrade);
    let taken_back = of_term().filter_map(|charge| charge.from_users).min();
    let ids = |charges: Vec<&Charge>| charges.into_iter().map(|charge| charge.id).collect();
    AfterEnd {
        license: if term_unpaid {
            LicenseAfterEnd::EndsAtOnce
        } else {
            LicenseAfterEnd::RunsOut { users_taken_back_to: taken_back }
        },
        cancelled: ids(cancelled),
        released: ids(released),
    }
}

/// The same for a subscription: where Microsoft bills, it gives the money back within the grace period, and the license ends
/// with it.
#[must_use]
pub fn decide_end(
    subscription: &Subscription,
    plan: Option<&Plan>,
    charges: &[Charge],
    (ended_at, suspended_at): (OffsetDateTime, Option<OffsetDateTime>),
) -> AfterEnd {
    let mut after = decide_after_end(charges, ended_at, suspended_at);
    let billed_by_microsoft = plan.is_some_and(|plan| !plan.is_metered());
    if billed_by_microsoft && subscription.grace_end.is_some_and(|end| ended_at < end) {
        after.license = LicenseAfterEnd::EndsAtOnce;
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    const HOLD: OffsetDateTime = datetime!(2026-02-14 00:00 UTC);

    fn charge(id: u128, reason: Reason, state: State, from_users: Option<u32>) -> Charge {
        Charge {
            id: Uuid::from_u128(id),
            cause_id: Uuid::nil(),
            reason,
            term_start: date!(2026 - 01 - 15),
            plan_id: None,
            description: String::new(),
            dimension: format!("d{id}"),
            quantity: Quantity::whole(1),
            unit_price: "1".parse().unwrap(),
            amount: Amount::zero(crate::domain::money::Currency::EUR),
            reportable_from: HOLD,
            users: Some(150),
            from_users,
            part: None,
            state,
            since: HOLD,
        }
    }

    #[test]
    fn a_cancellation_undoes_what_was_not_paid() {
        use {LicenseAfterEnd::*, Reason::*, State::*};
        let before = datetime!(2026-02-13 23:59 UTC);
        let table = [
            ("within the hold", vec![charge(1, Enrolment, Held, None)], before, (1, 0, EndsAtOnce)),
            (
                "at the very end of the hold",
                vec![charge(1, Enrolment, Held, None)],
                HOLD,
                (0, 1, RunsOut { users_taken_back_to: None }),
            ),
            (
                "an upgrade not paid, the term paid",
                vec![charge(1, Enrolment, Accepted, None), charge(2, Upgrade, Held, Some(150))],
                before,
                (1, 0, RunsOut { users_taken_back_to: Some(150) }),
            ),
            (
                "two upgrades not paid: back to before the first",
                vec![charge(2, Upgrade, Held, Some(300)), charge(3, Upgrade, Held, Some(150))],
                before,
                (2, 0, RunsOut { users_taken_back_to: Some(150) }),
            ),
            ("due since the end, not on its way", vec![charge(1, Enrolment, Due, None)], before, (1, 0, EndsAtOnce)),
            (
                "on its way",
                vec![charge(1, Enrolment, Sending, None)],
                before,
                (0, 0, RunsOut { users_taken_back_to: None }),
            ),
            ("a renewal not paid", vec![charge(1, Renewal, Held, None)], before, (1, 0, EndsAtOnce)),
            (
                "dropped before, and paid: nothing to undo",
                vec![charge(1, Enrolment, Cancelled, None), charge(2, Enrolment, Accepted, None)],
                before,
                (0, 0, RunsOut { users_taken_back_to: None }),
            ),
        ];
        for (name, charges, ended_at, expected) in table {
            let after = decide_after_end(&charges, ended_at, None);
            assert_eq!((after.cancelled.len(), after.released.len(), after.license), expected, "{name}");
        }
    }

    /// The grace period of a late enrolment reaches into the next term, which is paid.
    #[test]
    fn a_term_that_is_over_decides_nothing_about_the_license() {
        let renewal = Charge { term_start: date!(2027 - 01 - 15), ..charge(2, Reason::Renewal, State::Accepted, None) };
        let charges = [charge(1, Reason::Enrolment, State::Held, None), renewal];
        let after = decide_after_end(&charges, NEVER_REACHED, None);
        let stays = LicenseAfterEnd::RunsOut { users_taken_back_to: None };
        assert_eq!((after.cancelled, after.license), (vec![Uuid::from_u128(1)], stays));
    }

    #[test]
    fn a_suspension_holds_until_the_end() {
        let late = datetime!(2026-03-20 00:00 UTC);
        let charges = [charge(1, Reason::Enrolment, State::Held, None)];
        let suspended_before = decide_after_end(&charges, late, Some(datetime!(2026-02-10 00:00 UTC)));
        assert_eq!((suspended_before.cancelled.len(), suspended_before.license), (1, LicenseAfterEnd::EndsAtOnce));
        let suspended_after = decide_after_end(&charges, late, Some(datetime!(2026-02-20 00:00 UTC)));
        assert_eq!((suspended_after.released.len(), suspended_after.cancelled.len()), (1, 0));
        let suspended_at_once = decide_after_end(&charges, late, Some(HOLD));
        assert_eq!(suspended_at_once.cancelled.len(), 1, "it had not come due before");
        let frozen = decide_after_end(&[charge(1, Reason::Enrolment, State::Frozen, None)], NEVER_REACHED, None);
        assert_eq!((frozen.cancelled.len(), frozen.license), (1, LicenseAfterEnd::EndsAtOnce));
    }

    const NEVER_REACHED: OffsetDateTime = datetime!(2026-02-01 00:00 UTC);
}
