//! Microsoft's OpenAPI documents hold for what simulator and client exchange, and for the recorded traffic. Where the field
//! is known to differ, the difference stands in a table with its reason.

mod document;
mod metering;
mod tap;

use std::collections::BTreeSet;

use seatkey::{
    marketplace::{Client, Credential},
    simulator::{FaultAction, Purchase},
};
use serde_json::{Value, json};
use uuid::Uuid;

use self::{
    document::{Document, Exchange},
    tap::Tap,
};
use crate::{
    marketplace_client::desk::{Desk, status},
    support::people::ALEX,
};

/// Where the field differs from the document (reference: `marketplace-api.md`), and why that is right. An entry that nothing
/// needs any more fails the test.
const DEVIATIONS: [(&str, &str); 16] = [
    ("Subscription.lastModified: not in the document", "deprecated, and in all recorded traffic (2.8)"),
    ("Subscription.fulfillmentId: not in the document", "unknown fields are ignored (2.8)"),
    ("SaaSOperation.operationRequestSource: not in the document", "recorded and documented (4.2)"),
    ("SaaSOperation.errorStatusCode: not in the document", "documented (4.2)"),
    ("SaaSOperation.errorMessage: not in the document", "documented (4.2)"),
    ("SaaSOperation.action: not one of the words", "`Subscribe` since May 2026 (5.3)"),
    ("Subscription.term.termUnit: not one of the words", "`PAY`, `P18M`: custom terms since April 2026 (2.9)"),
    ("Subscription.term.startDate: not a date-time", "older rows have the date alone (2.8)"),
    ("Subscription.term.chargeDuration: not a string", "null is documented (2.8)"),
    ("Subscription.quantity: not an integer", "empty text in Microsoft's example, null in snapshots (2.8)"),
    ("AadIdentifier.puid: not a string", "null is documented (2.8)"),
    ("GET /saas/subscriptions/{subscriptionId}: status 400", "the real service says 400 where 404 is documented (4.4)"),
    ("DELETE /saas/subscriptions/{subscriptionId}: status 200", "when it has ended already (2.7)"),
    ("DELETE /saas/subscriptions/{subscriptionId}: status 409", "locked by a pending operation (2.7)"),
    ("PATCH /saas/subscriptions/{subscriptionId}: status 409", "older revisions of the documents (2.6)"),
    ("GET /saas/subscriptions/: no body", "no subscriptions at all are zero bytes (2.3)"),
];

/// What the document does not say, as findings without their number.
fn findings(exchanges: &[Exchange]) -> BTreeSet<String> {
    Document::fulfillment().findings(exchanges)
}

fn untolerated(found: &BTreeSet<String>) -> Vec<&String> {
    found.iter().filter(|finding| !DEVIATIONS.iter().any(|(known, _)| known == finding)).collect()
}

#[tokio::test]
async fn simulator_client_and_records_keep_to_the_document() {
    let live = everything_the_client_can_do().await;
    let operations = Document::fulfillment().operations(&live);
    assert_eq!(operations.len(), 10, "every operation of the document was called: {operations:?}");
    let mut found = findings(&live);
    assert_eq!(untolerated(&found), Vec::<&String>::new(), "live");
    let recorded = recorded();
    assert_eq!(recorded.len(), 5, "the metering records have a document of their own");
    found.extend(findings(&recorded));
    assert_eq!(untolerated(&found), Vec::<&String>::new(), "recorded");
    found.extend(findings(&documented_oddities()));
    assert_eq!(untolerated(&found), Vec::<&String>::new(), "documented");
    let unused: Vec<_> = DEVIATIONS.iter().filter(|(known, _)| !found.contains(*known)).collect();
    assert!(unused.is_empty(), "no longer needed: {unused:?}");
}

/// Calls every operation with success and with each refusal, through a tap.
async fn everything_the_client_can_do() -> Vec<Exchange> {
    let desk = Desk::open().await;
    let tap = Tap::open(desk.simulator.base_url());
    let client = desk.client_of(Some(tap.base()), Credential::ClientSecret("marketplace-secret".to_owned().into()));
    client.list_subscriptions(None).await.unwrap();
    let (flat, seats) = (desk.buy(), desk.buy_seats());
    let private = Purchase {
        private_offer_id: Some(Uuid::from_u128(5).to_string()),
        ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
    };
    let private = desk.world().purchase(private);
    for _ in 0..3 {
        desk.buy_seats();
    }
    reads(&desk, &client, flat, private).await;
    changes(&desk, &client, flat, seats).await;
    refusals(&desk, &client, flat, seats).await;
    tap.close().await
}

