use proptest::prelude::*;
use time::{
    Duration,
    macros::{date, datetime},
};
use uuid::uuid;

use super::*;
use crate::domain::{
    policy::{Identity, PERSONAL_ACCOUNTS},
    staff::{Member, Roles},
    testing::example_catalog,
};

const NOW: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);
const CONTOSO: Uuid = uuid!("3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44");
const REASON: &str = "asked for at the fair";

fn member(object: u128, roles: &str) -> Actor {
    Actor::Member(Member {
        id: Uuid::from_u128(object),
        identity: Identity { tenant_id: CONTOSO, object_id: Uuid::from_u128(object) },
        name: "Mira Sales".to_owned(),
        email: "mira.sales@publisher.example".to_owned(),
        roles: Roles::from_words(roles.split(' ')),
        signed_in_at: NOW,
    })
}

fn operator(name: &str) -> Actor {
    Actor::Operator { name: name.to_owned() }
}

fn program() -> Actor {
    Actor::Program { key_id: Uuid::from_u128(7), name: "CRM".to_owned() }
}

fn konnekt() -> std::sync::Arc<Plan> {
    let catalog = example_catalog();
    let (_, plan) = catalog.plans_named("konnekt-yearly").next().unwrap();
    std::sync::Arc::clone(plan)
}

fn grant(kind: Kind, days: u32, users: Option<u32>) -> TrialGrant {
    let license = (kind == Kind::OffMarket).then(|| TrialLicense {
        license_id: format!("lic_{days}"),
        seq: 1,
        key: "eyJ".to_owned(),
        ends_at: trial_end(NOW, days),
    });
    TrialGrant {
        id: Uuid::from_u128(days.into()),
        kind,
        offer_id: "konnekt".to_owned(),
        plan_id: "konnekt-yearly".to_owned(),
        trial_group: "konnekt".to_owned(),
        tenant_id: Some(CONTOSO),
        domain: None,
        contact: Contact::default(),
        extends: None,
        subscription_id: None,
        days,
        users,
        reason: REASON.to_owned(),
        state: State::Open,
        granted_by: Granter::of(&operator("Mira Sales")),
        granted_at: NOW,
        expires_at: NOW + Duration::days(30),
        opened_at: Some(NOW),
        used_at: None,
        taken_back: None,
        license,
        version: 1,
    }
}

fn wish(plan: &Plan) -> Wish<'_> {
    Wish {
        kind: Kind::Ahead,
        plan,
        tenant_id: Some(CONTOSO),
        days: 60,
        days_before: 0,
        users: 150,
        offer_days: 30,
        reason: REASON,
    }
}

#[test]
fn limits_and_refusals() {
    use State::{Open, Proposed};
    let plan = konnekt();
    let mut flat = (*plan).clone();
    flat.model = crate::domain::catalog::Model::Flat;
    let base = wish(&plan);
    let table = [
        ("a common one", base, Ok(Open)),
        ("the most of one person", Wish { days: 90, users: 1_000, ..base }, Ok(Open)),
        ("a day more", Wish { days: 91, ..base }, Ok(Proposed)),
        ("a user more", Wish { users: 1_001, ..base }, Ok(Proposed)),
        ("added up", Wish { kind: Kind::Extension, days: 60, days_before: 31, ..base }, Ok(Proposed)),
        ("a year", Wish { days: 365, ..base }, Ok(Proposed)),
        ("more than a year", Wish { days: 366, ..base }, Err(TrialRefused::Days(366))),
        ("no day", Wish { days: 0, ..base }, Err(TrialRefused::Days(0))),
        ("no day to decide", Wish { offer_days: 0, ..base }, Err(TrialRefused::OfferDays(0))),
        ("half a year to decide", Wish { offer_days: 181, ..base }, Err(TrialRefused::OfferDays(181))),
        ("few users", Wish { users: 24, ..base }, Err(TrialRefused::TooFew(25))),
        ("few users that are there already", Wish { kind: Kind::Extension, users: 24, ..base }, Ok(Open)),
        ("no reason", Wish { reason: " because.. ", ..base }, Err(TrialRefused::Reason)),
        ("everybody", Wish { tenant_id: Some(PERSONAL_ACCOUNTS), ..base }, Err(TrialRefused::PersonalAccounts)),
        ("nobody known yet", Wish { kind: Kind::OffMarket, tenant_id: None, ..base }, Ok(Open)),
        ("seats of Microsoft's", Wish { plan: &flat, ..base }, Err(TrialRefused::NotMetered(plan.name.clone()))),
    ];
    for (name, wish, expected) in table {
        assert_eq!(check_wish(&operator("Mira Sales"), wish), expected, "{name}");
        assert_eq!(check_wish(&program(), wish), expected, "{name}, by a program");
        assert_eq!(check_wish(&member(1, "Sales"), wish), expected, "{name}, by sales");
        assert_eq!(check_wish(&member(1, "Finance Support"), wish), Err(TrialRefused::NotSales), "{name}, by others");
    }
}

