//! The ledger of a sample, explained.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    charges::{ChargeReason, ChargeState},
    samples::{self, Deal},
    subscriptions::Standing,
};
use crate::domain::{
    charge::{Charge, Reason, State},
    credit::{Credit, Credited},
    explanation::{Explanation, Facts, Sent, explain},
    pricing::Line,
    subscription::{Enrolled, MicrosoftStatus, Party, Snapshot, Stage, Subscription},
    usage::{Slot, hour_of},
};

/// Every charge of the first term in one state, for one reason.
pub(crate) fn explained(
    deal: &Deal<'_>,
    standing: Standing,
    (reason, state): (ChargeReason, ChargeState),
    now: OffsetDateTime,
) -> Explanation {
    let lines = deal.priced.charged.iter().zip(1..);
    let charges: Vec<Charge> = lines.map(|(line, id)| charge(deal, line, id, (reason, state))).collect();
    let is_resold = deal.purchase.is_reseller_deal();
    let paid = charges.first().filter(|charge| charge.state == State::Accepted);
    let credits: Vec<Credit> = paid.and_then(|charge| credit(charge, is_resold, now)).into_iter().collect();
    let sent: Vec<Sent> = charges.iter().filter_map(|charge| sent(charge, state)).collect();
    let mut subscription = subscription(deal, standing);
    // Somebody has to be the test.
    subscription.microsoft.is_test = state == ChargeState::Waiting;
    explain(Facts {
        subscription: &subscription,
        plan: Some(deal.purchase.plan),
        charges: &charges,
        plans: &[],
        sent: &sent,
        adopted: &[],
        price_risen: &[],
        credits: &credits,
        steps: &[],
        renewal: Some(deal.priced.quote),
        now,
    })
}

/// Where nothing is charged.
pub(crate) fn nothing() -> Explanation {
    let microsoft = snapshot(false, MicrosoftStatus::PendingFulfillmentStart);
    let subscription = Subscription::new(microsoft, samples::NOW);
    let facts = Facts {
        subscription: &subscription,
        plan: None,
        charges: &[],
        plans: &[],
        sent: &[],
        adopted: &[],
        price_risen: &[],
        credits: &[],
        steps: &[],
        renewal: None,
        now: samples::NOW,
    };
    explain(facts)
}

/// A part of what Microsoft has accepted, given back.
fn credit(charge: &Charge, is_resold: bool, now: OffsetDateTime) -> Option<Credit> {
    Some(Credit {
        id: Uuid::from_u128(99),
        charge_id: charge.id,
        description: charge.description.clone(),
        dimension: charge.dimension.clone(),
        credited: Credited::read("1", charge.amount.currency, is_resold).ok()?,
        case: "2611150040001234".parse().ok()?,
        at: now,
    })
}

/// The subscription of a sample, in use.
pub(crate) fn subscription_of(deal: &Deal<'_>) -> Subscription {
    subscription(deal, Standing::Subscribed)
}

/// The charges of its first term, held.
pub(crate) fn charges_of(deal: &Deal<'_>) -> Vec<Charge> {
    let held = (ChargeReason::FirstTerm, ChargeState::HeldUntil(deal.priced.first.reportable_from));
    deal.priced.charged.iter().zip(1..).map(|(line, id)| charge(deal, line, id, held)).collect()
}

fn charge(deal: &Deal<'_>, line: &Line, id: u128, (reason, state): (ChargeReason, ChargeState)) -> Charge {
    let first = deal.priced.first;
    let (state, reportable_from, since) = match state {
        ChargeState::HeldUntil(at) => (State::Held, at, deal.now),
        ChargeState::Suspended => (State::Held, deal.now, deal.now),
        ChargeState::Due => (State::Due, first.reportable_from, first.reportable_from),
        ChargeState::Sent(at) => (State::Sending, at, at),
        ChargeState::Accepted(at) => (State::Accepted, first.reportable_from.min(at), at),
        ChargeState::Dropped => (State::Cancelled, first.reportable_from, deal.now),
        ChargeState::GivenUp => (State::WrittenOff, first.reportable_from, deal.now),
        ChargeState::Waiting => (State::Unknown, first.reportable_from, deal.now),
    };
    Charge {
        id: Uuid::from_u128(id),
        cause_id: Uuid::nil(),
        reason: match reason {
            ChargeReason::FirstTerm => Reason::Enrolment,
            ChargeReason::Renewal(_) => Reason::Renewal,
            ChargeReason::Upgrade { .. } => Reason::Upgrade,
            ChargeReason::Correction => Reason::Correction,
        },
        term_start: first.term.start,
        plan_id: None,
        description: line.item.description(),
        dimension: line.dimension.to_string(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        amount: line.amount,
        reportable_from,
        users: Some(deal.priced.quote.users),
        from_users: match reason {
            ChargeReason::Upgrade { from } => Some(from),
            _ => None,
        },
        part: Some(first.part),
        state,
        since,
    }
}

fn sent(charge: &Charge, state: ChargeState) -> Option<Sent> {
    let (ChargeState::Sent(at) | ChargeState::Accepted(at)) = state else { return None };
    let slot = Slot { hour: hour_of(at), effective_start: at };
    Some(Sent { charge_id: charge.id, slot, attempts: 1 })
}

fn subscription(deal: &Deal<'_>, standing: Standing) -> Subscription {
    let first = deal.priced.first;
    let enrolled = Enrolled { enrolled_at: deal.now, activated_at: deal.now };
    let (stage, status) = match standing {
        Standing::Suspended => {
            (Stage::Suspended { enrolled, suspended_at: first.reportable_from }, MicrosoftStatus::Suspended)
        }
        Standing::Unsubscribed => {
            (Stage::Ended { enrolled: Some(enrolled), ended_at: deal.now }, MicrosoftStatus::Unsubscribed)
        }
        _ => (Stage::Active(enrolled), MicrosoftStatus::Subscribed),
    };
    let fresh = Subscription::new(snapshot(deal.purchase.is_reseller_deal(), status), deal.now);
    Subscription {
        stage,
        users: Some(deal.priced.quote.users),
        term: Some(first.term),
        trial_end: first.trial_end,
        grace_end: Some(first.grace_end),
        ..fresh
    }
}

fn snapshot(resold: bool, status: MicrosoftStatus) -> Snapshot {
    Snapshot {
        id: samples::ID,
        offer_id: String::new(),
        plan_id: String::new(),
        name: String::new(),
        status,
        beneficiary: Party::default(),
        purchaser: Party::default(),
        term_unit: None,
        term: None,
        auto_renew: true,
        update_allowed: !resold,
        is_test: false,
        quantity: None,
    }
}
