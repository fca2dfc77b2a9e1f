//! Operations: changes of a subscription on their way.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::subscription::Subscription;

/// A change that the publisher does not answer is accepted after this long (Microsoft's webhook documentation).
const AUTO_ACCEPT: Duration = Duration::seconds(10);

/// What is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Plan { plan_id: String, term_unit: String },
    Quantity(u32),
    Unsubscribe,
}

impl Change {
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Plan { .. } => "ChangePlan",
            Self::Quantity(_) => "ChangeQuantity",
            Self::Unsubscribe => "Unsubscribe",
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
    /// Whether somebody has already seen it unfinished.
    pub(super) seen: bool,
}

impl Operation {
    pub(super) fn new(change: Change, source: Source, created: OffsetDateTime) -> Self {
        // The publisher's own operations are first read as NotStarted (recorded traffic of 2021).
        let progress = if source == Source::Partner { Progress::NotStarted } else { Progress::InProgress };
        Self { id: Uuid::new_v4(), change, source, progress, created, seen: false }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.progress, Progress::NotStarted | Progress::InProgress)
    }

    /// The publisher's operations are done at the second look, so that a stepped clock that stands still does not hold
    /// them up, and so that the first look shows the old state, as the real service does.
    fn is_due(&self, now: OffsetDateTime) -> bool {
        self.is_open() && (now >= self.created + AUTO_ACCEPT || (self.source == Source::Partner && self.seen))
    }
}

impl Subscription {
    /// Carries out the operations that are due.
    pub(super) fn finish_operations(&mut self, now: OffsetDateTime) {
        while let Some(id) = self.operations.iter().find(|operation| operation.is_due(now)).map(|found| found.id) {
            self.conclude(id, true);
        }
    }

    /// Ends an open operation. Says no (`false`) when it is unknown or over.
    pub(super) fn conclude(&mut self, id: Uuid, accepted: bool) -> bool {
        let Some(operation) = self.operations.iter_mut().find(|operation| operation.id == id && operation.is_open())
        else {
            return false;
        };
        operation.progress = if accepted { Progress::Succeeded } else { Progress::Failed };
        if accepted {
            match operation.change.clone() {
                Change::Plan { plan_id, term_unit } => (self.plan_id, self.term_unit) = (plan_id, term_unit),
                Change::Quantity(quantity) => self.quantity = Some(quantity),
                Change::Unsubscribe => self.end(),
            }
        }
        true
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
        subscription.finish_operations(now);
        assert_eq!(subscription.quantity, None);
        subscription.mark_seen();
        subscription.finish_operations(now);
        assert_eq!(subscription.quantity, Some(7));
    }

    #[test]
    fn the_customers_change_is_accepted_after_ten_seconds_unless_refused() {
        let mut subscription = sample();
        let now = subscription.created;
        subscription.operations.push(Operation::new(Change::Quantity(7), Source::Azure, now));
        subscription.operations.push(Operation::new(Change::Quantity(9), Source::Azure, now));
        let refused = subscription.operations[1].id;
        assert!(subscription.conclude(refused, false));
        subscription.finish_operations(now + Duration::seconds(9));
        assert_eq!(subscription.quantity, None);
        subscription.finish_operations(now + Duration::seconds(10));
        assert_eq!(subscription.quantity, Some(7));
        assert!(!subscription.conclude(refused, true));
    }
}
