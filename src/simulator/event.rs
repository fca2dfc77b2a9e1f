//! What happens to a subscription, as Microsoft's webhook tells it.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    operation::{Change, Progress, Source},
    subscription::Subscription,
};
use crate::clock::random_id;

/// One event, with the subscription before and after it (without operations and events).
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// The operation's id; one of its own where there is no operation to fetch.
    pub(super) operation_id: Uuid,
    pub(super) action: &'static str,
    pub(super) source: Source,
    pub(super) progress: Progress,
    /// The `timeStamp`.
    pub(super) at: OffsetDateTime,
    /// The plan and the seats that are asked for, or that there are now.
    pub(super) plan_id: String,
    pub(super) quantity: Option<u32>,
    before: Box<Subscription>,
    after: Box<Subscription>,
}

impl Event {
    /// The snapshot in the webhook's body. Of changes it is always the state before (documentation of 2023); of
    /// everything else it is the new one, except in the samples of 2022, which are stale.
    pub(super) fn snapshot(&self, stale: bool) -> &Subscription {
        let is_change = matches!(self.action, "ChangePlan" | "ChangeQuantity");
        if is_change || stale { &self.before } else { &self.after }
    }
}

impl Subscription {
    /// Changes something at once, and notes the event. There is no operation to fetch.
    pub(super) fn happen(&mut self, action: &'static str, at: OffsetDateTime, change: impl FnOnce(&mut Self)) {
        let kind = (random_id(), action, Source::Azure);
        self.note(kind, at, change);
    }

    /// Carries out what an operation of the publisher asked for, and notes the event.
    pub(super) fn happen_for(&mut self, operation: Uuid, change: &Change, at: OffsetDateTime) {
        self.note((operation, change.action(), Source::Partner), at, |own| own.carry_out(change, at));
    }

    /// Notes that an operation of the customer's side waits for the publisher's answer.
    pub(super) fn ask(&mut self, operation: Uuid, change: &Change, at: OffsetDateTime) {
        let facts = self.facts();
        let (plan_id, quantity) = change.target(self);
        self.events.push(Event {
            operation_id: operation,
            action: change.action(),
            source: Source::Azure,
            progress: Progress::InProgress,
            at,
            plan_id,
            quantity,
            before: facts.clone(),
            after: facts,
        });
    }

    fn note(
        &mut self,
        (operation_id, action, source): (Uuid, &'static str, Source),
        at: OffsetDateTime,
        change: impl FnOnce(&mut Self),
    ) {
        let before = self.facts();
        self.settled_to = self.settled_to.max(at);
        change(self);
        let after = self.facts();
        self.events.push(Event {
            operation_id,
            action,
            source,
            progress: Progress::Succeeded,
            at,
            plan_id: self.plan_id.clone(),
            quantity: self.quantity,
            before,
            after,
        });
    }

    /// A copy without operations and events, which grow.
    fn facts(&mut self) -> Box<Self> {
        let aside = (std::mem::take(&mut self.operations), std::mem::take(&mut self.events));
        let facts = Box::new(self.clone());
        (self.operations, self.events) = aside;
        facts
    }
}
