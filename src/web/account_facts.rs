//! What the account page is told, as the database has it.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{account::Typed, key::newest_key, purchase::Shown, refusal::Refusal, visit::Visit};
use crate::{
    app::{Freshness, REFUSED_CHANGE, SEATS, SeatsWanted, explain_charges, find_prices},
    domain::{
        catalog::Plan,
        change::{forecast_renewal, held_until, may_lower, open_term},
        charge::{Charge, Reason, State},
        explanation::{ExplainedCharge, Explanation},
        policy::Rights,
        pricing::{Item, Line, Quote},
        subscription::{Stage, Subscription},
        time::utc_day,
    },
    pages::{
        account::{Contact, KeyFacts},
        account_actions::{ActionFacts, RefusedFacts},
        charges::{ChargeFact, ChargeReason, ChargeState},
        purchase::Purchase,
    },
    signing,
    store::{ChangeState, LicenseKey, MailState},
};

/// A refused change is told for so long.
const REFUSAL_IS_NEWS: Duration = Duration::days(30);

/// A refused change, as it is told.
struct RefusedLately {
    wanted: String,
    reason: String,
    at: OffsetDateTime,
}

/// What is known of a subscription beyond its own row.
pub(super) struct Known {
    pub(super) charges: Vec<Charge>,
    pub(super) key: Option<LicenseKey>,
    pub(super) renewal: Option<Quote>,
    pub(super) explanation: Explanation,
    pub(super) mail_stuck: bool,
    refused: Option<RefusedLately>,
    seats_pending: bool,
}

impl Known {
    pub(super) async fn find(visit: &Visit, shown: &Shown<'_>) -> Result<Self, Refusal> {
        let id = shown.subscription.microsoft.id;
        let store = &visit.app.store;
        let mails = store.list_mails(id).await?;
        let seats = store.find_newest_change::<SeatsWanted>(id, SEATS).await?;
        let news = |at: OffsetDateTime| visit.now() - at < REFUSAL_IS_NEWS;
        let seats_refused =
            seats.as_ref().filter(|change| change.state == ChangeState::Refused).map(|change| RefusedLately {
                wanted: format!("{} users", change.body.to),
                reason: change.reason.clone().unwrap_or_default(),
                at: change.created_at,
            });
        let at_microsoft = store.find_newest_change::<serde_json::Value>(id, REFUSED_CHANGE).await?;
        let at_microsoft = at_microsoft.map(|change| RefusedLately {
            wanted: wanted(shown, &change.body),
            reason: change.reason.unwrap_or_default(),
            at: change.created_at,
        });
        let refused = [seats_refused, at_microsoft].into_iter().flatten().filter(|refused| news(refused.at));
        let charges = store.list_charges(id).await?;
        let renewal = renewal(visit, shown).await;
        Ok(Self {
            explanation: explain_charges(&visit.app, &shown.subscription, &charges, renewal.as_ref()).await?,
            charges,
            key: newest_key(visit, shown).await?,
            renewal,
            mail_stuck: mails.iter().any(|mail| mail.state == MailState::Queued && mail.last_error.is_some()),
            refused: refused.max_by_key(|refused| refused.at),
            seats_pending: seats.is_some_and(|change| change.state == ChangeState::Pending),
        })
    }

    /// What this person may do now.
    pub(super) fn action_facts<'a>(
        &'a self,
        shown: &Shown<'_>,
        purchase: &'a Purchase<'a>,
        typed: Typed<'a>,
        now: OffsetDateTime,
    ) -> ActionFacts<'a> {
        let subscription = &shown.subscription;
        let renewal = subscription.term.and_then(|term| term.renewal());
        let in_use = matches!(subscription.stage, Stage::Active(_) | Stage::Suspended { .. });
        let over = subscription
            .term
            .filter(|term| in_use && (subscription.unwritten_renewal().is_some() || term.remaining(utc_day(now)) == 0));
        let withdrawable = subscription.withdrawn_at.is_none() && may_lower(subscription, &self.charges, now);
        let refused = self.refused.as_ref().filter(|_| shown.rights >= Rights::Use && in_use);
        let flat = shown.plan.model == crate::domain::catalog::Model::Flat;
        ActionFacts {
            purchase,
            buyer: shown.rights == Rights::Buy,
            users: subscription.users,
            planned: subscription.planned.map(|planned| planned.users).zip(renewal),
            refused: refused.map(|one| RefusedFacts { wanted: &one.wanted, reason: &one.reason, at: one.at }),
            term_ended: over.map(|term| term.end),
            changeable: renewal.filter(|_| open_term(subscription, now).is_ok() && !self.seats_pending && !flat),
            suspended: matches!(subscription.stage, Stage::Suspended { .. }),
            held_until: held_until(&self.charges, now).filter(|_| withdrawable),
            held: held_sum(&self.charges, |_| true),
            seats_pending: self.seats_pending && in_use,
            key: self.key.is_some() && (subscription.withdrawn_at.is_none() || !in_use),
            contacts: shown.enrolment.is_some() && !matches!(subscription.stage, Stage::Ended { .. }),
            typed: typed.users,
            error: typed.error,
        }
    }
}

