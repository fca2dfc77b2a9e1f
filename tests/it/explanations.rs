//! Why each charge: the same words and sums by `seatkey ledger explain`, on the account page, and in what the simulated
//! Microsoft accepted. The figures are those of `product.md` §4.

use seatkey::{app, cli::browser::Browser, domain::policy::Identity};
use serde_json::Value;
use time::macros::date;
use uuid::Uuid;

use crate::{
    account::{follow, move_to},
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, NORDWIND},
        told::known,
        years::bought_for,
    },
};

on_both_databases! {
    every_charge_is_explained_from_the_trial_to_the_renewal;
    a_resellers_customer_is_told_no_amount;
}

/// What the command says, as JSON.
fn explain(stage: &Stage, id: Uuid) -> Value {
    serde_json::from_str(&stage.run(&["ledger", "explain", &id.to_string(), "--json"])).unwrap()
}

async fn upgrade(stage: &Stage, id: Uuid, users: u32) {
    let tenant_id = "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44".parse().unwrap();
    let alex = Identity { tenant_id, object_id: ALEX.parse().unwrap() };
    let subscription = known(stage, id).await;
    let change = app::review_change(&stage.app, alex, &subscription, users).await.unwrap();
    app::submit_change(&stage.app, alex, &subscription, change).await.unwrap();
    follow(stage).await;
}

/// `month invoice SaaS expected`, one line each.
fn months(told: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |month: &Value| ["month", "invoiceMonth", "saas", "expected"].map(|name| text(&month[name])).join(" ");
    told["months"].as_array().unwrap().iter().map(line).collect()
}

async fn page(stage: &Stage, id: Uuid) -> String {
    let mut alex = Browser::of(ALEX).unwrap();
    let page = alex.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
    page.text.replace("&#x2f;", "/")
}

#[track_caller]
fn shows(text: &str, expected: &[&str]) {
    for words in expected {
        assert!(text.contains(words), "“{words}” is not told:\n{text}");
    }
}

async fn every_charge_is_explained_from_the_trial_to_the_renewal(stage: Stage) {
    let id = stage.buy();
    stage.enrol(&mut Browser::of(ALEX).unwrap(), id, "150").await;
    follow(&stage).await;
    let held = explain(&stage, id);
    assert_eq!(months(&held), ["2026-02 2026-03 - 1927.39"]);
    let ending = &held["cancellationToday"];
    assert_eq!((&ending["license"], &ending["dropped"]), (&"ends_at_once".into(), &"1927.39".into()));
    let trial = page(&stage, id).await;
    shows(&trial, &["Invoice of March 2026", "1,927.39 EUR", "The free trial ends", "Cancelling today costs nothing"]);

    app::schedule_reporting(&stage.app).await.unwrap();
    move_to(&stage, date!(2026 - 02 - 14)).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    upgrade(&stage, id, 200).await;
    upgrade(&stage, id, 300).await;
    let told = explain(&stage, id);
    assert_eq!(months(&told), ["2026-02 2026-03 1927.39 -", "2026-07 2026-08 846.25 -"]);
    let july = told["months"][1]["charges"].as_array().unwrap();
    let charge = july.iter().find(|charge| charge["fromUsers"] == 150).unwrap();
    let words = "50 more users from 1 July, 198 of 365 days, 27.123287 × 12.0000 EUR = 325.48 EUR";
    assert_eq!(charge["words"], words);
    assert_eq!((&charge["state"], &charge["quantity"]), (&"accepted".into(), &"27.123287".into()));
    assert_eq!(charge["slot"], "2026-07-01T09:00:00Z");
    let accepted = stage.world().usage_of(id);
    let ids: Vec<String> = accepted.iter().filter_map(|usage| usage.usage_event_id).map(|id| id.to_string()).collect();
    assert!(ids.iter().any(|id| charge["usageEventId"] == id.as_str()), "{charge} {ids:?}");
    let states: Vec<&str> =
        charge["history"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["due", "sending", "accepted"]);
    let account = page(&stage, id).await;
    shows(
        &account,
        &["from 1 July, 198 of 365 days", "Invoice of August 2026", "Cost details of July 2026", "846.25", "1,927.39"],
    );
    shows(
        &account,
        &["Accepted by Microsoft", "on the invoice of August 2026", "Nothing more. The 2,773.64 EUR stay."],
    );

    stage.world().advance_past_term(id).unwrap();
    follow(&stage).await;
    follow(&stage).await;
    let told = explain(&stage, id);
    assert_eq!(months(&told)[2], "2027-01 2027-02 3660.00 -");
    let lines = told["months"][2]["costDetails"].as_array().unwrap();
    assert_eq!(lines.len(), 2, "base fee and additional users: {lines:?}");
    let text = stage.run(&["ledger", "explain", &id.to_string()]);
    shows(&text, &[words, "January 2027, on the invoice of February 2027", "3,660.00 EUR", "Renewal for another year"]);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    stage.finish().await;
}

async fn a_resellers_customer_is_told_no_amount(stage: Stage) {
    let id = bought_for(&stage, NORDWIND, ALEX).await;
    app::schedule_reporting(&stage.app).await.unwrap();
    move_to(&stage, date!(2026 - 02 - 14)).await;
    let text = stage.run(&["ledger", "explain", &id.to_string()]);
    shows(&text, &["Microsoft bills the reseller", "KONNEKT 25 | Base Fee", "0.917808", "billed to the reseller"]);
    let json = explain(&stage, id);
    for hidden in ["EUR ", " EUR", "600.00", "12.00", "550.68", "1,376.71", "1376.71"] {
        assert!(!text.contains(hidden) && !json.to_string().contains(hidden), "{hidden} is told: {text}");
    }
    stage.finish().await;
}
