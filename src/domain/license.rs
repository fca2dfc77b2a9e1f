//! What a license key says, and how long it may say it (`product.md` §5): no key outlives what was paid for.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    catalog::{FirstKey, Plan},
    charge::{Charge, State},
    subscription::Subscription,
    time::{Term, end_of_day},
};

/// The claims of a license key; times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The service that signed it: its public address.
    pub iss: String,
    /// The license id, stable for a subscription.
    pub jti: String,
    /// Which key of that license this is, counted from 1.
    pub seq: u32,
    /// The offer's id.
    pub product: String,
    /// The plan's id.
    pub plan: String,
    /// The user segment, where the plan has them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub segment: Option<String>,
    /// Whose license it is.
    pub org: Organisation,
    /// Seats; absent on flat plans, which do not count them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub users: Option<u32>,
    /// Devices or terminal sessions of one user.
    pub devices_per_user: u32,
    /// Whether a trial is running.
    pub trial: bool,
    /// Whether a longer key follows when the charges are accepted.
    pub provisional: bool,
    /// Whether the purchase was a test.
    pub test: bool,
    /// Not before.
    pub nbf: i64,
    /// Not from here on.
    pub exp: i64,
    /// When it was signed.
    pub iat: i64,
    /// Fewer users from the next term on, where that is planned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub planned_change: Option<PlannedChange>,
}

impl Claims {
    /// Whether both say the same, whenever they were signed.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        Self { iat: other.iat, ..self.clone() } == *other
    }
}

/// A change that is planned, as a key tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// Users in total from then on.
    pub users: u32,
    /// The first day, `2027-01-15`.
    pub effective: Date,
}

/// The organisation of a license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its name, as the buyer wrote it.
    pub name: String,
    /// Its Entra tenant.
    pub tid: Option<Uuid>,
}

/// How much longer a provisional key lasts than the hold: the smaller of 14 days and a tenth of the term.
#[must_use]
pub fn leeway(term: Term) -> Duration {
    let tenth: Duration = Duration::days(i64::from(term.days())) / 10;
    tenth.min(Duration::days(14))
}

/// So long a key waits for an acceptance, which normally takes seconds; then a provisional one bridges the time
/// (`product.md` §5).
pub const BRIDGE_AFTER: Duration = Duration::minutes(5);

/// Until when the next key waits for Microsoft's acceptance, because everything that is open of the term is on its way.
#[must_use]
pub fn waits_until(subscription: &Subscription, charges: &[Charge]) -> Option<OffsetDateTime> {
    let term = subscription.term?;
    let mut open = charges.iter().filter(|charge| charge.term_start == term.start && charge.state.is_open()).peekable();
    open.peek()?;
    let on_its_way = |charge: &Charge| matches!(charge.state, State::Due | State::Sending);
    let latest = open.try_fold(OffsetDateTime::UNIX_EPOCH, |latest, charge| {
        on_its_way(charge).then(|| latest.max(charge.reportable_from))
    })?;
    Some(latest.saturating_add(BRIDGE_AFTER))
}

/// What a key of a subscription may say now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitlement {
    /// Seats.
    pub users: Option<u32>,
    /// The segment that they are in.
    pub segment: Option<String>,
    /// The plan.
    pub plan_id: String,
    /// Not from here on.
    pub expires_at: OffsetDateTime,
    /// Whether a longer key follows when the charges are accepted.
    pub provisional: bool,
    /// What is planned.
    pub planned_change: Option<PlannedChange>,
}

/// What the newest key has to say: the full term once every charge of it is accepted, and no longer than the hold of the
/// unpaid ones plus a leeway before that. `None` before there is a term.
#[must_use]
pub fn decide_entitlement(subscription: &Subscription, plan: &Plan, charges: &[Charge]) -> Option<Entitlement> {
    let term = subscription.term?;
    let full = end_of_day(term.end);
    let unpaid = charges.iter().filter(|charge| charge.term_start == term.start && charge.state.is_unpaid());
    let held_until =
        unpaid.map(|charge| charge.reportable_from).max().filter(|_| plan.first_key == FirstKey::Provisional);
    let renewal = term.renewal();
    let planned = subscription.planned.zip(renewal);
    Some(Entitlement {
        users: subscription.users,
        segment: subscription.segment.clone(),
        plan_id: plan.id.to_string(),
        expires_at: held_until.map_or(full, |until| until.saturating_add(leeway(term)).min(full)),
        provisional: held_until.is_some(),
        planned_change: planned.map(|(planned, effective)| PlannedChange { users: planned.users, effective }),
    })
}

impl Entitlement {
    /// Whether a key says exactly this.
    #[must_use]
    pub fn is_said_by(&self, claims: &Claims) -> bool {
        self.users == claims.users
            && self.segment == claims.segment
            && self.plan_id == claims.plan
            && self.expires_at.unix_timestamp() == claims.exp
            && self.provisional == claims.provisional
            && self.planned_change == claims.planned_change
    }
}

#[cfg(test)]
#[path = "license_tests.rs"]
mod tests;
