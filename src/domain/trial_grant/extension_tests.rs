use std::sync::Arc;

use proptest::prelude::*;
use time::macros::{date, datetime};
use uuid::Uuid;

use super::*;
use crate::domain::{
    charge::Reason,
    enrolment::{Basis, PriceSource, TodaysPrices},
    money::{Amount, Currency},
    proration::FirstTerm,
    subscription::{Enrolled, MicrosoftStatus, Party, Snapshot},
    testing::example_catalog,
};

const START: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);

fn konnekt() -> Arc<Plan> {
    let catalog = example_catalog();
    let (_, plan) = catalog.plans_named("konnekt-yearly").next().unwrap();
    Arc::clone(plan)
}

fn priced(plan: &Plan) -> (PricedPlan, TodaysPrices) {
    let list = plan.list_prices(Currency::EUR).unwrap().clone();
    (PricedPlan::new(plan, &list).unwrap(), TodaysPrices { list, source: PriceSource::Microsoft })
}

/// Enrolled with so many users and days of trial, 72 hours of grace.
fn enrolled(plan: &Plan, users: u32, trial_days: u32) -> (Subscription, Vec<Charge>) {
    let term = Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)).unwrap();
    let first = FirstTerm::new(term, START, trial_days, Duration::hours(72));
    let snapshot = Snapshot {
        id: Uuid::nil(),
        offer_id: "konnekt".to_owned(),
        plan_id: plan.id.to_string(),
        name: "konnekt-prod".to_owned(),
        status: MicrosoftStatus::Subscribed,
        beneficiary: Party::default(),
        purchaser: Party::default(),
        term_unit: None,
        term: Some(term),
        auto_renew: true,
        update_allowed: true,
        is_test: false,
        quantity: None,
    };
    let quote = priced(plan).0.quote(users).unwrap();
    let mut subscription = Subscription::new(snapshot, START);
    subscription.stage = Stage::Active(Enrolled { enrolled_at: START, activated_at: START });
    (subscription.users, subscription.segment) = (Some(users), Some(quote.segment.name.to_string()));
    (subscription.term, subscription.trial_end) = (Some(term), first.trial_end);
    subscription.grace_end = Some(first.grace_end);
    let lines = first.charged_lines(&quote.lines).unwrap();
    let charges = lines.iter().map(|line| charge(line, Reason::Enrolment, first.part, first.reportable_from, users));
    (subscription, charges.collect())
}

