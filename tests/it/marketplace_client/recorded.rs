//! Real traffic of 2021 and 2024, read by the real client.

use seatkey::domain::{
    money::UnitPrice,
    subscription::{MicrosoftStatus, Snapshot},
    time::{Term, TermUnit},
};
use time::macros::date;
use uuid::{Uuid, uuid};

use super::replay::Replay;

const LISTING: &str = include_str!("../../fixtures/recorded/list-subscriptions-first-page-excerpt.json");
const PLANS: &str = include_str!("../../fixtures/recorded/list-available-plans.json");
const RESOLVE: &str = include_str!("../../fixtures/recorded/resolve.json");
const CHANGE: &str = include_str!("../../fixtures/recorded/change-plan-and-operation.json");
const PURCHASE_TOKEN: &str = "2FnFznEDcwKdPBXWJ/3Lm+3pZHkfYAgDLE8g7Msv2kQ1Z5P9x8Ddtq4ST4VV8PauQjkTaUpH74IclbSNexpiD9jdickD4U2waJ0KatdID8UdS6/xOvIlu5H7uawLWQUnzLCvNa0BNBR2VOGStPaC6PUG0RI/tqfwooiCH4OgYc5zRNC9qZAB3BBf4L9JpFGJRa6H2cnEcdwi/ZRN89u87w==";

/// One row of the listing in short: plan, status, term, seats.
fn row(snapshot: &Snapshot) -> (&str, &str, Option<Term>, Option<u32>) {
    (snapshot.plan_id.as_str(), snapshot.status.as_str(), snapshot.term, snapshot.quantity)
}

#[tokio::test]
async fn every_row_of_the_listing_is_read() {
    let replay = Replay::of(LISTING);
    let answer = replay.client.list_subscriptions(None).await.unwrap();
    let rows: Vec<_> = answer.value.subscriptions.iter().map(row).collect();
    let (ended, active, new) = ("Unsubscribed", "Subscribed", "PendingFulfillmentStart");
    let term = |start, end| Some(Term::new(start, end).unwrap());
    let expected = [
        ("basic", ended, term(date!(2019 - 09 - 24), date!(2019 - 10 - 23)), None),
        ("silver", active, term(date!(2021 - 03 - 07), date!(2021 - 04 - 06)), None),
        ("platinum", ended, None, None),
        ("advanced-annual-only", ended, term(date!(2020 - 09 - 22), date!(2021 - 09 - 21)), None),
        ("unlimited-basic", ended, None, Some(211)),
        ("standard", ended, term(date!(2021 - 01 - 06), date!(2021 - 02 - 05)), Some(100)),
        ("silver", new, None, None),
    ];
    assert_eq!(rows, expected);
    let token = r#"[{"token":null,"range":{"min":"05C1C9CD673398","max":"05C1D9CD673398"}}]"#;
    assert_eq!(answer.value.continuation.as_deref(), Some(token));
    assert_eq!(answer.request_id, "3f26c96d-3a6b-4b14-b905-4e84de5d2e32");
    assert_eq!(answer.correlation_id, "3f26c96d-3a6b-4b14-b905-4e84de5d2e32");
    replay.finish().await;
}

#[tokio::test]
async fn a_row_is_read_to_its_last_field() {
    let replay = Replay::of(LISTING);
    let page = replay.client.list_subscriptions(None).await.unwrap().value;
    let yearly = &page.subscriptions[3];
    assert_eq!(yearly.id, uuid!("297c5d98-e11d-602e-bd91-a7146e2e2ae2"));
    assert_eq!((yearly.offer_id.as_str(), yearly.name.as_str()), ("scs-saas-mixing-preview", "scs advanced annual"));
    assert_eq!(yearly.term_unit, Some(TermUnit::new("P1Y")));
    assert_eq!(yearly.beneficiary, yearly.purchaser);
    assert_eq!(yearly.beneficiary.email, "buyer3@contoso.example");
    assert_eq!(yearly.beneficiary.object_id, Some(uuid!("6235cdca-adb1-4a47-b82f-98e8c4f5b213")));
    assert_eq!(yearly.beneficiary.tenant_id, Some(uuid!("72f988bf-86f1-41af-91ab-2d7cd011db47")));
    assert!(yearly.auto_renew && yearly.update_allowed, "both are in the record");
    assert!(page.subscriptions.iter().all(|row| row.is_test), "every recorded offer is a preview");
    assert!(page.subscriptions.iter().all(|row| !row.is_reseller_deal()));
    replay.finish().await;
}

