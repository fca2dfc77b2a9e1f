use proptest::prelude::*;
use time::macros::{date, datetime};
use uuid::Uuid;

use super::*;
use crate::domain::{
    money::{Currency, QuantityDecimals},
    subscription::{Party, Snapshot},
    testing::example_catalog,
    time::TermUnit,
};

fn purchase(status: MicrosoftStatus, term: Option<Term>, unit: &str) -> Subscription {
    let party = Party { tenant_id: Some(Uuid::nil()), object_id: Some(Uuid::nil()), email: String::new() };
    let snapshot = Snapshot {
        id: Uuid::nil(),
        offer_id: "konnekt".into(),
        plan_id: "konnekt-yearly".into(),
        name: String::new(),
        status,
        beneficiary: party.clone(),
        purchaser: party,
        term_unit: Some(TermUnit::new(unit)),
        term,
        auto_renew: true,
        update_allowed: true,
        is_test: false,
        quantity: None,
    };
    Subscription::new(snapshot, datetime!(2026-01-15 10:00 UTC))
}

fn order(users: u32) -> Order {
    Order {
        users: Some(users),
        extras: Vec::new(),
        organisation: "Contoso GmbH".into(),
        buyer_name: String::new(),
        buyer_email: String::new(),
        technical_contact: String::new(),
        language: String::new(),
    }
}

fn frozen(
    subscription: &Subscription,
    users: u32,
    trial_days: u32,
    now: OffsetDateTime,
) -> Result<FrozenQuote, OrderRefused> {
    let catalog = example_catalog();
    let (_, plan) = catalog.plans_named("konnekt-yearly").next().unwrap();
    let list = plan.list_prices(Currency::EUR).unwrap().clone();
    let prices = TodaysPrices { list, source: PriceSource::Microsoft };
    let basis = Basis { subscription, plan, prices: Some(&prices), trial_days, catalog_version: &catalog.version, now };
    freeze(basis, order(users))
}

const NOW: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);

#[test]
fn a_pending_purchase_is_estimated_and_a_running_one_is_not() {
    let pending = purchase(MicrosoftStatus::PendingFulfillmentStart, None, "P1Y");
    let quote = frozen(&pending, 150, 30, NOW).unwrap();
    assert!(quote.estimated);
    assert_eq!(quote.first.term.end, date!(2027 - 01 - 14));
    let term = Term::new(date!(2026 - 01 - 05), date!(2027 - 01 - 04)).unwrap();
    let running = purchase(MicrosoftStatus::Subscribed, Some(term), "P1Y");
    let quote = frozen(&running, 150, 30, NOW).unwrap();
    assert!(!quote.estimated);
    assert_eq!((quote.first.part.days, quote.first.part.of_days), (325, 365));
}

#[test]
fn a_term_of_unknown_length_cannot_be_estimated() {
    let pending = purchase(MicrosoftStatus::PendingFulfillmentStart, None, "PAY");
    assert_eq!(frozen(&pending, 150, 0, NOW), Err(OrderRefused::UnknownTerm("PAY".into())));
}

#[test]
fn the_same_order_may_be_submitted_until_something_differs() {
    let subscription = purchase(MicrosoftStatus::PendingFulfillmentStart, None, "P1Y");
    let shown = frozen(&subscription, 150, 30, NOW).unwrap();
    let again = |subscription: &Subscription, trial, now| frozen(subscription, 150, trial, now).unwrap();
    let newer = Subscription { version: 2, ..subscription.clone() };
    let table = [
        ("some minutes later", again(&subscription, 30, NOW + Duration::minutes(20)), true),
        ("the next UTC day", again(&subscription, 30, NOW + Duration::hours(14)), false),
        ("without the trial", again(&subscription, 0, NOW), false),
        ("a changed subscription", again(&newer, 30, NOW), false),
        ("other users", frozen(&subscription, 151, 30, NOW).unwrap(), false),
    ];
    for (name, fresh, same) in table {
        assert_eq!(shown.promises_the_same_as(&fresh), same, "{name}");
    }
    let mut dearer = again(&subscription, 30, NOW);
    if let Some(prices) = &mut dearer.prices {
        prices.list.prices.insert("konnekt-10000-base".into(), "45900.01".parse().unwrap());
    }
    assert!(!shown.promises_the_same_as(&dearer), "any price of the plan counts");
}

#[test]
fn a_frozen_quote_keeps_the_decimals_that_it_was_frozen_with() {
    let subscription = purchase(MicrosoftStatus::PendingFulfillmentStart, None, "P1Y");
    let quantities = |lines: Vec<Line>| lines.iter().map(|line| line.quantity.to_string()).collect::<Vec<_>>();
    let six = frozen(&subscription, 150, 30, NOW).unwrap();
    let two = FrozenQuote { first: six.first.cut_to(QuantityDecimals::new(2).unwrap()), ..six.clone() };
    let term = Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)).unwrap();
    for (quote, expected) in [(&six, ["0.917808", "114.726027"]), (&two, ["0.91", "114.72"])] {
        assert_eq!(quantities(quote.charged_lines().unwrap()), expected);
        let (first, charged) = quote.at_activation(term, NOW).unwrap();
        assert_eq!(quantities(charged), expected);
        assert_eq!(first.quantity_decimals, quote.first.quantity_decimals);
    }
    assert!(!two.promises_the_same_as(&six), "what is different now is shown first");
    let mut older = serde_json::to_value(&six).unwrap();
    older["first"].as_object_mut().unwrap().remove("quantity_decimals");
    assert_eq!(serde_json::from_value::<FrozenQuote>(older).unwrap(), six, "frozen before the setting was there");
}

proptest! {
    /// Whatever dates Microsoft gives in the end: no line is higher than what was shown, and lines and sum agree.
    #[test]
    fn nothing_higher_than_what_was_shown_is_ever_charged(
        users in 25_u32..20_000,
        trial in 0_u32..100,
        shift in -40_i64..40,
        length in 1_i64..800,
        hours in 0_i64..2_000,
    ) {
        let subscription = purchase(MicrosoftStatus::PendingFulfillmentStart, None, "P1Y");
        let shown = frozen(&subscription, users, trial, NOW).unwrap();
        let start = NOW.date() + Duration::days(shift);
        let term = Term::new(start, start + Duration::days(length - 1)).unwrap();
        let (_, charged) = shown.at_activation(term, NOW + Duration::hours(hours)).unwrap();
        let promised = shown.charged_lines().unwrap();
        prop_assert_eq!(charged.len(), promised.len());
        for (charged, promised) in charged.iter().zip(&promised) {
            prop_assert!(charged.amount.minor <= promised.amount.minor);
            let again = Amount::of_line(charged.quantity, charged.unit_price, charged.amount.currency).unwrap();
            prop_assert_eq!(again, charged.amount);
        }
    }
}
