//! The examples of `product.md` §4, in words.

use time::macros::{date, datetime};

use super::*;
use crate::domain::{
    charge::LicenseAfterEnd,
    proration::Part,
    subscription::{Enrolled, MicrosoftStatus, Party, Snapshot},
    testing::example_catalog,
    time::Term,
};

const START: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);
const TRIAL_OVER: OffsetDateTime = datetime!(2026-02-14 00:00 UTC);
const JULY: OffsetDateTime = datetime!(2026-07-01 09:24 UTC);

fn subscription() -> Subscription {
    let microsoft = Snapshot {
        id: Uuid::nil(),
        offer_id: "konnekt".into(),
        plan_id: "konnekt-yearly".into(),
        name: "konnekt-prod".into(),
        status: MicrosoftStatus::Subscribed,
        beneficiary: Party::default(),
        purchaser: Party::default(),
        term_unit: None,
        term: None,
        auto_renew: true,
        update_allowed: true,
        is_test: false,
        quantity: None,
    };
    let enrolled = Enrolled { enrolled_at: START, activated_at: START };
    Subscription {
        stage: Stage::Active(enrolled),
        users: Some(150),
        term: Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)),
        trial_end: Some(date!(2026 - 02 - 13)),
        grace_end: Some(datetime!(2026-01-18 10:12 UTC)),
        ..Subscription::new(microsoft, START)
    }
}

/// A charge of KONNEKT, of the first term unless its reason says otherwise.
fn charge(id: u128, reason: Reason, (dimension, millionths, price): (&str, i64, &str), days: u32) -> Charge {
    let quantity = Quantity::from_millionths(millionths).unwrap();
    let unit_price = price.parse().unwrap();
    let item = if dimension.ends_with("base") { "Base Fee" } else { "Additional Users" };
    Charge {
        id: Uuid::from_u128(id),
        cause_id: Uuid::nil(),
        reason,
        term_start: if reason == Reason::Renewal { date!(2027 - 01 - 15) } else { date!(2026 - 01 - 15) },
        plan_id: None,
        description: format!("KONNEKT 25 | {item}"),
        dimension: dimension.to_owned(),
        quantity,
        unit_price,
        amount: Amount::of_line(quantity, unit_price, Currency::EUR).unwrap(),
        reportable_from: TRIAL_OVER,
        users: Some(150),
        from_users: None,
        part: Some(Part { days, of_days: 365 }),
        state: State::Held,
        since: START,
    }
}

fn enrolment(state: State, since: OffsetDateTime) -> [Charge; 2] {
    let base = charge(1, Reason::Enrolment, ("konnekt-25-base", 917_808, "600"), 335);
    let user = charge(2, Reason::Enrolment, ("konnekt-25-user", 114_726_027, "12"), 335);
    [Charge { state, since, ..base }, Charge { state, since, ..user }]
}

fn upgrade(to: u32, figures: (&str, i64, &str)) -> Charge {
    let charge = charge(3, Reason::Upgrade, figures, 198);
    Charge { users: Some(to), from_users: Some(150), reportable_from: JULY, since: JULY, state: State::Due, ..charge }
}

fn sent(id: u128, at: OffsetDateTime) -> Sent {
    let slot = Slot { hour: crate::domain::usage::hour_of(at), effective_start: at };
    Sent { charge_id: Uuid::from_u128(id), slot, attempts: 1 }
}

fn bare(subscription: &Subscription) -> Facts<'_> {
    Facts {
        subscription,
        plan: None,
        plans: &[],
        charges: &[],
        sent: &[],
        adopted: &[],
        price_risen: &[],
        credits: &[],
        steps: &[],
        renewal: None,
        now: JULY,
    }
}

fn explained(subscription: &Subscription, charges: &[Charge], sent: &[Sent], now: OffsetDateTime) -> Explanation {
    let catalog = example_catalog();
    let plan = catalog.find_plan("konnekt", "konnekt-yearly").map(|(_, plan)| &**plan);
    explain(Facts { plan, charges, sent, now, ..bare(subscription) })
}

fn words_of(charge: Charge) -> String {
    explained(&subscription(), &[charge], &[], JULY).months[0].charges[0].words.clone()
}