#[test]
fn a_second_person_is_another_one() {
    let proposed = |actor: &Actor| TrialGrant {
        state: State::Proposed,
        granted_by: Granter::of(actor),
        ..grant(Kind::Ahead, 120, None)
    };
    let (mira, ada, jo) = (member(1, "Sales"), member(2, "Admin"), operator("Jo Brandt"));
    let table = [
        ("sales, by an admin of the same name", &mira, &ada, Ok(())),
        ("two of one name", &mira, &member(3, "Sales"), Ok(())),
        ("the same", &mira, &member(1, "Admin"), Err(TrialRefused::SamePerson)),
        ("the same at the command line", &mira, &operator(" mira  SALES "), Err(TrialRefused::SamePerson)),
        ("the same two times there", &jo, &operator("jo brandt"), Err(TrialRefused::SamePerson)),
        ("another one there", &jo, &operator("Kim"), Ok(())),
        ("support", &jo, &member(4, "Support"), Err(TrialRefused::NotSales)),
        ("a program", &jo, &program(), Err(TrialRefused::Program)),
        ("a program's, by sales", &program(), &mira, Ok(())),
    ];
    for (name, granter, approver, expected) in table {
        assert_eq!(check_approver(&proposed(granter), approver), expected, "{name}");
    }
    let open = grant(Kind::Ahead, 60, None);
    assert_eq!(check_approver(&open, &operator("Kim")), Err(TrialRefused::NotProposed("open")));
}

#[test]
fn a_grant_is_taken_back_until_it_is_used() {
    let taken_back = || TakenBack { at: NOW, by: "operator:Jo".to_owned(), reason: REASON.to_owned() };
    for (state, possible) in
        [(State::Proposed, true), (State::Open, true), (State::Used, false), (State::Revoked, false)]
    {
        let mut one = TrialGrant { state, ..grant(Kind::Ahead, 60, None) };
        assert_eq!(one.take_back(taken_back()).is_ok(), possible, "{state:?}");
        assert_eq!(one.standing(NOW) == Standing::Revoked, possible || state == State::Revoked, "{state:?}");
    }
    let open = grant(Kind::Ahead, 60, None);
    assert_eq!(open.standing(open.expires_at - Duration::SECOND), Standing::Open);
    assert_eq!(open.standing(open.expires_at), Standing::Expired);
    let used = TrialGrant { state: State::Used, ..open };
    assert_eq!(used.standing(used.expires_at), Standing::Used);
}

fn order(plan: &Plan, users: u32) -> OrderedPlan<'_> {
    OrderedPlan { offer_id: "konnekt", plan, users }
}

#[test]
fn an_order_gets_the_longest_and_never_the_sum() {
    let plan = konnekt();
    let ids = |ids: &[u128]| ids.iter().map(|id| Uuid::from_u128(*id)).collect::<Vec<_>>();
    let (short, long, small) =
        (grant(Kind::Ahead, 10, None), grant(Kind::Ahead, 60, None), grant(Kind::Ahead, 90, Some(100)));
    let key = grant(Kind::OffMarket, 14, Some(50));
    let elsewhere = TrialGrant { plan_id: "konnekt-monthly".to_owned(), ..grant(Kind::Ahead, 77, None) };
    let foreign = TrialGrant { offer_id: "radius".to_owned(), ..grant(Kind::OffMarket, 70, None) };
    let revoked = TrialGrant { state: State::Revoked, ..grant(Kind::Ahead, 80, None) };
    let late = TrialGrant { expires_at: NOW, ..grant(Kind::Ahead, 81, None) };
    let useless = [elsewhere, foreign, revoked, late];
    let table = [
        ("nothing granted", vec![], 30, 150, (30, ids(&[]))),
        ("less than the default trial is used up with it", vec![short.clone()], 30, 150, (30, ids(&[10]))),
        ("less, not for the first time", vec![short.clone()], 0, 150, (10, ids(&[10]))),
        ("the longest of two", vec![short.clone(), long.clone()], 30, 150, (60, ids(&[60]))),
        ("for fewer users", vec![small.clone(), long.clone()], 0, 101, (60, ids(&[60]))),
        ("for so many users", vec![small, long.clone()], 0, 100, (90, ids(&[90]))),
        ("a key", vec![key.clone()], 0, 150, (14, ids(&[14]))),
        ("a key beside a longer trial", vec![key, long], 0, 150, (60, ids(&[60, 14]))),
    ];
    for (name, grants, default_days, users, (days, used)) in table {
        let grants: Vec<TrialGrant> = grants.into_iter().chain(useless.clone()).collect();
        let found = decide_trial(&grants, order(&plan, users), default_days, NOW);
        assert_eq!(found, TrialOfOrder { days, grants: used }, "{name}");
    }
}