#[tokio::test]
async fn a_purchase_token_is_resolved() {
    let replay = Replay::of(RESOLVE);
    let answer = replay.client.resolve(&PURCHASE_TOKEN.to_owned().into()).await.unwrap();
    let snapshot = answer.value;
    assert_eq!(snapshot.id, uuid!("b8d6908b-0058-413a-cd62-b6761cf31997"));
    assert_eq!((snapshot.name.as_str(), snapshot.offer_id.as_str()), ("sb-2023134", "sb-test-preview"));
    assert_eq!(snapshot.status, MicrosoftStatus::Subscribed);
    assert_eq!(snapshot.term, Term::new(date!(2024 - 01 - 14), date!(2024 - 02 - 13)));
    assert_eq!(snapshot.quantity, None, "a flat-rate plan has none");
    assert_eq!(answer.request_id, "d7891dd7-bc3c-49fc-b847-9d10b0e65278");
    replay.finish().await;
}

#[tokio::test]
async fn plans_and_their_prices_are_read() {
    let replay = Replay::of(PLANS);
    let id = uuid!("71e76a10-6e31-54c3-3715-79b62121f712");
    let plans = replay.client.list_available_plans(id, None).await.unwrap().value;
    let rows: Vec<_> = plans
        .iter()
        .map(|plan| (plan.plan_id.as_str(), plan.is_stop_sell, plan.prices.as_ref().map(|list| list.prices.len())))
        .collect();
    let expected = [
        ("base", false, Some(1)),
        ("silver", false, Some(2)),
        ("gold", false, Some(1)),
        ("platinum", false, None),
        ("public", false, None),
        ("annualplan", true, Some(4)),
    ];
    assert_eq!(rows, expected);
    let zero: UnitPrice = "0".parse().unwrap();
    let prices: Vec<_> = plans.iter().filter_map(|plan| plan.prices.as_ref()).collect();
    assert!(
        prices.iter().all(|list| list.currency.code() == "USD" && list.prices.values().all(|found| *found == zero))
    );
    assert!(plans.iter().all(|plan| plan.market.as_deref() == Some("US") && !plan.is_private_deal));
    replay.finish().await;
}