#[test]
fn a_charge_is_told_with_everything_that_makes_its_amount() {
    let [base, user] = enrolment(State::Cancelled, START);
    let renewal = charge(4, Reason::Renewal, ("konnekt-25-base", 1_000_000, "600"), 365);
    let renewal = Charge { state: State::Due, ..renewal };
    let gone = Charge { dimension: "gone".to_owned(), part: None, ..user.clone() };
    let free = Charge { part: Some(Part { days: 0, of_days: 365 }), ..base.clone() };
    let again = Charge { reason: Reason::Correction, ..base.clone() };
    let table = [
        (
            upgrade(200, ("konnekt-25-user", 27_123_287, "12")),
            "50 more users from 1 July, 198 of 365 days, 27.123287 × 12.0000 EUR = 325.48 EUR",
        ),
        (
            upgrade(300, ("konnekt-250-user", 117_534_246, "7.20")),
            "150 more users from 1 July, 198 of 365 days, 117.534246 × 7.2000 EUR = 846.25 EUR (the difference of the two \
             full fees, counted in additional users of KONNEKT 250)",
        ),
        (base, "Base fee of KONNEKT 25 from 14 February, 335 of 365 days, 0.917808 × 600.0000 EUR = 550.68 EUR"),
        (
            user,
            "125 additional users of KONNEKT 25 from 14 February, 335 of 365 days, 114.726027 × 12.0000 EUR = 1,376.71 EUR",
        ),
        (
            renewal,
            "Base fee of KONNEKT 25 from 15 January 2027, a full term of 365 days, 1 × 600.0000 EUR = 600.00 EUR",
        ),
        (gone, "KONNEKT 25 | Additional Users, 114.726027 × 12.0000 EUR = 1,376.71 EUR"),
        (free, "Base fee of KONNEKT 25, none of 365 days, 0.917808 × 600.0000 EUR = 550.68 EUR"),
        (
            again,
            "Reported again: Base fee of KONNEKT 25 from 14 February, 335 of 365 days, 0.917808 × 600.0000 EUR = 550.68 EUR",
        ),
    ];
    for (charge, expected) in table {
        assert_eq!(words_of(charge), expected);
    }
}

#[test]
fn every_state_says_what_follows() {
    let late = datetime!(2026-01-31 23:30 UTC);
    let before = datetime!(2026-02-01 12:00 UTC);
    let table = [
        (
            State::Held,
            before,
            false,
            "Held until 13 February 2026; cancelled until then, it is never charged; then on the invoice of March 2026",
        ),
        (State::Held, JULY, true, "Held while the subscription is suspended; reported when it is reinstated"),
        (State::Due, JULY, false, "Being reported; on the invoice of August 2026"),
        (
            State::Sending,
            JULY,
            false,
            "Sent for the hour of 31 January 2026, 23:00 UTC; the answer is still to come; then on the invoice of February \
             2026",
        ),
        // The month is that of the hour, not of the answer.
        (
            State::Accepted,
            JULY,
            false,
            "Accepted by Microsoft on 1 February 2026, 00:05 UTC; on the invoice of February 2026",
        ),
        (
            State::Unknown,
            JULY,
            false,
            "Sent for the hour of 31 January 2026, 23:00 UTC; nobody knows whether it arrived, a person at the publisher \
             decides",
        ),
        (State::Cancelled, JULY, false, "Dropped on 1 February 2026, 00:05 UTC; never reported, never charged"),
    ];
    for (state, now, suspended, expected) in table {
        let mut subscription = subscription();
        if suspended {
            let enrolled = subscription.stage.enrolled().unwrap();
            subscription.stage = Stage::Suspended { enrolled, suspended_at: TRIAL_OVER };
        }
        let [charge, _] = enrolment(state, datetime!(2026-02-01 00:05 UTC));
        let told = explained(&subscription, &[charge], &[sent(1, late)], now);
        assert_eq!(told.months[0].charges[0].standing, expected);
    }
    for state in State::ALL {
        let [charge, _] = enrolment(state, TRIAL_OVER);
        let told = explained(&subscription(), &[charge], &[sent(1, late)], JULY);
        let billed = matches!(state, State::Held | State::Due | State::Sending | State::Accepted);
        assert_eq!(told.months[0].charges[0].invoice.is_some(), billed, "{state:?}");
    }
}

