//! Operations: changes of a subscription on their way.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    subscription::{Status, Subscription},
    terms::Term,
};
use crate::clock::random_id;

/// A change that the publisher does not answer is accepted after this long (Microsoft's webhook documentation).
const AUTO_ACCEPT: Duration = Duration::seconds(10);

/// What is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Plan { plan_id: String, term_unit: String },
    Quantity(u32),
    Reinstate,
    Unsubscribe,
}

impl Change {
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Plan { .. } => "ChangePlan",
            Self::Quantity(_) => "ChangeQuantity",
            Self::Reinstate => "Reinstate",
            Self::Unsubscribe => "Unsubscribe",
        }
    }

    /// The plan and the seats that are asked for.
    pub(super) fn target(&self, subscription: &Subscription) -> (String, Option<u32>) {
        match self {
            Self::Plan { plan_id, .. } => (plan_id.clone(), subscription.quantity),
            Self::Quantity(quantity) => (subscription.plan_id.clone(), Some(*quantity)),
            Self::Reinstate | Self::Unsubscribe => (subscription.plan_id.clone(), subscription.quantity),
        }
    }
}

/// `operationRequestSource`: who asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The customer, in Microsoft's portals.
    Azure,
    /// The publisher, by the API.
    Partner,
}

impl Source {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Azure => "Azure",
            Self::Partner => "Partner",
        }
    }
}

/// How far it is.
#[expect(clippy::enum_variant_names, reason = "Microsoft's word, it happens to contain this one's name")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    NotStarted,
    InProgress,
    Succeeded,
    Failed,
}

impl Progress {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// One operation.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) id: Uuid,
    pub(super) change: Change,
    pub(super) source: Source,
    pub(super) progress: Progress,
    pub(super) created: OffsetDateTime,
    /// When it is accepted without an answer; never before its webhook was first sent.
    pub(super) answer_by: Option<OffsetDateTime>,
    /// Whether somebody has already seen it unfinished.
    pub(super) seen: bool,
}

impl Operation {
    pub(super) fn new(change: Change, source: Source, created: OffsetDateTime) -> Self {
        // The publisher's own operations are first read as NotStarted (recorded traffic of 2021).
        let progress = if source == Source::Partner { Progress::NotStarted } else { Progress::InProgress };
        let answer_by = Some(created + AUTO_ACCEPT);
        Self { id: random_id(), change, source, progress, created, answer_by, seen: false }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.progress, Progress::NotStarted | Progress::InProgress)
    }

    /// When it is carried out, if nobody answers. The publisher's operations are done at the second look, so that a
    /// stepped clock that stands still does not hold them up, and so that the first look shows the old state, as the
    /// real service does.
    pub(super) fn due_at(&self) -> Option<OffsetDateTime> {
        let looked_at = self.source == Source::Partner && self.seen;
        if looked_at { Some(self.created) } else { self.answer_by }.filter(|_| self.is_open())
    }
}

impl Subscription {
    /// The customer's side asks for a change. Returns the operation's id; nothing where another one is pending.
    pub(super) fn open_operation(&mut self, change: Change, now: OffsetDateTime) -> Option<Uuid> {
        if self.pending_operation().is_some() {
            return None;
        }
        let operation = Operation::new(change, Source::Azure, now);
        let id = operation.id;
        self.ask(id, &operation.change, now);
        self.operations.push(operation);
        Some(id)
    }

    /// Ends an open operation. Says no (`false`) when it is unknown or over.
    pub(super) fn conclude(&mut self, id: Uuid, accepted: bool, at: OffsetDateTime) -> bool {
        let Some(operation) = self.operations.iter_mut().find(|operation| operation.id == id && operation.is_open())
        else {
            return false;
        };
        operation.progress = if accepted { Progress::Succeeded } else { Progress::Failed };
        let (change, source, created) = (operation.change.clone(), operation.source, operation.created);
        self.settled_to = self.settled_to.max(at);
        match (accepted, source) {
            (false, _) => {}
            (true, Source::Azure) => self.carry_out(&change, at),
            // The publisher hears of its own change when it is done.
            (true, Source::Partner) => self.happen_for(id, &change, created),
        }
        true
    }

    pub(super) fn carry_out(&mut self, change: &Change, at: OffsetDateTime) {
        match change {
            Change::Plan { plan_id, term_unit } => {
                // Another length of term cannot go on where the old one stands.
                if *term_unit != self.term_unit {
                    self.term = self.term.map(|_| Term::first(at.date(), term_unit));
                }
                let former = std::mem::replace(&mut self.plan_id, plan_id.clone());
                self.former_plans.push(former);
                self.term_unit.clone_from(term_unit);
            }
            Change::Quantity(quantity) => self.quantity = Some(*quantity),
            Change::Reinstate => (self.status, self.suspended_since) = (Status::Subscribed, None),
            Change::Unsubscribe => self.unsubscribe(at),
        }
    }

    /// The webhook of an operation waits to be sent: only then do the ten seconds begin.
    pub(super) fn wait_for_delivery(&mut self, id: Uuid) {
        self.operations.iter_mut().filter(|operation| operation.id == id).for_each(|found| found.answer_by = None);
    }

    /// The webhook of an operation leaves. The first time counts.
    pub(super) fn note_delivery(&mut self, id: Uuid, at: OffsetDateTime) {
        let found = self.operations.iter_mut().find(|operation| operation.id == id && operation.is_open());
        if let Some(operation) = found {
            operation.answer_by.get_or_insert(at + AUTO_ACCEPT);
        }
    }

    /// Notes that the unfinished operations were looked at.
    pub(super) fn mark_seen(&mut self) {
        self.operations.iter_mut().for_each(|operation| operation.seen = true);
    }
}

#[cfg(test)]
mod tests {
    use super::super::subscription::tests::sample;
    use super::*;

    #[test]
    fn the_publishers_change_is_done_at_the_second_look() {
        let mut subscription = sample();
        let now = subscription.created;
        subscription.operations.push(Operation::new(Change::Quantity(7), Source::Partner, now));
        subscription.settle(now, Duration::ZERO);
        assert_eq!(subscription.quantity, None);
        subscription.mark_seen();
        subscription.settle(now, Duration::ZERO);
        assert_eq!(subscription.quantity, Some(7));
    }

    #[test]
    fn the_customers_change_is_accepted_after_ten_seconds_unless_refused() {
        let mut subscription = sample();
        let now = subscription.created;
        subscription.operations.push(Operation::new(Change::Quantity(7), Source::Azure, now));
        subscription.operations.push(Operation::new(Change::Quantity(9), Source::Azure, now));
        let refused = subscription.operations[1].id;
        assert!(subscription.conclude(refused, false, now));
        subscription.settle(now + Duration::seconds(9), Duration::ZERO);
        assert_eq!(subscription.quantity, None);
        subscription.settle(now + Duration::seconds(10), Duration::ZERO);
        assert_eq!(subscription.quantity, Some(7));
        assert!(!subscription.conclude(refused, true, now));
    }
}