#[tokio::test]
async fn fractional_prices_keep_every_digit() {
    let table = [
        ("0.0", "0"),
        ("0.1", "0.1"),
        ("12.3400", "12.34"),
        ("0.000001", "0.000001"),
        ("1E-05", "0.00001"),
        ("1e2", "100"),
        ("123456.789012", "123456.789012"),
        (r#""7.50""#, "7.50"),
    ];
    for (written, price) in table {
        let body = format!(
            r#"{{"plans":[{{"planId":"p","planComponents":{{"meteringDimensions":[{{"id":"d","currency":"EUR","pricePerUnit":{written}}}]}}}}]}}"#
        );
        let replay = Replay::of_answer(
            &format!("/saas/subscriptions/{}/listAvailablePlans?api-version=2018-08-31", Uuid::nil()),
            &body,
        );
        let plans = replay.client.list_available_plans(Uuid::nil(), None).await.unwrap().value;
        let expected: UnitPrice = price.parse().unwrap();
        assert_eq!(plans[0].prices.as_ref().unwrap().prices["d"], expected, "{written}");
        replay.finish().await;
    }
}

#[tokio::test]
async fn a_change_of_plan_gives_its_operation() {
    let replay = Replay::of(CHANGE);
    let id = uuid!("de8efdae-6fa2-47ba-7903-3ccda226f82f");
    let pending = replay.client.change_plan(id, "gold").await.unwrap();
    assert_eq!(pending.value.operation_id, "38db241d-1777-43b5-ab7d-4bfbcd391b54");
    assert_eq!(pending.request_id, pending.value.operation_id, "as recorded");
    let operation = replay.client.get_operation(id, &pending.value.operation_id).await.unwrap().value;
    assert_eq!((operation.action.as_str(), operation.status.as_str()), ("ChangePlan", "NotStarted"));
    assert_eq!((operation.plan_id.as_deref(), operation.quantity()), (Some("gold"), None));
    assert_eq!(operation.subscription_id, Some(id));
    replay.finish().await;
}

#[tokio::test]
async fn without_its_header_the_operation_is_in_the_address() {
    let replay = Replay::of(&CHANGE.replace("\"Operation-Id\"", "\"Other-Id\""));
    let id = uuid!("de8efdae-6fa2-47ba-7903-3ccda226f82f");
    let pending = replay.client.change_plan(id, "gold").await.unwrap().value;
    assert_eq!(pending.operation_id, "38db241d-1777-43b5-ab7d-4bfbcd391b54");
    replay.client.get_operation(id, &pending.operation_id).await.unwrap();
    replay.finish().await;
}

#[tokio::test]
async fn a_request_that_differs_from_the_recorded_one_is_noticed() {
    let replay = Replay::of(CHANGE);
    let id = uuid!("de8efdae-6fa2-47ba-7903-3ccda226f82f");
    replay.client.change_plan(id, "silver").await.unwrap();
    replay.client.get_operation(id, "38db241d-1777-43b5-ab7d-4bfbcd391b54").await.unwrap();
    let finished = tokio::spawn(replay.finish()).await;
    assert!(finished.is_err(), "the body was another");
}

/// Documented oddities: null, empty text, blanks, dates without a zone or a time, words of later years.
#[tokio::test]
async fn odd_rows_are_read_leniently() {
    let odd = r#"{"subscriptions":[{"id":"00000000-0000-0000-0000-000000000001","saasSubscriptionStatus":" Subscribed ",
        "quantity":"","beneficiary":{"emailId":" a@b.example ","objectId":"","tenantId":null,"puid":null},"purchaser":null,
        "term":{"startDate":"2026-01-15","endDate":"2027-01-14T00:00:00","termUnit":"PAY","chargeDuration":null},
        "allowedCustomerOperations":["Read"],"sandboxType":null,"lastModified":"0001-01-01T00:00:00","unheardOf":{}},
        {"id":"00000000-0000-0000-0000-000000000002","saasSubscriptionStatus":"Frozen","quantity":"20","term":null,
        "created":"yesterday"},
        {"id":"00000000-0000-0000-0000-000000000003","quantity":null,"autoRenew":false,"sessionMode":"DryRun",
        "term":{"startDate":"0001-01-01T00:00:00","endDate":"0001-01-01T00:00:00","termUnit":"P18M"}}],"@nextLink":""}"#;
    let replay = Replay::of_answer("/saas/subscriptions/?api-version=2018-08-31", odd);
    let page = replay.client.list_subscriptions(None).await.unwrap().value;
    let [first, second, third] = page.subscriptions.as_slice() else { panic!("three rows: {page:?}") };
    assert_eq!((first.status.as_str(), first.quantity), ("Subscribed", None));
    assert_eq!(first.term, Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)));
    assert_eq!((first.beneficiary.email.as_str(), first.beneficiary.object_id), ("a@b.example", None));
    assert!(!first.update_allowed, "Read alone: the reseller changes it");
    assert_eq!((second.status.as_str(), second.quantity, second.term), ("Frozen", Some(20), None));
    assert!(third.is_test && !third.auto_renew);
    assert_eq!((third.term_unit.clone(), third.term), (Some(TermUnit::new("P18M")), None), "the year 1 is no date");
    assert_eq!(page.continuation, None, "an empty link is the end");
    replay.finish().await;
}

#[tokio::test]
async fn null_in_place_of_a_list_is_an_empty_list() {
    let replay = Replay::of_answer("/saas/subscriptions/?api-version=2018-08-31", r#"{"subscriptions":null}"#);
    assert!(replay.client.list_subscriptions(None).await.unwrap().value.subscriptions.is_empty());
    replay.finish().await;
    let path = format!("/saas/subscriptions/{}/listAvailablePlans?api-version=2018-08-31", Uuid::nil());
    let body = r#"{"plans":[{"planId":"p","planComponents":{"meteringDimensions":null},"sourceOffers":null}]}"#;
    let replay = Replay::of_answer(&path, body);
    let plans = replay.client.list_available_plans(Uuid::nil(), None).await.unwrap().value;
    assert!(plans[0].prices.is_none() && !plans[0].is_private_deal);
    replay.finish().await;
}