#[test]
fn the_lines_of_the_cost_details_add_up_to_the_invoice() {
    let [base, user] = enrolment(State::Accepted, TRIAL_OVER);
    let one = Charge { state: State::Accepted, ..upgrade(200, ("konnekt-25-user", 27_123_287, "12")) };
    let more = Charge { id: Uuid::from_u128(4), ..one.clone() };
    let held = Charge { id: Uuid::from_u128(5), state: State::Due, ..one.clone() };
    let lost = Charge { id: Uuid::from_u128(6), state: State::WrittenOff, ..one.clone() };
    let sent = [sent(1, TRIAL_OVER), sent(2, TRIAL_OVER), sent(3, JULY), sent(4, JULY)];
    let told = explained(&subscription(), &[base, user, one, more, held, lost], &sent, JULY);
    let shown = |amount: Option<Amount>| amount.map(|amount| amount.to_string()).unwrap_or_default();
    let months: Vec<_> = told.months.iter().map(|m| (m.first, m.invoice, shown(m.saas), shown(m.expected))).collect();
    assert_eq!(
        months,
        [
            (date!(2026 - 02 - 01), Some(date!(2026 - 03 - 01)), "1927.39".into(), String::new()),
            (date!(2026 - 07 - 01), Some(date!(2026 - 08 - 01)), "650.96".into(), "325.48".into()),
        ]
    );
    for month in &told.months {
        assert_eq!(sum(month.cost_details.iter().map(|line| line.amount)), month.saas);
    }
    let july = &told.months[1];
    assert_eq!(july.cost_details.len(), 1, "one line for each dimension");
    assert_eq!(july.cost_details[0].quantity.to_string(), "54.246574");
    let sums: Vec<_> = july.sums.iter().map(|sum| (sum.state, sum.count, shown(sum.amount))).collect();
    assert_eq!(
        sums,
        [
            (State::Due, 1, "325.48".into()),
            (State::Accepted, 2, "650.96".into()),
            (State::WrittenOff, 1, "325.48".into())
        ]
    );
}

#[test]
fn a_cancellation_says_what_it_drops_and_what_stays() {
    let more = || upgrade(200, ("konnekt-25-user", 27_123_287, "12"));
    let held_more = Charge { state: State::Held, reportable_from: TRIAL_OVER, ..more() };
    let [base, user] = enrolment(State::Accepted, TRIAL_OVER);
    let before = datetime!(2026-02-13 23:59 UTC);
    let table = [
        (
            enrolment(State::Held, START).to_vec(),
            before,
            LicenseAfterEnd::EndsAtOnce,
            "The 1,927.39 EUR that are held are dropped and never charged. You pay nothing.",
        ),
        (
            vec![base.clone(), user.clone(), held_more],
            before,
            LicenseAfterEnd::RunsOut { users_taken_back_to: Some(150) },
            "The 325.48 EUR that are held are dropped and never charged. Nothing more. The 1,927.39 EUR stay.",
        ),
        (
            vec![base, user, more()],
            JULY,
            LicenseAfterEnd::RunsOut { users_taken_back_to: None },
            "Nothing more. The 2,252.87 EUR stay.",
        ),
    ];
    for (charges, now, license, fees) in table {
        let ending = explained(&subscription(), &charges, &[], now).ending.unwrap();
        assert_eq!((ending.license, &*ending.fees_words()), (license, fees));
        let until = (license != LicenseAfterEnd::EndsAtOnce).then_some(date!(2027 - 01 - 14));
        assert_eq!(ending.runs_until, until);
    }
    let ended = Subscription { stage: Stage::Ended { enrolled: None, ended_at: JULY }, ..subscription() };
    assert_eq!(explained(&ended, &[], &[], JULY).ending, None);
}

#[test]
fn the_dates_are_told_in_order() {
    let points = |charges: &[Charge], now| -> Vec<String> {
        let told = explained(&subscription(), charges, &[], now);
        told.timeline.iter().map(|point| format!("{}: {} {}", point.when, point.kind.as_str(), point.words)).collect()
    };
    assert_eq!(
        points(&enrolment(State::Held, START), START),
        [
            "15 January 2026, 10:12 UTC: set_up In use from here on.",
            "18 January 2026, 10:12 UTC: grace_ends The grace period ends.",
            "13 February 2026: trial_ends The free trial ends.",
            "14 February 2026, 00:00 UTC: first_report The first fees are reported. Cancelling until then costs nothing.",
            "15 January 2027: renewal Renewal for another year with 150 users.",
        ]
    );
    let accepted = enrolment(State::Accepted, datetime!(2026-02-14 00:07 UTC));
    let told = points(&accepted, JULY);
    assert_eq!(
        told[3],
        "14 February 2026, 00:07 UTC: first_report The first fees were reported, and Microsoft accepted them."
    );
}

