//! A subscription and what time does to it.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    event::Event,
    operation::{Change, Operation, Progress},
    seed::Plan,
    terms::Term,
};

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
    /// The plans that it had before, oldest first.
    pub(super) former_plans: Vec<String>,
    pub(super) term_unit: String,
    pub(super) quantity: Option<u32>,
    pub(super) beneficiary: Uuid,
    pub(super) purchaser: Uuid,
    /// Bought by a partner for somebody else.
    pub(super) reseller: bool,
    pub(super) market: String,
    pub(super) created: OffsetDateTime,
    pub(super) status: Status,
    /// Whether Microsoft activates it by itself, without being asked by the publisher.
    pub(super) auto_activated: bool,
    /// When somebody asked for the activation that has not become visible yet.
    pub(super) activating_since: Option<OffsetDateTime>,
    /// How often it became Subscribed by an activation.
    pub(super) activations: u32,
    pub(super) term: Option<Term>,
    pub(super) auto_renew: bool,
    pub(super) suspended_since: Option<OffsetDateTime>,
    /// When it was unsubscribed.
    pub(super) ended_at: Option<OffsetDateTime>,
    pub(super) session_mode: String,
    pub(super) sandbox_type: String,
    pub(super) private_prices: BTreeMap<String, String>,
    pub(super) private_offer_id: Option<String>,
    pub(super) plan_missing: bool,
    pub(super) stop_sell: bool,
    pub(super) operations: Vec<Operation>,
    /// What happened and has not been told yet.
    pub(super) events: Vec<Event>,
    /// The moment of the last thing that time did to it.
    pub(super) settled_to: OffsetDateTime,
}

/// What time does.
enum Due {
    Activation,
    Operation(Uuid),
    Renewal,
    End,
}

impl Subscription {
    /// Lets everything happen that was due by `now`, in the order of time, each thing at its own moment.
    pub(super) fn settle(&mut self, now: OffsetDateTime, activation_delay: Duration) {
        while let Some((due, what)) = self.next_due(activation_delay).filter(|(due, _)| *due <= now) {
            // What had to wait (a renewal for the reinstatement) does not happen before what it waited for.
            let at = due.max(self.settled_to);
            self.settled_to = at;
            match what {
                Due::Activation => self.activate(at),
                Due::Operation(id) => {
                    self.conclude(id, true, at);
                }
                Due::Renewal => {
                    self.happen("Renew", at, |own| own.term = own.term.map(|term| term.next(&own.term_unit)));
                }
                Due::End => self.end(at),
            }
        }
    }

    /// What time does next, and when.
    fn next_due(&self, activation_delay: Duration) -> Option<(OffsetDateTime, Due)> {
        let operations = self.operations.iter().filter_map(|found| Some((found.due_at()?, Due::Operation(found.id))));
        let life = match (self.status, self.activating_since, self.term) {
            (Status::Pending, Some(since), _) => Some((since + activation_delay, Due::Activation)),
            (Status::Pending, None, _) => Some((self.created + PATIENCE, Due::End)),
            (Status::Subscribed, _, Some(term)) if self.auto_renew => Some((term.renews_at(), Due::Renewal)),
            (Status::Subscribed, _, Some(term)) => Some((term.renews_at(), Due::End)),
            (Status::Suspended, ..) => self.suspension_ends().map(|end| (end, Due::End)),
            _ => None,
        };
        operations.chain(life).min_by_key(|(due, _)| *due)
    }

    /// Suspended subscriptions are not renewed; without renewal they end with their term. While the payment is being
    /// acknowledged, nothing ends.
    fn suspension_ends(&self) -> Option<OffsetDateTime> {
        let unpaid = self.suspended_since? + PATIENCE;
        let term = self.term.map(Term::renews_at).filter(|_| !self.auto_renew);
        let being_reinstated = self.pending_operation().is_some_and(|operation| operation.change == Change::Reinstate);
        (!being_reinstated).then(|| term.map_or(unpaid, |term| term.min(unpaid)))
    }

    fn activate(&mut self, at: OffsetDateTime) {
        let activation = |own: &mut Self| {
            own.activating_since = None;
            own.status = Status::Subscribed;
            own.activations = own.activations.saturating_add(1);
            own.term = Some(Term::first(at.date(), &own.term_unit));
        };
        // The publisher's own activation is answered by the API, not told.
        if self.auto_activated { self.happen("Subscribe", at, activation) } else { activation(self) }
    }

    /// Unsubscribes, for good.
    pub(super) fn end(&mut self, at: OffsetDateTime) {
        if self.status != Status::Unsubscribed {
            self.happen("Unsubscribe", at, |own| own.unsubscribe(at));
        }
    }

    pub(super) fn unsubscribe(&mut self, at: OffsetDateTime) {
        self.status = Status::Unsubscribed;
        self.ended_at = Some(at);
        self.activating_since = None;
        self.suspended_since = None;
        for operation in self.operations.iter_mut().filter(|operation| operation.is_open()) {
            let done = operation.change == Change::Unsubscribe;
            operation.progress = if done { Progress::Succeeded } else { Progress::Failed };
        }
    }

    /// Payment is missing; changes on their way fail. Says no (`false`) unless it is Subscribed.
    pub(super) fn suspend(&mut self, now: OffsetDateTime) -> bool {
        let possible = self.status == Status::Subscribed;
        if possible {
            self.happen("Suspend", now, |own| {
                own.status = Status::Suspended;
                own.suspended_since = Some(now);
                let open = own.operations.iter_mut().filter(|operation| operation.is_open());
                open.filter(|operation| operation.change != Change::Unsubscribe)
                    .for_each(|operation| operation.progress = Progress::Failed);
            });
        }
        possible
    }

    /// What the customer, and the publisher in its name, may do. Reseller purchases are changed by the partner only.
    pub(super) fn allowed_operations(&self) -> &'static [&'static str] {
        if self.reseller { &["Read"] } else { &["Delete", "Read", "Update"] }
    }

    /// Whether it is a rehearsal that nobody pays for.
    pub(super) fn is_test(&self) -> bool {
        self.session_mode != "None" || self.sandbox_type != "None"
    }

    /// What one unit of a dimension costs this customer, as decimal text. Private prices hold for the present plan only.
    pub(super) fn unit_price<'a>(&'a self, plan: &'a Plan, dimension: &str) -> Option<&'a str> {
        let private = self.private_prices.get(dimension).filter(|_| plan.id == self.plan_id);
        private.or_else(|| plan.markets.get(&self.market)?.dimensions.get(dimension)).map(String::as_str)
    }

    /// The operation that blocks new ones.
    pub(super) fn pending_operation(&self) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.is_open())
    }
}

#[cfg(test)]
#[path = "subscription_tests.rs"]
pub(super) mod tests;