/// The sum of the held charges that `count` admits.
pub(super) fn held_sum(charges: &[Charge], count: impl Fn(&Charge) -> bool) -> Option<crate::domain::money::Amount> {
    let held = charges.iter().filter(|charge| charge.state == State::Held && count(charge));
    let mut amounts = held.map(|charge| charge.amount);
    let first = amounts.next()?;
    amounts.try_fold(first, crate::domain::money::Amount::plus).ok()
}

/// What somebody asked for in Microsoft's portal.
fn wanted(shown: &Shown<'_>, body: &serde_json::Value) -> String {
    let seats = body.get("seats").and_then(serde_json::Value::as_u64);
    if let Some(seats) =
        seats.filter(|_| body.get("action").and_then(|action| action.as_str()) == Some("ChangeQuantity"))
    {
        return format!("{seats} users");
    }
    let plan = body.get("plan").and_then(|plan| plan.as_str()).unwrap_or_default();
    let name = shown.offer.plans.iter().find(|one| *one.id == *plan).map_or(plan, |one| &one.name);
    format!("the plan “{name}”")
}

/// What the next renewal costs at today's prices. Without an answer of Microsoft's the page is there all the same.
async fn renewal(visit: &Visit, shown: &Shown<'_>) -> Option<Quote> {
    let subscription = &shown.subscription;
    let in_use = matches!(subscription.stage, Stage::Active(_) | Stage::Suspended { .. });
    let users = subscription.planned.map(|planned| planned.users).or(subscription.users)?;
    if !in_use || shown.rights < Rights::Use || !shown.plan.is_metered() {
        return None;
    }
    match find_prices(&visit.app, &subscription.microsoft, shown.plan, Freshness::Shown).await {
        Ok(prices) => forecast_renewal(shown.plan, &prices?.list, users).ok(),
        Err(error) => {
            tracing::warn!(%error, "the account page has no prices");
            None
        }
    }
}

/// The ledger's lines in the words of the plan, and whether the plan still has those words.
pub(super) fn ledger_lines<'a>(plan: &Plan, charges: &'a [Charge]) -> Vec<(&'a Charge, Line, bool)> {
    let line = |charge: &'a Charge| match charge.line(plan) {
        Some(line) => (charge, line, true),
        None => (charge, described(charge), false),
    };
    charges.iter().map(line).collect()
}

/// A line whose dimension the plan does not have any more.
fn described(charge: &Charge) -> Line {
    Line {
        item: Item::Extra { name: charge.description.clone() },
        dimension: charge.dimension.as_str().into(),
        quantity: charge.quantity,
        unit_price: charge.unit_price,
        amount: charge.amount,
    }
}

pub(super) fn charge_facts<'a>(
    subscription: &Subscription,
    lines: &'a [(&'a Charge, Line, bool)],
    explanation: &'a Explanation,
    now: OffsetDateTime,
) -> Vec<ChargeFact<'a>> {
    let suspended = matches!(subscription.stage, Stage::Suspended { .. });
    let explained: BTreeMap<Uuid, &ExplainedCharge> =
        explanation.months.iter().flat_map(|month| &month.charges).map(|charge| (charge.id, charge)).collect();
    let fact = |(charge, line, known): &'a (&'a Charge, Line, bool)| ChargeFact {
        line,
        days: explained.get(&charge.id).map_or("", |charge| &charge.days),
        invoice: explained.get(&charge.id).and_then(|charge| charge.invoice),
        credits: explained.get(&charge.id).map_or(&[], |charge| &charge.credits),
        reason: match charge.reason {
            Reason::Enrolment => ChargeReason::FirstTerm,
            Reason::Renewal => ChargeReason::Renewal(charge.term_start),
            Reason::Upgrade => ChargeReason::Upgrade { from: charge.from_users.unwrap_or_default() },
            Reason::Correction => ChargeReason::Correction,
        },
        users: charge.users.or(subscription.users).unwrap_or_default(),
        state: match charge.state {
            // A cancellation drops what is held until later, and only that, suspended or not (`product.md` §4.6).
            State::Held if charge.reportable_from > now => ChargeState::HeldUntil(charge.reportable_from),
            State::Held | State::Due if suspended => ChargeState::Suspended,
            State::Held | State::Due => ChargeState::Due,
            State::Sending => ChargeState::Sent(charge.since),
            State::Accepted => ChargeState::Accepted(charge.since),
            State::Cancelled => ChargeState::Dropped,
            State::Expired | State::WrittenOff => ChargeState::GivenUp,
            State::Unknown | State::Conflict | State::Rejected | State::Frozen => ChargeState::Waiting,
        },
        known: *known,
    };
    lines.iter().map(fact).collect()
}

/// What the key itself says.
pub(super) fn key_facts<'a>(shown: &Shown<'_>, key: &'a LicenseKey) -> KeyFacts<'a> {
    let provisional = signing::inspect(&key.compact).is_ok_and(|claims| claims.provisional);
    KeyFacts { text: &key.compact, expires: key.expires_at, provisional, test: shown.subscription.microsoft.is_test }
}

pub(super) fn contacts(shown: &Shown<'_>) -> Vec<Contact> {
    let Some(enrolment) = &shown.enrolment else { return Vec::new() };
    let buyer = Contact { role: "Buyer", name: enrolment.buyer_name.clone(), email: enrolment.buyer_email.clone() };
    let technical = Contact { role: "Technical", name: String::new(), email: enrolment.technical_contact.clone() };
    vec![buyer, technical]
}
