//! What a cancellation now would do: what it drops, what stays, until when the license runs.

use time::Date;
use uuid::Uuid;

use super::{Facts, Payer, sum};
use crate::domain::{
    charge::{Charge, LicenseAfterEnd, State, decide_end},
    money::Amount,
    subscription::Stage,
    words,
};

/// A cancellation now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What becomes of the license.
    pub license: LicenseAfterEnd,
    /// The last day of the license, where it runs on and that is known.
    pub runs_until: Option<Date>,
    /// Charges that are dropped.
    pub dropped: Vec<Uuid>,
    /// Their sum; `None` where there are none, or amounts are told to nobody.
    pub dropped_sum: Option<Amount>,
    /// Charges that stay: reported, or to be reported all the same.
    pub stays: Vec<Uuid>,
    /// Their sum; `None` where there are none, or amounts are told to nobody.
    pub stays_sum: Option<Amount>,
    /// What is saved because there is no renewal, at today's prices.
    pub saved: Option<Amount>,
}

pub(super) fn decide(facts: Facts<'_>, payer: Payer) -> Option<Ending> {
    let subscription = facts.subscription;
    let suspended_at = match subscription.stage {
        Stage::Active(_) => None,
        Stage::Suspended { suspended_at, .. } => Some(suspended_at),
        Stage::AwaitingEnrolment | Stage::Activating { .. } | Stage::Ended { .. } => return None,
    };
    // A withdrawal counts from when it was asked for.
    let ended_at = subscription.withdrawn_at.unwrap_or(facts.now);
    let after = decide_end(subscription, facts.plan, facts.charges, (ended_at, suspended_at));
    let is_dropped = |charge: &&Charge| after.cancelled.contains(&charge.id);
    let counts = |charge: &&Charge| {
        let state = matches!(charge.state, State::Held | State::Due | State::Sending | State::Accepted);
        state && !charge.quantity.is_zero() && !is_dropped(charge)
    };
    let dropped: Vec<&Charge> = facts.charges.iter().filter(is_dropped).collect();
    let stays: Vec<&Charge> = facts.charges.iter().filter(counts).collect();
    let total = |charges: &[&Charge]| sum(charges.iter().map(|c| Some(c.amount))).filter(|_| payer.may_see_amounts());
    let ids = |charges: &[&Charge]| charges.iter().map(|charge| charge.id).collect();
    let term_end = subscription.term.map(|term| term.end);
    Some(Ending {
        license: after.license,
        runs_until: term_end.filter(|_| after.license != LicenseAfterEnd::EndsAtOnce),
        dropped_sum: total(&dropped),
        dropped: ids(&dropped),
        stays_sum: total(&stays),
        stays: ids(&stays),
        saved: facts.renewal.filter(|_| payer.may_see_amounts()).map(|quote| quote.total),
    })
}

impl Ending {
    /// `Runs on with 150 users until 14 January 2027, then ends.`
    #[must_use]
    pub fn license_words(&self) -> String {
        let LicenseAfterEnd::RunsOut { users_taken_back_to } = self.license else {
            return "Ends at once, because its fees have not been reported yet.".to_owned();
        };
        let users = users_taken_back_to.map(|users| format!(" with {}", words::users(users))).unwrap_or_default();
        match self.runs_until {
            Some(until) => format!("Runs on{users} until {}, then ends.", words::day(until)),
            None => "Runs to the end of what Microsoft has billed, then ends.".to_owned(),
        }
    }

    /// `The 1,927.39 EUR that are held are dropped and never charged. You pay nothing.`
    #[must_use]
    pub fn fees_words(&self) -> String {
        let dropped = match (self.dropped.is_empty(), self.dropped_sum) {
            (true, _) => String::new(),
            (false, Some(sum)) => format!("The {} that are held are dropped and never charged. ", words::money(sum)),
            (false, None) => "What is held is dropped and never charged. ".to_owned(),
        };
        let stays = match (self.stays.is_empty(), self.stays_sum) {
            (false, Some(sum)) => format!("Nothing more. The {} stay.", words::money(sum)),
            (false, None) => "Nothing more. What was reported stays.".to_owned(),
            (true, _) if !self.dropped.is_empty() => "You pay nothing.".to_owned(),
            (true, _) => "Nothing more from us.".to_owned(),
        };
        dropped + &stays
    }

    /// What a cancellation costs, in one sentence.
    #[must_use]
    pub fn cost_words(&self) -> &'static str {
        match (self.dropped.is_empty(), self.stays.is_empty()) {
            (false, true) => "Cancelling today costs nothing.",
            (false, false) => "Cancelling drops what is still held; what was reported stays.",
            (true, _) => "Cancelling costs nothing more and refunds nothing.",
        }
    }
}
