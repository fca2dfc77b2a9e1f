use time::macros::{date, datetime};

use super::*;
use crate::domain::money::{Amount, Currency};

fn candidate(id: u128, quantity: u32, earliest: Date) -> Candidate {
    Candidate {
        charge_id: Uuid::from_u128(id),
        dimension: "users".to_owned(),
        plan_id: "plan".to_owned(),
        quantity: Quantity::whole(quantity),
        earliest,
        latest: None,
        told_on: None,
    }
}

fn place(day: Date) -> Place {
    Place { day, dimension: "users".to_owned(), plan_id: "plan".to_owned() }
}

const FIRST: Date = date!(2026 - 03 - 01);
const SECOND: Date = date!(2026 - 03 - 02);

/// (name, sums by day, candidates as (id, quantity, day), adopted ids, undecided ids, foreign days)
type Row<'a> = (&'a str, Vec<(Date, u32)>, Vec<(u128, u32, Date)>, Vec<u128>, Vec<u128>, Vec<Date>);

#[test]
fn a_sum_proves_what_nothing_else_adds_up_to() {
    let table: Vec<Row<'_>> = vec![
        ("one", vec![(FIRST, 5)], vec![(1, 5, FIRST), (2, 3, FIRST)], vec![1], vec![], vec![]),
        (
            "two of three",
            vec![(FIRST, 8)],
            vec![(1, 5, FIRST), (2, 3, FIRST), (3, 9, FIRST)],
            vec![1, 2],
            vec![],
            vec![],
        ),
        (
            "two sets",
            vec![(FIRST, 8)],
            vec![(1, 5, FIRST), (2, 3, FIRST), (3, 8, FIRST)],
            vec![],
            vec![1, 2, 3],
            vec![],
        ),
        ("equals are interchangeable", vec![(FIRST, 5)], vec![(1, 5, FIRST), (2, 5, FIRST)], vec![1], vec![], vec![]),
        (
            "each day its own",
            vec![(FIRST, 5), (SECOND, 5)],
            vec![(1, 5, FIRST), (2, 5, FIRST)],
            vec![1, 2],
            vec![],
            vec![],
        ),
        ("not before its day", vec![(FIRST, 5)], vec![(1, 5, SECOND)], vec![], vec![], vec![FIRST]),
        ("larger than the sum", vec![(FIRST, 5)], vec![(1, 6, FIRST)], vec![], vec![], vec![FIRST]),
        ("more than the charge", vec![(FIRST, 12)], vec![(1, 5, FIRST)], vec![], vec![1], vec![]),
        ("nothing here", vec![(FIRST, 12)], vec![], vec![], vec![], vec![FIRST]),
    ];
    for (name, sums, candidates, adopted, undecided, foreign) in table {
        let sums: Sums = sums.into_iter().map(|(day, sum)| (place(day), Decimal::from(sum))).collect();
        let candidates: Vec<Candidate> =
            candidates.into_iter().map(|(id, quantity, day)| candidate(id, quantity, day)).collect();
        let found = decide_adoption(&sums, &candidates);
        let ids = |ids: Vec<u128>| ids.into_iter().map(Uuid::from_u128).collect::<Vec<_>>();
        assert_eq!(found.adopted.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids(adopted), "{name}");
        assert_eq!(found.undecided, ids(undecided), "{name}");
        assert_eq!(found.foreign.keys().map(|place| place.day).collect::<Vec<_>>(), foreign, "{name}");
    }
}

#[test]
fn the_day_on_which_it_was_told_decides_among_equals() {
    let told = Candidate { told_on: Some(SECOND), ..candidate(2, 5, FIRST) };
    let sums: Sums = [(place(SECOND), Decimal::from(5))].into();
    let found = decide_adoption(&sums, &[candidate(1, 5, FIRST), told]);
    assert_eq!(found.adopted, [(Uuid::from_u128(2), place(SECOND))]);
}

#[test]
fn what_is_set_aside_explains_no_more_than_it_is() {
    let candidates = [candidate(1, 5, FIRST), candidate(2, 3, FIRST), candidate(3, 8, FIRST)];
    let left = |day: Date, sum: u32, candidates: &[Candidate]| {
        let sums: Sums = [(place(day), Decimal::from(sum))].into();
        unexplained(&decide_adoption(&sums, candidates), candidates).values().copied().sum::<Decimal>()
    };
    for (sum, expected) in [(5, 0), (8, 0), (16, 0), (17, 17), (2, 2)] {
        assert_eq!(left(SECOND, sum, &candidates), Decimal::from(expected), "{sum}");
    }
    let before = candidates.map(|one| Candidate { latest: Some(FIRST), ..one });
    assert_eq!((left(FIRST, 5, &before), left(SECOND, 5, &before)), (Decimal::ZERO, Decimal::from(5)));
}