async fn reads(desk: &Desk, client: &Client, flat: Uuid, private: Uuid) {
    client.resolve(&desk.token_of(flat)).await.unwrap();
    client.resolve(&"unknown".to_owned().into()).await.unwrap_err();
    let first = client.list_subscriptions(None).await.unwrap().value.continuation;
    client.list_subscriptions(first.as_deref()).await.unwrap();
    client.get_subscription(flat).await.unwrap();
    client.list_available_plans(flat, None).await.unwrap();
    let own = client.list_available_plans(private, Some("konnekt-yearly")).await.unwrap().value;
    assert!(own[0].is_private_deal, "the private offer is in the answer");
    client.list_operations(flat).await.unwrap();
}

async fn changes(desk: &Desk, client: &Client, flat: Uuid, seats: Uuid) {
    client.activate(flat, "konnekt-yearly", None).await.unwrap();
    client.activate(seats, "team", Some(10)).await.unwrap();
    for accept in [true, false] {
        let operation = desk.world().customer_change(seats, None, Some(20)).unwrap().to_string();
        client.list_operations(seats).await.unwrap();
        client.update_operation(seats, &operation, accept).await.unwrap();
        client.get_operation(seats, &operation).await.unwrap();
        client.update_operation(seats, &operation, accept).await.unwrap_err();
        if accept {
            desk.world().customer_change(seats, Some("business"), None).unwrap();
            client.cancel(seats).await.unwrap_err();
            let pending = client.list_operations(seats).await.unwrap().value.remove(0).id;
            client.update_operation(seats, &pending, true).await.unwrap();
            let back = client.change_quantity(seats, 10).await.unwrap().value.operation_id;
            client.get_operation(seats, &back).await.unwrap();
            client.get_operation(seats, &back).await.unwrap();
        }
    }
    let operation = client.change_plan(seats, "team").await.unwrap().value.operation_id;
    client.get_operation(seats, &operation).await.unwrap();
    client.get_operation(seats, &operation).await.unwrap();
    client.cancel(seats).await.unwrap();
    assert!(desk.world().cancel(seats));
    client.cancel(seats).await.unwrap_err();
    client.get_subscription(seats).await.unwrap();
}

