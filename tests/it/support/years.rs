//! A life with charges that were accepted, for stories about the ledger.

use std::sync::Arc;

use seatkey::{
    app::{self, ChangeSubmitted},
    cli::browser::Browser,
    domain::policy::Identity,
    jobs::Runner,
    simulator::Purchase,
};
use time::Duration;
use uuid::Uuid;

use super::{Stage, enrolment_fields, people::ALEX, told::known};

/// Alex has bought KONNEKT, and the order has been carried out.
pub(crate) async fn enrolled(stage: &Stage, users: &str) -> Uuid {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, users).await;
    stage.settle().await;
    follow(stage).await;
    id
}

/// One has bought KONNEKT for another, and enrolled 150 users; the order has been carried out.
pub(crate) async fn bought_for(stage: &Stage, buyer: &str, user: &str) -> Uuid {
    let purchase = Purchase::of("konnekt", "konnekt-yearly", user.parse().unwrap());
    let id = stage.buy_as(Purchase { purchaser: Some(buyer.parse().unwrap()), ..purchase });
    let mut browser = Browser::of(buyer).unwrap();
    let form = stage.configure(&mut browser, id).await;
    let review = stage.url(&format!("subscriptions/{id}/enrol/review"));
    let order = browser.post_form(review, &enrolment_fields(&form, "150")).await.unwrap();
    stage.submit(&mut browser, id, &order).await;
    follow(stage).await;
    id
}

/// The figures of the console are counted.
pub(crate) async fn roll_up(stage: &Stage) {
    app::schedule_roll_up(&stage.app).await.unwrap();
    follow(stage).await;
}

/// Everything that Microsoft has to say arrives, and is acted upon.
pub(crate) async fn follow(stage: &Stage) {
    while stage.world().deliver_due().await > 0 {}
    stage.settle().await;
}

/// Time passes; then what is due is released and reported.
pub(crate) async fn report_after(stage: &Stage, days: i64) {
    stage.advance(Duration::days(days));
    app::schedule_reporting(&stage.app).await.unwrap();
    Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
    follow(stage).await;
}

/// Alex wants so many users.
pub(crate) async fn upgrade(stage: &Stage, id: Uuid, users: u32) {
    let tenant_id = "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44".parse().unwrap();
    let alex = Identity { tenant_id, object_id: ALEX.parse().unwrap() };
    let subscription = known(stage, id).await;
    let change = app::review_change(&stage.app, alex, &subscription, users).await.unwrap();
    let submitted = app::submit_change(&stage.app, alex, &subscription, change).await.unwrap();
    assert!(matches!(submitted, ChangeSubmitted::Accepted(_)), "{submitted:?}");
    follow(stage).await;
}

/// What the verification has to say, and how many entries it has seen.
pub(crate) async fn flaws(stage: &Stage) -> (Vec<String>, u64) {
    let mut flaws = Vec::new();
    let verified = app::verify_ledger(&stage.app.store, |flaw| flaws.push(flaw.to_string())).await.unwrap();
    (flaws, verified.entries)
}