#[test]
fn a_search_that_takes_too_long_proves_nothing() {
    let candidates: Vec<Candidate> =
        (0..40).map(|id| candidate(id, 1_000 + 2 * u32::try_from(id).unwrap(), FIRST)).collect();
    let sums: Sums = [(place(FIRST), Decimal::from(20_001))].into();
    assert!(decide_adoption(&sums, &candidates).adopted.is_empty());
}

const LOCKED: OffsetDateTime = datetime!(2026-03-05 12:30 UTC);

fn charge(reason: Reason, state: State, reportable_from: OffsetDateTime) -> Charge {
    Charge {
        id: Uuid::from_u128(1),
        cause_id: Uuid::nil(),
        reason,
        term_start: date!(2026 - 03 - 01),
        plan_id: None,
        description: String::new(),
        dimension: "users".to_owned(),
        quantity: Quantity::ONE,
        unit_price: "1".parse().unwrap(),
        amount: Amount::zero(Currency::EUR),
        reportable_from,
        users: None,
        from_users: None,
        part: None,
        state,
        since: reportable_from,
    }
}

#[test]
fn a_renewal_or_a_charge_of_another_plan_may_be_there_in_other_figures() {
    use {Reason::*, State::*};
    let day = LOCKED.date();
    let of = |reason, state, plan_id: Option<&str>, term_start| Charge {
        plan_id: plan_id.map(str::to_owned),
        term_start,
        ..charge(reason, state, LOCKED)
    };
    let table = [
        ("a renewal", of(Renewal, Due, Some("plan"), day), true),
        ("a held one", of(Renewal, Held, Some("plan"), FIRST), true),
        ("of a later term", of(Renewal, Due, Some("plan"), day + Duration::DAY), false),
        ("sent by us", of(Renewal, Sending, Some("plan"), FIRST), false),
        ("an upgrade", of(Upgrade, Due, Some("plan"), FIRST), false),
        ("an upgrade in another plan", of(Upgrade, Due, Some("successor"), FIRST), true),
        ("of nobody knows which plan", of(Upgrade, Due, None, FIRST), false),
    ];
    for (name, charge, expected) in table {
        assert_eq!(may_be_in_other_figures(&charge, &place(day)), expected, "{name}");
    }
}

#[test]
fn what_may_be_there_takes_its_own_slot_or_none() {
    let soon = LOCKED + Duration::minutes(30);
    let late = LOCKED + LAG;
    let recent = datetime!(2026-03-05 03:20 UTC);
    let old = datetime!(2026-03-03 03:20 UTC);
    let own = Rest::OwnSlot(Slot { hour: datetime!(2026-03-05 03:00 UTC), effective_start: recent });
    let runs = (true, None);
    let ended = (true, Some(recent));
    use {Reason::*, State::*};
    let table = [
        ("its hour is open", Upgrade, Due, recent, runs, soon, own),
        ("its hour is over", Upgrade, Due, old, runs, soon, Rest::MayBeThere),
        ("the sums show everything", Upgrade, Due, old, runs, late, Rest::Stays),
        ("after the lock", Upgrade, Due, LOCKED + Duration::SECOND, runs, soon, Rest::Stays),
        ("held for another reason", Upgrade, Held, recent, runs, soon, Rest::MayBeThere),
        ("suspended", Upgrade, Due, recent, (false, None), soon, Rest::MayBeThere),
        ("ended before", Upgrade, Due, recent, ended, soon, Rest::MayBeThere),
        ("on its way", Upgrade, Sending, old, runs, soon, Rest::InDoubt),
        ("a renewal written anew", Renewal, Due, LOCKED + Duration::SECOND, runs, soon, Rest::MayBeThere),
        ("a renewal written anew, held", Renewal, Held, LOCKED + Duration::DAY, runs, soon, Rest::MayBeThere),
        ("the same before the lock", Renewal, Due, recent, runs, soon, Rest::MayBeThere),
        ("a renewal that the sums do not show", Renewal, Due, recent, runs, late, Rest::Stays),
        ("waits for a person", Upgrade, Unknown, old, runs, soon, Rest::Stays),
    ];
    for (name, reason, state, from, standing, now, expected) in table {
        let restored = Restored { locked_at: LOCKED, now };
        assert_eq!(decide_rest(&charge(reason, state, from), standing, |_| false, restored), expected, "{name}");
    }
    let restored = Restored { locked_at: LOCKED, now: soon };
    let taken = decide_rest(&charge(Upgrade, Due, recent), runs, |_| true, restored);
    assert_eq!(taken, Rest::MayBeThere, "another charge has its hour");
}