async fn refusals(desk: &Desk, client: &Client, flat: Uuid, ended: Uuid) {
    let stranger = Uuid::from_u128(9);
    client.get_subscription(stranger).await.unwrap_err();
    client.activate(ended, "team", Some(10)).await.unwrap_err();
    client.list_available_plans(ended, None).await.unwrap_err();
    client.change_quantity(flat, 2).await.unwrap_err();
    client.get_operation(flat, &Uuid::nil().to_string()).await.unwrap_err();
    client.update_operation(flat, &Uuid::nil().to_string(), true).await.unwrap_err();
    desk.fail(1, status(409));
    client.change_plan(flat, "other").await.unwrap_err();
    let failing = FaultAction { body: Some(r#"{"error":{"code":"x","message":"y"}}"#.to_owned()), ..status(500) };
    desk.fail(1, failing);
    client.cancel(flat).await.unwrap_err();
    desk.world().clear_faults();
}

/// The fulfillment part of the session records.
fn recorded() -> Vec<Exchange> {
    [
        include_str!("../../fixtures/recorded/resolve.json"),
        include_str!("../../fixtures/recorded/list-subscriptions-first-page-excerpt.json"),
        include_str!("../../fixtures/recorded/list-available-plans.json"),
        include_str!("../../fixtures/recorded/change-plan-and-operation.json"),
    ]
    .into_iter()
    .flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap())
    .map(|record| Exchange::of_record(&record))
    .collect()
}

/// What the documents and field reports show and nothing recorded has.
fn documented_oddities() -> Vec<Exchange> {
    let id = "/api/saas/subscriptions/00000000-0000-0000-0000-000000000001";
    let subscription = json!({
        "quantity": "", "term": {"startDate": "2021-01-06", "termUnit": "PAY", "chargeDuration": null},
        "beneficiary": {"puid": null}, "fulfillmentId": "x",
    });
    let operation = json!({"action": "Subscribe", "status": "Succeeded", "errorStatusCode": "", "errorMessage": ""});
    vec![
        Exchange::of_answer("GET", id, &subscription),
        Exchange::of_answer("GET", &format!("{id}/operations/00000000-0000-0000-0000-000000000002"), &operation),
    ]
}

/// The validator itself: every kind of mistake is found.
#[test]
fn a_wrong_document_is_noticed() {
    let path = "/api/saas/subscriptions/00000000-0000-0000-0000-000000000001";
    let good = json!({"id": "00000000-0000-0000-0000-000000000001", "saasSubscriptionStatus": "Subscribed", "autoRenew": true,
        "quantity": 3, "created": "2023-04-14T00:07:14.962328Z", "allowedCustomerOperations": ["Read"],
        "term": {"startDate": "2026-01-15T00:00:00Z", "termUnit": "P1Y"}});
    assert_eq!(findings(&[Exchange::of_answer("GET", path, &good)]), BTreeSet::new());
    let table = [
        ("/id", json!("no-guid"), "Subscription.id: not a uuid"),
        ("/id", json!(7), "Subscription.id: not a string"),
        ("/saasSubscriptionStatus", json!("Frozen"), "Subscription.saasSubscriptionStatus: not one of the words"),
        ("/autoRenew", json!("true"), "Subscription.autoRenew: not a boolean"),
        ("/quantity", json!(1.5), "Subscription.quantity: not an integer"),
        ("/created", json!("2023-04-14"), "Subscription.created: not a date-time"),
        ("/created", json!("2023-04-14T00:07:14"), "Subscription.created: not a date-time"),
        ("/allowedCustomerOperations", json!("Read"), "Subscription.allowedCustomerOperations: not an array"),
        (
            "/allowedCustomerOperations/0",
            json!("Write"),
            "Subscription.allowedCustomerOperations[]: not one of the words",
        ),
        ("/term", json!([]), "Subscription.term: not an object"),
        ("/term", json!({"since": 1}), "Subscription.term.since: not in the document"),
        ("/term/termUnit", json!("P2M"), "Subscription.term.termUnit: not one of the words"),
    ];
    for (pointer, wrong, expected) in table {
        let mut answer = good.clone();
        *answer.pointer_mut(pointer).unwrap() = wrong;
        let found = findings(&[Exchange::of_answer("GET", path, &answer)]);
        assert_eq!(found, BTreeSet::from([expected.to_owned()]), "{pointer}");
    }
}

#[test]
fn a_wrong_request_is_noticed() {
    let path = "/api/saas/subscriptions/00000000-0000-0000-0000-000000000001";
    let good = || Exchange { request_body: Some(json!({"planId": "gold"})), ..Exchange::accepted("PATCH", path) };
    assert_eq!(findings(&[good()]), BTreeSet::new());
    let name = "PATCH /saas/subscriptions/{subscriptionId}";
    let wrong = [
        (Exchange { query: Vec::new(), ..good() }, format!("{name}: api-version is missing")),
        (
            Exchange { query: vec![("api-version".into(), "2015".into())], ..good() },
            format!("{name}: api-version: not one of the words"),
        ),
        (
            Exchange { query: vec![("api-version".into(), "2018-08-31".into()), ("x".into(), "1".into())], ..good() },
            format!("{name}: x: not in the document"),
        ),
        (Exchange { request_body: None, ..good() }, format!("{name}: no request body")),
        (
            Exchange { request_body: Some(json!({"plan": "gold"})), ..good() },
            "SubscriberPlan.plan: not in the document".to_owned(),
        ),
        (
            Exchange { request_headers: vec![("x-ms-requestid".into(), "7".into())], ..good() },
            format!("{name}: x-ms-requestid: not a uuid"),
        ),
        (Exchange { response_headers: Vec::new(), ..good() }, format!("{name}: Operation-Location is missing")),
        (Exchange { status: 201, ..good() }, format!("{name}: status 201")),
        (Exchange { method: "PUT".into(), ..good() }, format!("PUT {path}: not in the document")),
        (
            Exchange { path: "/api/saas/other".into(), ..good() },
            "PATCH /api/saas/other: not in the document".to_owned(),
        ),
    ];
    for (exchange, expected) in wrong {
        assert_eq!(findings(&[exchange]), BTreeSet::from([expected]));
    }
}
