//! What time does to a subscription, and what is told of it.

use super::*;
use time::{
    Date,
    macros::{date, datetime},
};

pub(in super::super) fn sample() -> Subscription {
    Subscription {
        id: Uuid::from_u128(1),
        name: "Sample".to_owned(),
        publisher_id: "publisher".to_owned(),
        offer_id: "offer".to_owned(),
        plan_id: "plan".to_owned(),
        former_plans: Vec::new(),
        term_unit: "P1M".to_owned(),
        quantity: None,
        beneficiary: Uuid::nil(),
        purchaser: Uuid::nil(),
        reseller: false,
        market: "DE".to_owned(),
        created: datetime!(2026-01-15 10:00 UTC),
        status: Status::Pending,
        auto_activated: false,
        activating_since: None,
        activations: 0,
        term: None,
        auto_renew: true,
        suspended_since: None,
        ended_at: None,
        session_mode: "None".to_owned(),
        sandbox_type: "None".to_owned(),
        private_prices: BTreeMap::new(),
        private_offer_id: None,
        plan_missing: false,
        stop_sell: false,
        operations: Vec::new(),
        events: Vec::new(),
        settled_to: datetime!(2026-01-15 10:00 UTC),
    }
}

/// The noted events and their moments.
fn told(subscription: &Subscription) -> Vec<(&'static str, Date)> {
    subscription.events.iter().map(|event| (event.action, event.at.date())).collect()
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

#[test]
fn each_renewal_is_told_at_its_own_moment() {
    let mut subscription = sample();
    (subscription.activating_since, subscription.auto_activated) = (Some(subscription.created), true);
    subscription.settle(datetime!(2026-03-16 00:00 UTC), Duration::ZERO);
    let moments =
        [("Subscribe", date!(2026 - 01 - 15)), ("Renew", date!(2026 - 02 - 15)), ("Renew", date!(2026 - 03 - 15))];
    assert_eq!(told(&subscription), moments);
    let first = &subscription.events[1];
    assert_eq!(first.snapshot(true).term.map(|term| term.start), Some(date!(2026 - 01 - 15)));
    assert_eq!(first.snapshot(false).term.map(|term| term.start), Some(date!(2026 - 02 - 15)));
    assert_ne!(first.operation_id, subscription.events[2].operation_id);
}

#[test]
fn a_suspended_subscription_is_renewed_when_it_is_reinstated() {
    let mut subscription = sample();
    subscription.activating_since = Some(subscription.created);
    subscription.settle(datetime!(2026-02-10 00:00 UTC), Duration::ZERO);
    assert!(subscription.suspend(datetime!(2026-02-10 00:00 UTC)));
    subscription.settle(datetime!(2026-03-01 00:00 UTC), Duration::ZERO);
    assert_eq!(subscription.term.map(|term| term.start), Some(date!(2026 - 01 - 15)));
    let now = datetime!(2026-03-01 00:00 UTC);
    let payment = subscription.open_operation(Change::Reinstate, now).unwrap();
    subscription.settle(now + Duration::seconds(9), Duration::ZERO);
    assert_eq!(subscription.status, Status::Suspended);
    assert!(subscription.conclude(payment, true, now));
    subscription.settle(now + Duration::seconds(9), Duration::ZERO);
    assert_eq!(subscription.status, Status::Subscribed);
    let moments = [("Suspend", date!(2026 - 02 - 10)), ("Reinstate", now.date()), ("Renew", now.date())];
    assert_eq!(told(&subscription), moments);
}

#[test]
fn nobody_waits_longer_than_thirty_days_for_a_payment() {
    let mut subscription = sample();
    subscription.term_unit = "P1Y".to_owned();
    subscription.activating_since = Some(subscription.created);
    subscription.settle(datetime!(2026-02-10 00:00 UTC), Duration::ZERO);
    subscription.operations.push(Operation::new(
        Change::Quantity(7),
        super::super::operation::Source::Azure,
        datetime!(2026-02-10 00:00 UTC),
    ));
    assert!(subscription.suspend(datetime!(2026-02-10 00:00 UTC)));
    assert_eq!(subscription.operations[0].progress, Progress::Failed);
    subscription.settle(datetime!(2026-06-01 00:00 UTC), Duration::ZERO);
    assert_eq!(subscription.status, Status::Unsubscribed);
    assert_eq!(told(&subscription)[1], ("Unsubscribe", date!(2026 - 03 - 12)));
}