fn charge(line: &Line, reason: Reason, part: Part, reportable_from: OffsetDateTime, users: u32) -> Charge {
    Charge {
        id: Uuid::new_v4(),
        cause_id: Uuid::nil(),
        reason,
        term_start: date!(2026 - 01 - 15),
        plan_id: None,
        description: line.item.description(),
        dimension: line.dimension.to_string(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        amount: line.amount,
        reportable_from,
        users: Some(users),
        from_users: None,
        part: Some(part),
        state: State::Held,
        since: START,
    }
}

#[test]
fn the_example_of_the_product_document_with_two_weeks_more() {
    let plan = konnekt();
    let (subscription, charges) = enrolled(&plan, 150, 30);
    let quantities = |charges: &[Charge]| charges.iter().map(|one| one.quantity.to_string()).collect::<Vec<_>>();
    assert_eq!(quantities(&charges), ["0.917808", "114.726027"]);
    let extended = decide_extension(&subscription, &charges, (Extends::Trial, 14), START).unwrap();
    assert_eq!(extended.trial_end, Some(date!(2026 - 02 - 27)));
    assert_eq!(extended.reportable_from, datetime!(2026-02-28 0:00 UTC));
    // 321 of 365 days: 0.879452 and 125 × 321 / 365.
    let rewritten: Vec<Rewritten> =
        charges.iter().map(|one| rewrite_charge(one, &plan, None, extended).unwrap()).collect();
    let lines: Vec<String> = rewritten.iter().map(|one| one.line.quantity.to_string()).collect();
    assert_eq!(lines, ["0.879452", "109.931506"]);
    assert!(rewritten.iter().all(|one| one.part == Part { days: 321, of_days: 365 }));
}

#[test]
fn what_cannot_be_extended_says_why() {
    let plan = konnekt();
    let (active, held) = enrolled(&plan, 150, 30);
    let with = |state| {
        let mut charges = held.clone();
        charges[0].state = state;
        charges
    };
    let enrolled_at = Enrolled { enrolled_at: START, activated_at: START };
    let suspended =
        Subscription { stage: Stage::Suspended { enrolled: enrolled_at, suspended_at: START }, ..active.clone() };
    let withdrawing = Subscription { withdrawn_at: Some(START), ..active.clone() };
    let without = Subscription { trial_end: None, ..active.clone() };
    let mut renewed = active.clone();
    renewed.microsoft.term = Term::new(date!(2027 - 01 - 15), date!(2028 - 01 - 14));
    let (trial, grace) = (Extends::Trial, Extends::Grace);
    let hold = held[0].reportable_from;
    let table = [
        ("reported", &active, with(State::Accepted), trial, START, TrialRefused::Reported),
        ("on its way", &active, with(State::Due), trial, START, TrialRefused::Reported),
        ("unknown", &active, with(State::Unknown), grace, START, TrialRefused::Reported),
        ("the hold is over", &active, held.clone(), trial, hold, TrialRefused::Reported),
        ("suspended", &suspended, held.clone(), trial, START, TrialRefused::NotActive("suspended")),
        ("withdrawing", &withdrawing, held.clone(), trial, START, TrialRefused::Withdrawing),
        ("a new term", &renewed, held.clone(), trial, START, TrialRefused::TermEnded),
        ("no trial", &without, held.clone(), trial, START, TrialRefused::NoTrial),
        ("the grace period is over", &active, held.clone(), grace, START + Duration::hours(72), TrialRefused::NoGrace),
        ("nothing is held", &active, vec![], trial, START, TrialRefused::Reported),
    ];
    for (name, subscription, charges, extends, now, expected) in table {
        assert_eq!(decide_extension(subscription, &charges, (extends, 14), now), Err(expected), "{name}");
    }
    // What was dropped before stands against nothing.
    let mut dropped = held.clone();
    dropped.push(Charge { state: State::Cancelled, ..held[0].clone() });
    assert!(decide_extension(&active, &dropped, (trial, 14), START).is_ok());
}

#[test]
fn a_longer_grace_period_changes_no_quantity() {
    let plan = konnekt();
    let table = [
        // Trial + grace: whichever ends later.
        (0, 4, datetime!(2026-01-22 10:12 UTC)),
        (30, 4, datetime!(2026-02-14 0:00 UTC)),
        (30, 60, datetime!(2026-03-19 10:12 UTC)),
    ];
    for (trial_days, days, expected) in table {
        let (subscription, charges) = enrolled(&plan, 150, trial_days);
        let extended = decide_extension(&subscription, &charges, (Extends::Grace, days), START).unwrap();
        assert_eq!(extended.reportable_from, expected, "{trial_days} and {days}");
        for one in &charges {
            let rewritten = rewrite_charge(one, &plan, None, extended).unwrap();
            assert_eq!(rewritten.line.quantity, one.quantity);
            assert_eq!(changes(one, &rewritten, extended), one.reportable_from != expected);
        }
    }
}

#[test]
fn figures_that_the_catalog_does_not_give_any_more_change_nothing() {
    let plan = konnekt();
    let (subscription, mut charges) = enrolled(&plan, 150, 30);
    let extended = decide_extension(&subscription, &charges, (Extends::Trial, 14), START).unwrap();
    charges[1].quantity = Quantity::whole(400);
    let refused = rewrite_charge(&charges[1], &plan, None, extended);
    assert_eq!(refused, Err(TrialRefused::Underivable(charges[1].description.clone())));
    charges[0].reason = Reason::Upgrade;
    assert!(rewrite_charge(&charges[0], &plan, None, extended).is_err(), "nobody knows what the upgrade was");
}

proptest! {
    /// An extension gives what an enrolment with the longer trial would have given, also in steps, and with an upgrade.
    #[test]
    fn an_extension_is_an_enrolment_with_a_longer_trial(
        users in 25_u32..12_000,
        trial_days in 1_u32..200,
        more in 1_u32..200,
        again in 1_u32..100,
        added in 1_u32..500,
    ) {
        let plan = konnekt();
        let (mut subscription, mut charges) = enrolled(&plan, users, trial_days);
        let change = upgrade(&plan, &subscription, &charges, users + added);
        let line = &change.lines[0];
        let mut upgraded = charge(line, Reason::Upgrade, change.part, charges[0].reportable_from, users + added);
        for days in [more, again] {
            charges.push(upgraded.clone());
            let extended = decide_extension(&subscription, &charges, (Extends::Trial, days), START).unwrap();
            charges.pop();
            (subscription.trial_end, subscription.grace_end) = (extended.trial_end, extended.grace_end);
            let rewrite = |one: &Charge, frozen| rewrite_charge(one, &plan, frozen, extended).unwrap();
            let anew = |one: &Charge, to: Rewritten| Charge {
                quantity: to.line.quantity, amount: to.line.amount, part: Some(to.part),
                reportable_from: extended.reportable_from, ..one.clone()
            };
            charges = charges.iter().map(|one| anew(one, rewrite(one, None))).collect();
            upgraded = anew(&upgraded, rewrite(&upgraded, Some((&change, &plan))));
        }
        let (longer, expected) = enrolled(&plan, users, trial_days + more + again);
        let figures = |charges: &[Charge]| -> Vec<(String, Quantity, Amount, OffsetDateTime)> {
            charges.iter().map(|one| (one.dimension.clone(), one.quantity, one.amount, one.reportable_from)).collect()
        };
        prop_assert_eq!(figures(&charges), figures(&expected));
        let as_new = upgrade(&plan, &longer, &expected, users + added);
        prop_assert_eq!(upgraded.quantity, as_new.lines[0].quantity);
        prop_assert_eq!(upgraded.part, Some(as_new.part));
    }
}

fn upgrade(plan: &Plan, subscription: &Subscription, charges: &[Charge], to: u32) -> FrozenChange {
    let prices = priced(plan).1;
    let basis = Basis { subscription, plan, prices: Some(&prices), trial_days: 0, catalog_version: "", now: START };
    crate::domain::change::freeze_change(basis, charges, to).unwrap()
}
