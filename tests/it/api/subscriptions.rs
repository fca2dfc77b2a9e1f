//! Subscriptions, page by page, with their fields and their charges. The figures are those of `product.md` §4.

use std::collections::BTreeSet;

use seatkey::{cli::browser::Browser, domain::staff::Scope::SubscriptionsRead, simulator::Purchase};
use serde_json::{Value, json};
use time::macros::date;
use uuid::Uuid;

use super::client::Program;
use crate::{
    account::{follow, move_to},
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, NORDWIND},
        told::ledger,
        years::bought_for,
    },
};

on_both_databases! {
    the_list_comes_page_by_page_and_has_each_once;
    a_subscription_is_told_from_its_purchase_to_its_end;
    charges_are_explained;
    a_reseller_deal_shows_no_amount;
}

/// The ids of all pages, and how long each was.
async fn walk(program: &Program<'_>, query: &str) -> (Vec<String>, Vec<usize>) {
    let (mut ids, mut lengths, mut cursor) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = program.get(&format!("api/v1/subscriptions?{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let items = page.body["items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        lengths.push(items.len());
        match page.body["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, lengths),
        }
    }
}

async fn the_list_comes_page_by_page_and_has_each_once(stage: Stage) {
    let program = Program::with(&stage, &[SubscriptionsRead]).await;
    assert_eq!(walk(&program, "limit=1").await, (Vec::new(), vec![0]), "an empty list is a page, too");
    let mut alex = Browser::of(ALEX).unwrap();
    let mut all = BTreeSet::new();
    for _ in 0..6 {
        let id = stage.buy();
        stage.configure(&mut alex, id).await;
        all.insert(id.to_string());
    }
    let seats = Purchase { quantity: Some(40), ..Purchase::of("sample-seats", "team", ALEX.parse().unwrap()) };
    let seats = stage.buy_as(seats);
    stage.enrol(&mut alex, seats, "40").await;
    follow(&stage).await;
    all.insert(seats.to_string());
    let sorted: Vec<String> = all.into_iter().collect();
    for (query, lengths) in [
        ("limit=1", vec![1; 7]),
        ("limit=2", vec![2, 2, 2, 1]),
        ("limit=3", vec![3, 3, 1]),
        ("limit=6", vec![6, 1]),
        ("limit=7", vec![7]),
        ("limit=100", vec![7]),
        ("", vec![7]),
    ] {
        assert_eq!(walk(&program, query).await, (sorted.clone(), lengths), "{query}");
    }
    let own = vec![seats.to_string()];
    assert_eq!(walk(&program, "offerId=sample-seats&limit=1").await, (own.clone(), vec![1]));
    assert_eq!(walk(&program, "status=Subscribed").await, (own, vec![1]));
    let (waiting, lengths) = walk(&program, "status=PendingFulfillmentStart&offerId=konnekt&limit=4").await;
    assert_eq!((waiting.len(), lengths), (6, vec![4, 2]));
    assert_eq!(walk(&program, "offerId=nothing").await.0, Vec::<String>::new());
    stage.finish().await;
}

async fn show(program: &Program<'_>, id: Uuid) -> Value {
    let answer = program.get(&format!("api/v1/subscriptions/{id}")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    answer.body
}

async fn a_subscription_is_told_from_its_purchase_to_its_end(stage: Stage) {
    let program = Program::with(&stage, &[SubscriptionsRead]).await;
    let (mut alex, id) = (Browser::of(ALEX).unwrap(), stage.buy());
    stage.configure(&mut alex, id).await;
    let bought = show(&program, id).await;
    assert_eq!((&bought["status"], &bought["planId"]), (&json!("PendingFulfillmentStart"), &json!("konnekt-yearly")));
    for nothing in ["users", "segment", "term", "trialEndsAt", "graceEndsAt", "plannedChange", "license"] {
        assert_eq!(bought[nothing], Value::Null, "{nothing}");
    }
    stage.enrol(&mut alex, id, "150").await;
    follow(&stage).await;
    let enrolled = show(&program, id).await;
    assert_eq!((&enrolled["users"], &enrolled["segment"]), (&json!(150), &json!("KONNEKT 25")));
    let term = json!({ "startDate": "2026-01-15", "endDate": "2027-01-14", "termUnit": "P1Y" });
    assert_eq!((&enrolled["status"], &enrolled["term"]), (&json!("Subscribed"), &term));
    assert_eq!(enrolled["trialEndsAt"], "2026-02-14T00:00:00Z", "the day after its last one");
    assert!(enrolled["graceEndsAt"].as_str().unwrap().starts_with("2026-01-18T10:"), "{enrolled}");
    let key = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    assert_eq!((&enrolled["license"]["id"], &enrolled["license"]["seq"]), (&json!(key.license_id), &json!(1)));
    assert!(!enrolled.to_string().contains("eyJ"), "the key itself is not told");
    seatkey::app::schedule_reporting(&stage.app).await.unwrap();
    move_to(&stage, date!(2026 - 02 - 14)).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    let identity = stage.app.store.find_subscription(id).await.unwrap().unwrap();
    let tenant_id = identity.microsoft.beneficiary.tenant_id.unwrap();
    let alex = seatkey::domain::policy::Identity { tenant_id, object_id: ALEX.parse().unwrap() };
    let change = seatkey::app::review_change(&stage.app, alex, &identity, 100).await.unwrap();
    seatkey::app::submit_change(&stage.app, alex, &identity, change).await.unwrap();
    follow(&stage).await;
    let planned = show(&program, id).await;
    assert_eq!(planned["plannedChange"], json!({ "users": 100, "effective": "2027-01-15" }));
    assert_eq!(planned["users"], 150);
    assert!(planned["license"]["seq"].as_u64().unwrap() > 1, "the newest key: {planned}");
    let listed = program.get("api/v1/subscriptions").await.body;
    assert_eq!(listed["items"][0], planned, "the list has the same fields");
    for strange in [id.simple().to_string().replace('-', "")[1..].to_owned(), "konnekt".to_owned(), "%00".to_owned()] {
        for path in [format!("api/v1/subscriptions/{strange}"), format!("api/v1/subscriptions/{strange}/charges")] {
            assert_eq!(program.get(&path).await.problem().1, "not-found", "{path}");
        }
    }
    stage.finish().await;
}

async fn charges_are_explained(stage: Stage) {
    let program = Program::with(&stage, &[SubscriptionsRead]).await;
    let id = stage.buy();
    stage.enrol(&mut Browser::of(ALEX).unwrap(), id, "150").await;
    follow(&stage).await;
    seatkey::app::schedule_reporting(&stage.app).await.unwrap();
    move_to(&stage, date!(2026 - 02 - 14)).await;
    let answer = program.get(&format!("api/v1/subscriptions/{id}/charges")).await;
    let items = answer.body["items"].as_array().unwrap();
    let line = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        ["reason", "dimension", "quantity", "amount", "state"].map(text).join(" ")
    };
    let mut told: Vec<String> = items.iter().map(line).collect();
    told.sort();
    let mut kept = ledger(&stage, id).await;
    kept.sort();
    assert_eq!(told, kept);
    let users = items.iter().find(|item| item["dimension"] == "konnekt-25-user").unwrap();
    assert_eq!((&users["unitPrice"], &users["currency"]), (&json!("12.0000"), &json!("EUR")));
    assert!(users["words"].as_str().unwrap().contains("335 of 365 days"), "{users}");
    assert!(users["standing"].as_str().unwrap().contains("Accepted by Microsoft"), "{users}");
    assert_eq!((&users["reportableFrom"], &users["invoiceMonth"]), (&json!("2026-02-14T00:00:00Z"), &json!("2026-03")));
    let accepted = stage.world().usage_of(id);
    let ids: BTreeSet<String> =
        accepted.iter().filter_map(|usage| usage.usage_event_id).map(|id| id.to_string()).collect();
    assert!(ids.contains(users["usageEventId"].as_str().unwrap()), "{users}");
    stage.finish().await;
}

async fn a_reseller_deal_shows_no_amount(stage: Stage) {
    let scopes = [SubscriptionsRead, seatkey::domain::staff::Scope::QuotesRead];
    let program = Program::with(&stage, &scopes).await;
    let id = bought_for(&stage, NORDWIND, ALEX).await;
    seatkey::app::schedule_reporting(&stage.app).await.unwrap();
    move_to(&stage, date!(2026 - 07 - 01)).await;
    let mut told = Vec::new();
    for path in ["", "/charges"] {
        told.push(program.get(&format!("api/v1/subscriptions/{id}{path}")).await.body);
    }
    for users in [100, 150, 300] {
        told.push(program.post("api/v1/quotes", &json!({ "subscriptionId": id, "users": users })).await.body);
    }
    for item in told[1]["items"].as_array().unwrap() {
        assert_eq!((&item["unitPrice"], &item["amount"]), (&Value::Null, &Value::Null), "{item}");
        assert!(item["quantity"].is_string());
    }
    let upgrade = &told[4]["upgrade"];
    assert_eq!((&upgrade["quantity"], &upgrade["amount"]), (&json!("117.534246"), &Value::Null));
    let amounts =
        ["600.00", "12.00", "7.20", "3300.00", "3660.00", "2100.00", "1500.00", "550.68", "1376.71", "846.25", "1,376"];
    for (text, hidden) in told.iter().flat_map(|body| amounts.map(|hidden| (body.to_string(), hidden))) {
        assert!(!text.contains(hidden), "{hidden} is told: {text}");
    }
    stage.finish().await;
}
