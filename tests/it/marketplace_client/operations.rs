//! The ten fulfillment operations against the simulator, and what each refusal is.

use std::collections::BTreeSet;

use seatkey::{
    clock::AdvanceableClock as _,
    domain::subscription::MicrosoftStatus,
    marketplace::{Fault, MarketplaceError},
    simulator::{App, Purchase},
};
use secrecy::{ExposeSecret as _, SecretString};
use time::Duration;
use uuid::Uuid;

use super::desk::Desk;
use crate::support::people::{ALEX, JO};

#[tokio::test]
async fn a_subscription_from_purchase_to_end() {
    let desk = Desk::open().await;
    let (client, id) = (&desk.client, desk.buy());
    let resolved = client.resolve(&desk.token_of(id)).await.unwrap().value;
    assert_eq!((resolved.id, &resolved.status), (id, &MicrosoftStatus::PendingFulfillmentStart));
    let plans = client.list_available_plans(id, Some("konnekt-yearly")).await.unwrap().value;
    assert_eq!(plans.len(), 1);
    assert_eq!(plans[0].prices.as_ref().unwrap().prices.len(), 10);
    client.activate(id, "konnekt-yearly", None).await.unwrap();
    let active = client.get_subscription(id).await.unwrap().value;
    assert_eq!(active.status, MicrosoftStatus::Subscribed);
    assert!(active.term.is_some());
    let operation = client.cancel(id).await.unwrap().value.operation_id;
    assert_eq!(client.get_operation(id, &operation).await.unwrap().value.action, "Unsubscribe");
    assert_eq!(client.get_subscription(id).await.unwrap().value.status, MicrosoftStatus::Unsubscribed);
    assert_eq!(client.get_operation(id, &operation).await.unwrap().value.status, "Succeeded");
}

#[tokio::test]
async fn seats_and_plans_are_changed_by_operations() {
    let desk = Desk::open().await;
    let (client, id) = (&desk.client, desk.buy_seats());
    let operation = client.change_quantity(id, 25).await.unwrap().value.operation_id;
    let first = client.get_operation(id, &operation).await.unwrap().value;
    assert_eq!((first.status.as_str(), first.quantity()), ("NotStarted", Some(25)));
    assert_eq!(client.get_operation(id, &operation).await.unwrap().value.status, "Succeeded");
    assert_eq!(client.get_subscription(id).await.unwrap().value.quantity, Some(25));
    let operation = client.change_plan(id, "business").await.unwrap().value.operation_id;
    client.get_operation(id, &operation).await.unwrap();
    client.get_operation(id, &operation).await.unwrap();
    assert_eq!(client.get_subscription(id).await.unwrap().value.plan_id, "business");
}

#[tokio::test]
async fn a_customers_change_is_listed_and_decided() {
    let desk = Desk::open().await;
    let (client, id) = (&desk.client, desk.buy_seats());
    assert!(client.list_operations(id).await.unwrap().value.is_empty());
    for (accept, seats) in [(false, 10), (true, 20)] {
        let operation = desk.world().customer_change(id, None, Some(20)).unwrap();
        let listed = client.list_operations(id).await.unwrap().value;
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].id.as_str(), listed[0].action.as_str()), (&*operation.to_string(), "ChangeQuantity"));
        client.update_operation(id, &operation.to_string(), accept).await.unwrap();
        assert_eq!(client.get_subscription(id).await.unwrap().value.quantity, Some(seats));
        let late = client.update_operation(id, &operation.to_string(), !accept).await.unwrap_err();
        assert!(matches!(late, MarketplaceError::Conflict(_)), "it is decided: {late}");
    }
}

#[tokio::test]
async fn a_bad_purchase_token_is_the_buyers_and_says_nothing_of_itself() {
    let desk = Desk::open().await;
    let id = desk.buy();
    let expired = desk.token_of(id);
    desk.clock.advance(Duration::hours(24)).unwrap();
    let fresh = desk.token_of(id);
    let twice: SecretString = fresh.expose_secret().replace('+', " ").into();
    let bad = [
        ("unknown", SecretString::from("bm90IGEgdG9rZW4gb2Ygb3Vycw==")),
        ("expired", expired),
        ("decoded twice", twice),
        ("empty", SecretString::from("")),
        ("not a header", SecretString::from("töken")),
        ("two lines", SecretString::from("a\r\nx-ms-injected: 1")),
    ];
    for (kind, token) in bad {
        let error = desk.client.resolve(&token).await.unwrap_err();
        assert!(matches!(error, MarketplaceError::BadPurchaseToken(_)), "{kind}: {error:?}");
        assert_eq!((error.fault(), error.is_retryable()), (Fault::Buyer, false), "{kind}");
        let secret = token.expose_secret();
        assert!(secret.is_empty() || !format!("{error:?}").contains(secret), "{kind}: the token is in the error");
    }
    assert_eq!(desk.client.resolve(&fresh).await.unwrap().value.id, id, "and the good one is good");
    assert_eq!(desk.client.resolve(&fresh).await.unwrap().value.id, id, "as often as needed");
}

