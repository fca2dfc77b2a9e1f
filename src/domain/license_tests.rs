use super::*;
use crate::domain::{
    charge::{Reason, State},
    money::{Amount, Currency, Quantity},
    subscription::{MicrosoftStatus, Party, PlannedDowngrade, Snapshot},
    testing::example_catalog,
};
use time::macros::{date, datetime};

fn term(end: Date) -> Term {
    Term::new(date!(2026 - 01 - 15), end).unwrap()
}

fn subscription(term: Term) -> Subscription {
    let snapshot = Snapshot {
        id: Uuid::nil(),
        offer_id: "konnekt".into(),
        plan_id: "konnekt-yearly".into(),
        name: String::new(),
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
    let fresh = Subscription::new(snapshot, datetime!(2026-01-15 10:12 UTC));
    Subscription { users: Some(150), segment: Some("KONNEKT 25".into()), term: Some(term), ..fresh }
}

fn charge(state: State, term_start: Date, reportable_from: OffsetDateTime) -> Charge {
    Charge {
        id: Uuid::nil(),
        cause_id: Uuid::nil(),
        reason: Reason::Enrolment,
        term_start,
        plan_id: None,
        description: String::new(),
        dimension: String::new(),
        quantity: Quantity::whole(1),
        unit_price: "1".parse().unwrap(),
        amount: Amount::zero(Currency::EUR),
        reportable_from,
        users: Some(150),
        from_users: None,
        part: None,
        state,
        since: reportable_from,
    }
}

#[test]
fn no_key_outlives_what_was_paid_for() {
    let catalog = example_catalog();
    let (_, plan) = catalog.find_plan("konnekt", "konnekt-yearly").unwrap();
    let provisional = plan.as_ref().clone();
    let full = Plan { first_key: FirstKey::Full, ..provisional.clone() };
    let (year, month) = (term(date!(2027 - 01 - 14)), term(date!(2026 - 02 - 14)));
    let trial = datetime!(2026-02-14 00:00 UTC);
    let grace = datetime!(2026-01-18 10:12 UTC);
    let start = year.start;
    let table = [
        ("a year with a trial", year, &provisional, vec![(State::Held, start, trial)], datetime!(2026-02-28 00:00 UTC)),
        ("a year without", year, &provisional, vec![(State::Held, start, grace)], datetime!(2026-02-01 10:12 UTC)),
        ("a month: 3.1 days", month, &provisional, vec![(State::Held, start, grace)], datetime!(2026-01-21 12:36 UTC)),
        (
            "never beyond the end",
            month,
            &provisional,
            vec![(State::Held, start, trial)],
            datetime!(2026-02-15 00:00 UTC),
        ),
        ("one key from the start", year, &full, vec![(State::Held, start, trial)], datetime!(2027-01-15 00:00 UTC)),
        (
            "due is not paid",
            year,
            &provisional,
            vec![(State::Due, start, grace), (State::Frozen, start, trial)],
            datetime!(2026-02-28 00:00 UTC),
        ),
        ("dropped", year, &provisional, vec![(State::Cancelled, start, trial)], datetime!(2027-01-15 00:00 UTC)),
        ("nothing is ours to charge", year, &provisional, vec![], datetime!(2027-01-15 00:00 UTC)),
        (
            "the term before does not count",
            year,
            &provisional,
            vec![(State::Due, date!(2025 - 01 - 15), trial)],
            datetime!(2027-01-15 00:00 UTC),
        ),
    ];
    for (name, term, plan, charges, expiry) in table {
        let charges: Vec<Charge> = charges.into_iter().map(|(state, start, from)| charge(state, start, from)).collect();
        let entitlement = decide_entitlement(&subscription(term), plan, &charges).unwrap();
        assert_eq!(entitlement.expires_at, expiry, "{name}");
        assert_eq!(entitlement.provisional, expiry < end_of_day(term.end) || name == "never beyond the end", "{name}");
    }
}

#[test]
fn a_key_tells_the_planned_change() {
    let catalog = example_catalog();
    let (_, plan) = catalog.find_plan("konnekt", "konnekt-yearly").unwrap();
    let planned_at = datetime!(2026-03-01 09:00 UTC);
    let planned = Some(PlannedDowngrade { users: 100, planned_at });
    let subscription = Subscription { planned, ..subscription(term(date!(2027 - 01 - 14))) };
    let entitlement = decide_entitlement(&subscription, plan, &[]).unwrap();
    let expected = PlannedChange { users: 100, effective: date!(2027 - 01 - 15) };
    assert_eq!(entitlement.planned_change, Some(expected));
}
