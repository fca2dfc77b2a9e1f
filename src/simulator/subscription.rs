//! A subscription and what time does to it.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{operation::Operation, terms::Term};

/// A purchase that nobody activates, and a suspended subscription that nobody pays, end after this long
/// (Microsoft's documentation of the life cycle, both 30 days).
const PATIENCE: Duration = Duration::days(30);

/// `saasSubscriptionStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Subscribed,
    Suspended,
    Unsubscribed,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PendingFulfillmentStart",
            Self::Subscribed => "Subscribed",
            Self::Suspended => "Suspended",
            Self::Unsubscribed => "Unsubscribed",
        }
    }
}

/// Everything that Microsoft keeps about one purchase.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) publisher_id: String,
    pub(super) offer_id: String,
    pub(super) plan_id: String,
    pub(super) term_unit: String,
    pub(super) quantity: Option<u32>,
    pub(super) beneficiary: Uuid,
    pub(super) purchaser: Uuid,
    /// Bought by a partner for somebody else.
    pub(super) reseller: bool,
    pub(super) market: String,
    pub(super) created: OffsetDateTime,
    pub(super) status: Status,
    /// When somebody asked for the activation that has not become visible yet.
    pub(super) activating_since: Option<OffsetDateTime>,
    /// How often it became Subscribed by an activation.
    pub(super) activations: u32,
    pub(super) term: Option<Term>,
    pub(super) auto_renew: bool,
    pub(super) suspended_since: Option<OffsetDateTime>,
    pub(super) session_mode: String,
    pub(super) sandbox_type: String,
    pub(super) private_prices: BTreeMap<String, String>,
    pub(super) private_offer_id: Option<String>,
    pub(super) plan_missing: bool,
    pub(super) stop_sell: bool,
    pub(super) operations: Vec<Operation>,
}

impl Subscription {
    /// Lets everything happen that was due by `now`.
    pub(super) fn settle(&mut self, now: OffsetDateTime, activation_delay: Duration) {
        self.finish_activation(now, activation_delay);
        if self.status == Status::Pending && now >= self.created + PATIENCE {
            self.end();
        }
        self.finish_operations(now);
        self.renew(now);
        if self.suspended_since.is_some_and(|since| now >= since + PATIENCE) {
            self.end();
        }
    }

    fn finish_activation(&mut self, now: OffsetDateTime, delay: Duration) {
        let due = self.activating_since.map(|since| since + delay).filter(|due| now >= *due);
        let (Some(due), Status::Pending) = (due, self.status) else { return };
        self.activating_since = None;
        self.status = Status::Subscribed;
        self.activations = self.activations.saturating_add(1);
        self.term = Some(Term::first(due.date(), &self.term_unit));
    }

    /// Moves the term on; a subscription that does not renew ends with its term.
    fn renew(&mut self, now: OffsetDateTime) {
        while self.status == Status::Subscribed
            && let Some(term) = self.term.filter(|term| now >= term.renews_at())
        {
            if self.auto_renew {
                self.term = Some(term.next(&self.term_unit));
            } else {
                self.end();
            }
        }
    }

    /// Unsubscribes, for good.
    pub(super) fn end(&mut self) {
        self.status = Status::Unsubscribed;
        self.activating_since = None;
        self.suspended_since = None;
    }

    /// Payment is missing. Says no (`false`) unless it is Subscribed.
    pub(super) fn suspend(&mut self, now: OffsetDateTime) -> bool {
        let possible = self.status == Status::Subscribed;
        if possible {
            self.status = Status::Suspended;
            self.suspended_since = Some(now);
        }
        possible
    }

    /// Payment arrived. Says no (`false`) unless it is Suspended.
    pub(super) fn reinstate(&mut self) -> bool {
        let possible = self.status == Status::Suspended;
        if possible {
            self.status = Status::Subscribed;
            self.suspended_since = None;
        }
        possible
    }

    /// What the customer, and the publisher in its name, may do. Reseller purchases are changed by the partner only.
    pub(super) fn allowed_operations(&self) -> &'static [&'static str] {
        if self.reseller { &["Read"] } else { &["Delete", "Read", "Update"] }
    }

    /// The operation that blocks new ones.
    pub(super) fn pending_operation(&self) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.is_open())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use time::macros::{date, datetime};

    pub(in super::super) fn sample() -> Subscription {
        Subscription {
            id: Uuid::from_u128(1),
            name: "Sample".to_owned(),
            publisher_id: "publisher".to_owned(),
            offer_id: "offer".to_owned(),
            plan_id: "plan".to_owned(),
            term_unit: "P1M".to_owned(),
            quantity: None,
            beneficiary: Uuid::nil(),
            purchaser: Uuid::nil(),
            reseller: false,
            market: "DE".to_owned(),
            created: datetime!(2026-01-15 10:00 UTC),
            status: Status::Pending,
            activating_since: None,
            activations: 0,
            term: None,
            auto_renew: true,
            suspended_since: None,
            session_mode: "None".to_owned(),
            sandbox_type: "None".to_owned(),
            private_prices: BTreeMap::new(),
            private_offer_id: None,
            plan_missing: false,
            stop_sell: false,
            operations: Vec::new(),
        }
    }

    #[test]
    fn an_activation_becomes_visible_after_the_delay_and_once() {
        let mut subscription = sample();
        subscription.activating_since = Some(subscription.created);
        subscription.settle(datetime!(2026-01-15 10:00:59 UTC), Duration::minutes(1));
        assert_eq!(subscription.status, Status::Pending);
        subscription.settle(datetime!(2026-01-15 10:01 UTC), Duration::minutes(1));
        assert_eq!((subscription.status, subscription.activations), (Status::Subscribed, 1));
        subscription.settle(datetime!(2026-03-16 10:01 UTC), Duration::minutes(1));
        assert_eq!(subscription.term.map(|term| term.start), Some(date!(2026 - 03 - 15)));
        assert_eq!(subscription.activations, 1);
    }

    #[test]
    fn patience_ends_after_thirty_days() {
        let mut subscription = sample();
        subscription.settle(datetime!(2026-02-14 09:59 UTC), Duration::ZERO);
        assert_eq!(subscription.status, Status::Pending);
        subscription.settle(datetime!(2026-02-14 10:00 UTC), Duration::ZERO);
        assert_eq!(subscription.status, Status::Unsubscribed);
    }

    #[test]
    fn without_renewal_it_ends_with_the_term() {
        let mut subscription = sample();
        subscription.activating_since = Some(subscription.created);
        subscription.auto_renew = false;
        subscription.settle(datetime!(2026-02-14 23:59 UTC), Duration::ZERO);
        assert_eq!(subscription.status, Status::Subscribed);
        subscription.settle(datetime!(2026-02-15 00:00 UTC), Duration::ZERO);
        assert_eq!(subscription.status, Status::Unsubscribed);
    }
}