#[tokio::test]
async fn a_token_in_microsofts_own_words_is_taken_out() {
    let desk = Desk::open().await;
    let body = r#"{"code":"InvalidValue","message":"the token SECRETTOKEN is bad"}"#.to_owned();
    desk.fail(1, seatkey::simulator::FaultAction { body: Some(body), ..super::desk::status(400) });
    let error = desk.client.resolve(&"SECRETTOKEN".to_owned().into()).await.unwrap_err();
    assert_eq!(error.to_string(), "Microsoft does not accept this purchase token (InvalidValue: the token … is bad)");
}

#[tokio::test]
async fn our_own_credential_never_looks_like_a_bad_purchase_token() {
    let wrong = Desk::open_with(seatkey::http::client().unwrap(), "not-the-secret").await;
    let error = wrong.client.resolve(&wrong.token_of(wrong.buy())).await.unwrap_err();
    assert!(matches!(&error, MarketplaceError::Credential(text) if text.contains("AADSTS7000215")), "{error:?}");

    let desk = Desk::open().await;
    desk.world().expire_secret(App::Marketplace);
    let error = desk.client.resolve(&desk.token_of(desk.buy())).await.unwrap_err();
    assert!(matches!(&error, MarketplaceError::Credential(text) if text.contains("AADSTS7000222")), "{error:?}");
    assert_eq!((error.fault(), error.is_retryable()), (Fault::Publisher, true));
    assert!(!error.to_string().contains("Trace ID"), "the first line says it: {error}");
    assert!(desk.calls().is_empty(), "nothing was asked without a token");

    desk.world().restore_secret(App::Marketplace);
    let bad = desk.client.resolve(&"other".to_owned().into()).await.unwrap_err();
    assert_eq!(bad.fault(), Fault::Buyer, "and the other way round");
}

#[tokio::test]
async fn what_microsoft_does_not_know_is_not_found() {
    let desk = Desk::open().await;
    let (client, stranger, known) = (&desk.client, Uuid::from_u128(7), desk.buy());
    let operation = Uuid::from_u128(8).to_string();
    let answers = [
        ("get", client.get_subscription(stranger).await.err()),
        ("plans", client.list_available_plans(stranger, None).await.err()),
        ("activate", client.activate(stranger, "konnekt-yearly", None).await.err()),
        ("plan", client.change_plan(stranger, "other").await.err()),
        ("quantity", client.change_quantity(stranger, 2).await.err()),
        ("cancel", client.cancel(stranger).await.err()),
        ("operation", client.get_operation(known, &operation).await.err()),
        ("foreign operation", client.get_operation(stranger, &operation).await.err()),
    ];
    for (call, error) in answers {
        let error = error.unwrap();
        assert!(matches!(error, MarketplaceError::NotFound(_)), "{call}: {error:?}");
        assert_eq!((error.fault(), error.is_retryable()), (Fault::Publisher, false), "{call}");
    }
    assert!(client.list_operations(stranger).await.unwrap().value.is_empty(), "the real service has none, no error");
}

