//! What a fresh answer of Microsoft's means for what is known. Pure; the same after a webhook, a sweep, a crash.

use super::{Event, MicrosoftStatus, Snapshot, Stage, Subscription};

/// A fresh answer beside what was known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What Microsoft says now; what it left out this time stays as it was known.
    pub snapshot: Snapshot,
    /// What has happened, in the order in which it takes effect.
    pub events: Vec<Event>,
}

/// Compares; `None` when there is nothing new, or the answer is older than what is known.
#[must_use]
pub fn observe(known: &Subscription, fresh: &Snapshot) -> Option<Observation> {
    if is_over(known) || is_older(known, fresh) || matches!(fresh.status, MicrosoftStatus::Unknown(_)) {
        return None;
    }
    let fresh = fresh.clone().with_people_of(&known.microsoft);
    let snapshot = Snapshot { term: fresh.term.or(known.microsoft.term), ..fresh };
    let events = events(known, &snapshot);
    (snapshot != known.microsoft || !events.is_empty()).then_some(Observation { snapshot, events })
}

/// Nothing comes after the end, and what was erased here must not come back from Microsoft's listing, which keeps ended
/// subscriptions for ever.
fn is_over(known: &Subscription) -> bool {
    matches!(known.stage, Stage::Ended { .. }) && known.microsoft.status == MicrosoftStatus::Unsubscribed
}

/// Microsoft answers from several places, not all of them equally fresh. What cannot go back tells which answer is older:
/// nothing returns from `Unsubscribed` or to `PendingFulfillmentStart`, and terms only move on.
fn is_older(known: &Subscription, fresh: &Snapshot) -> bool {
    let status = &known.microsoft.status;
    if fresh.status == MicrosoftStatus::Unsubscribed {
        return false;
    }
    let revived = *status == MicrosoftStatus::Unsubscribed;
    let pending_again =
        *status != MicrosoftStatus::PendingFulfillmentStart && fresh.status == MicrosoftStatus::PendingFulfillmentStart;
    let earlier_term = known.microsoft.term.zip(fresh.term).is_some_and(|(known, fresh)| fresh.start < known.start);
    revived || pending_again || earlier_term
}

fn events(known: &Subscription, fresh: &Snapshot) -> Vec<Event> {
    let before = &known.microsoft;
    let mut events = Vec::new();
    // Plan and seats first: an end or a suspension is about what the subscription is by then.
    if fresh.plan_id != before.plan_id {
        events.push(Event::PlanChanged);
    }
    if fresh.quantity != before.quantity {
        events.push(Event::SeatsChanged);
    }
    let event = match (&known.stage, &fresh.status) {
        (Stage::Ended { .. }, _) => None,
        (_, MicrosoftStatus::Unsubscribed) => Some(Event::Ended),
        (Stage::Active(_), MicrosoftStatus::Suspended) => Some(Event::Suspended),
        (Stage::Suspended { .. }, MicrosoftStatus::Subscribed) => Some(Event::Reinstated),
        _ => None,
    };
    events.extend(event);
    events
}