#[test]
fn the_days_that_are_left_of_a_key() {
    let plan = konnekt();
    let key = [grant(Kind::OffMarket, 14, None)];
    assert_eq!(key[0].license.as_ref().unwrap().ends_at, datetime!(2026-01-29 0:00 UTC));
    let table = [
        (NOW, 14),
        (datetime!(2026-01-15 23:59 UTC), 14),
        (datetime!(2026-01-16 0:00 UTC), 13),
        (datetime!(2026-01-28 23:59 UTC), 1),
        (datetime!(2026-01-29 0:00 UTC), 0),
        (datetime!(2026-03-01 0:00 UTC), 0),
    ];
    for (now, days) in table {
        // The license goes on also when nothing is left.
        let found = decide_trial(&key, order(&plan, 150), 0, now);
        assert_eq!(found, TrialOfOrder { days, grants: vec![key[0].id] }, "{now}");
    }
}

#[test]
fn reminders_come_once_before_an_end() {
    let key = grant(Kind::OffMarket, 14, None);
    let end = datetime!(2026-01-29 0:00 UTC);
    let days = |count| Duration::days(count);
    let notice = |days| Some(TrialNotice::KeyEnds { days });
    let table = [
        (end - days(7) - Duration::SECOND, None),
        (end - days(7), notice(7)),
        (end - days(1) - Duration::SECOND, notice(7)),
        (end - days(1), notice(1)),
        (end, None),
    ];
    for (now, expected) in table {
        assert_eq!(due_trial_notice(&key, now), expected, "{now}");
    }
    // A key of less than a week is not announced in the moment in which it comes.
    let short = grant(Kind::OffMarket, 5, None);
    assert_eq!(due_trial_notice(&short, NOW), None);
    assert_eq!(next_trial_appointment(&short, days(30), NOW), Some(datetime!(2026-01-19 0:00 UTC)));
    let offer = grant(Kind::Ahead, 60, None);
    assert_eq!(due_trial_notice(&offer, offer.expires_at - days(7)), Some(TrialNotice::OfferEnds { days: 7 }));
    let used = TrialGrant { state: State::Used, subscription_id: Some(CONTOSO), ..offer.clone() };
    assert_eq!(next_trial_appointment(&used, days(30), NOW), None);
    let erased = trial_erasure_due(&offer, days(30)).unwrap();
    assert_eq!(erased, offer.expires_at + days(30));
    assert_eq!(next_trial_appointment(&offer, days(30), erased), None, "after the erasure nothing is left to do");
}

proptest! {
    /// Whatever is granted, an order gets as many days as the longest of what it uses, and only what is its own.
    #[test]
    fn days_come_from_one_source(
        all in prop::collection::vec((0_u8..3, 1_u32..365, prop::option::of(25_u32..2_000), 0_u8..4, 0_i64..60), 0..8),
        default_days in 0_u32..60,
        users in 25_u32..2_000,
        later in 0_i64..400,
    ) {
        let plan = konnekt();
        let now = NOW + Duration::days(later);
        let grants: Vec<TrialGrant> = all.iter().enumerate().map(|(index, (kind, days, most, state, offer_days))| {
            let kind = [Kind::Ahead, Kind::OffMarket, Kind::Extension][usize::from(*kind)];
            let state = [State::Proposed, State::Open, State::Used, State::Revoked][usize::from(*state)];
            let expires_at = NOW + Duration::days(*offer_days);
            TrialGrant { id: Uuid::from_u128(index as u128), state, expires_at, ..grant(kind, *days, *most) }
        }).collect();
        let found = decide_trial(&grants, order(&plan, users), default_days, now);
        let used: Vec<&TrialGrant> = grants.iter().filter(|one| found.grants.contains(&one.id)).collect();
        prop_assert_eq!(used.len(), found.grants.len());
        prop_assert!(used.iter().all(|one| one.state == State::Open && one.kind != Kind::Extension));
        prop_assert!(used.iter().filter(|one| one.kind == Kind::Ahead).count() <= 1);
        prop_assert!(used.iter().filter(|one| one.kind == Kind::OffMarket).count() <= 1);
        for one in used.iter().filter(|one| one.kind == Kind::Ahead) {
            prop_assert!(one.expires_at > now && one.users.is_none_or(|most| users <= most));
        }
        let today = now.date();
        let longest = used.iter().map(|one| one.days_on(today)).chain([default_days]).max().unwrap();
        prop_assert_eq!(found.days, longest);
    }
}

#[test]
fn the_end_of_a_trial_is_the_end_of_a_day() {
    assert_eq!(trial_end(NOW, 1), datetime!(2026-01-16 0:00 UTC));
    assert_eq!(utc_day(trial_end(NOW, 365) - Duration::SECOND), date!(2027 - 01 - 14));
}