#[tokio::test]
async fn a_change_that_the_state_forbids_is_refused() {
    let desk = Desk::open().await;
    let client = &desk.client;
    let (pending, flat, seats) = (desk.buy(), desk.buy(), desk.buy_seats());
    client.activate(flat, "konnekt-yearly", None).await.unwrap();
    let reseller = Purchase {
        purchaser: Some("c306d4e5-9f82-4173-acb4-5d3e7f901b21".parse().unwrap()),
        auto_activate: true,
        ..Purchase::of("sample-seats", "team", ALEX.parse().unwrap())
    };
    let reseller = desk.world().purchase(reseller);
    let answers = [
        ("quantity of a flat plan", client.change_quantity(flat, 3).await.err()),
        ("change before activation", client.change_plan(pending, "other").await.err()),
        ("the plan that it has", client.change_plan(seats, "team").await.err()),
        ("a plan that is none", client.change_plan(seats, "gold").await.err()),
        ("more seats than sold", client.change_quantity(seats, 301).await.err()),
        ("the seats that it has", client.change_quantity(seats, 10).await.err()),
        ("a reseller's subscription", client.change_quantity(reseller, 2).await.err()),
        ("ending a reseller's subscription", client.cancel(reseller).await.err()),
    ];
    for (call, error) in answers {
        let error = error.unwrap();
        assert!(matches!(error, MarketplaceError::Refused { status: 400, .. }), "{call}: {error:?}");
        assert_eq!((error.fault(), error.is_retryable()), (Fault::Publisher, false), "{call}");
    }
}

#[tokio::test]
async fn a_pending_operation_locks_the_subscription() {
    let desk = Desk::open().await;
    let (client, id) = (&desk.client, desk.buy_seats());
    desk.world().customer_change(id, None, Some(20)).unwrap();
    let change = client.change_quantity(id, 30).await.unwrap_err();
    assert!(matches!(&change, MarketplaceError::Refused { status: 400, message } if message.contains("locked")));
    let cancel = client.cancel(id).await.unwrap_err();
    assert!(matches!(&cancel, MarketplaceError::Conflict(message) if message.contains("locked")), "{cancel:?}");
    assert!(cancel.is_retryable(), "the operation ends by itself");
    // Older revisions of the documents answer 409 to the change, too.
    desk.fail(1, super::desk::status(409));
    let change = client.change_quantity(id, 30).await.unwrap_err();
    assert!(matches!(change, MarketplaceError::Conflict(_)), "{change:?}");
}

#[tokio::test]
async fn every_request_has_fresh_ids_and_the_answer_has_the_servers() {
    let desk = Desk::open().await;
    let (client, id) = (&desk.client, desk.buy_seats());
    let operation = desk.world().customer_change(id, None, Some(20)).unwrap().to_string();
    let read = client.get_subscription(id).await.unwrap();
    client.list_subscriptions(None).await.unwrap();
    client.list_available_plans(id, None).await.unwrap();
    client.list_operations(id).await.unwrap();
    client.get_operation(id, &operation).await.unwrap();
    client.update_operation(id, &operation, true).await.unwrap();
    client.resolve(&desk.token_of(id)).await.unwrap();
    client.activate(id, "team", Some(20)).await.unwrap();
    let change = client.change_quantity(id, 30).await.unwrap();
    let sent = desk.calls();
    let ids = |name: &str| -> BTreeSet<Uuid> {
        let headers = sent.iter().flat_map(|call| call.headers.iter().filter(|(key, _)| key == name));
        headers.map(|(_, value)| Uuid::parse_str(value).unwrap()).collect()
    };
    let (requests, correlations) = (ids("x-ms-requestid"), ids("x-ms-correlationid"));
    assert_eq!((requests.len(), correlations.len()), (sent.len(), sent.len()), "each is used once");
    assert!(requests.is_disjoint(&correlations));
    assert!(sent.iter().all(|call| call.query.contains("api-version=2018-08-31")));
    assert_eq!(sent[0].headers.iter().find(|(name, _)| name == "x-ms-requestid").unwrap().1, read.request_id);
    // The simulator answers a change with ids of its own, as the real service does.
    assert_eq!(change.request_id, change.value.operation_id);
    assert_eq!(change.correlation_id, change.value.operation_id);
}

#[tokio::test]
async fn only_the_person_differs_between_two_purchases() {
    let desk = Desk::open().await;
    let of = |person: &str| Purchase::of("konnekt", "konnekt-yearly", person.parse().unwrap());
    let (alex, jo) = (desk.world().purchase(of(ALEX)), desk.world().purchase(of(JO)));
    let alex = desk.client.get_subscription(alex).await.unwrap().value;
    let jo = desk.client.get_subscription(jo).await.unwrap().value;
    assert_eq!(alex.beneficiary.tenant_id, jo.beneficiary.tenant_id);
    assert_eq!(alex.beneficiary.object_id, Some(ALEX.parse().unwrap()));
    assert_eq!(jo.beneficiary.object_id, Some(JO.parse().unwrap()));
}