#[test]
fn a_resellers_customer_is_told_no_amount() {
    let mut subscription = subscription();
    subscription.microsoft.update_allowed = false;
    let [base, user] = enrolment(State::Accepted, TRIAL_OVER);
    let charges = [base, user, upgrade(200, ("konnekt-25-user", 27_123_287, "12"))];
    let told = explained(&subscription, &charges, &[], JULY);
    assert_eq!(
        told.months[1].charges[0].words,
        "50 more users from 1 July, 198 of 365 days, 27.123287 × KONNEKT 25 | Additional Users"
    );
    let json = serde_json::to_string(&ExplanationJson::new(&subscription, &told)).unwrap();
    for hidden in ["EUR\"", "325.48", "12.0000", "550.68", "1927.39", "1,927.39", "600.0000"] {
        let shown = json.replace("\"currency\":\"EUR\"", "");
        assert!(!shown.contains(hidden), "{hidden} is told: {json}");
    }
    assert!(told.ending.unwrap().fees_words().contains("What was reported stays"));
}

#[test]
fn a_test_is_on_no_invoice() {
    let mut subscription = subscription();
    subscription.microsoft.is_test = true;
    let told = explained(&subscription, &enrolment(State::Accepted, TRIAL_OVER), &[], JULY);
    assert_eq!((told.months[0].invoice, told.months[0].saas), (None, None));
    assert_eq!(told.months[0].cost_details, [], "nobody is billed");
    assert!(told.months[0].charges[0].standing.ends_with("a test, billed to nobody"));
}

#[test]
fn an_adopted_charge_is_of_the_month_in_which_microsoft_has_it() {
    let charges = enrolment(State::Accepted, JULY);
    let subscription = subscription();
    let adopted = [(charges[0].id, date!(2026 - 03 - 01))];
    let told = explain(Facts { charges: &charges, adopted: &adopted, ..bare(&subscription) });
    let months: Vec<Date> = told.months.iter().map(|month| month.first).collect();
    assert_eq!(months, [date!(2026 - 02 - 01), date!(2026 - 03 - 01)]);
    assert_eq!(told.months[1].charges[0].invoice, Some(date!(2026 - 04 - 01)));
}

#[test]
fn a_risen_price_is_not_on_its_way_to_an_invoice() {
    let charges = enrolment(State::Held, START);
    let subscription = subscription();
    let told = explain(Facts { charges: &charges, price_risen: &[charges[0].id], ..bare(&subscription) });
    let month = &told.months[0];
    assert_eq!(month.charges[0].standing, "Held; the price at Microsoft has risen, the publisher decides");
    assert_eq!((month.charges[0].invoice, month.expected), (None, Some(charges[1].amount)));
}

#[test]
fn a_charge_is_told_in_the_words_of_its_own_plan() {
    let catalog = example_catalog();
    let offer = catalog.find_offer("konnekt").unwrap();
    let mut subscription = subscription();
    subscription.microsoft.plan_id = "gone".into();
    let charges = enrolment(State::Accepted, START).map(|one| Charge { plan_id: Some("konnekt-yearly".into()), ..one });
    let told = explain(Facts { plans: &offer.plans, charges: &charges, ..bare(&subscription) });
    assert!(told.months[0].charges[0].words.starts_with("Base fee of KONNEKT 25"), "{told:?}");
}

#[test]
fn microsofts_id_is_found_in_its_words() {
    let id = "1f2e3d4c-5b6a-4978-8897-a6b5c4d3e2f1";
    for words in [format!("usage event {id}, request r1"), format!("already there as {id} with 5, request r1")] {
        assert_eq!(usage_event_id(&words), id.parse().ok());
    }
    assert_eq!(usage_event_id("usage event without id, request r1"), None);
}
