//! What a page has led to, and what the checks have found, as the publisher's people see it.

use std::sync::Arc;

use seatkey::{
    app::check_up,
    jobs::Runner,
    simulator::{App, Fault, FaultAction},
};

use super::chrome::{Chrome, Window};
use crate::support::{
    Database, Stage,
    staff::ADA,
    years::{enrolled, follow, report_after},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_on_a_laptop() {
    traces("trace", Window::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_on_a_phone() {
    traces("trace-phone", Window::Phone).await;
}

async fn traces(name: &'static str, window: Window) {
    let stage = Stage::set(Database::Sqlite).await;
    let id = enrolled(&stage, "150").await;
    report_after(&stage, 35).await;
    let calls = stage.app.store.list_calls(id, 10).await.unwrap();
    let order = calls.iter().find(|call| call.operation == "activate").unwrap().ids.clone().unwrap().0;
    let mut chrome = Chrome::start(name, window).await;
    chrome.open(&stage.url("console/trace")).await;
    chrome.pick(ADA).await;
    chrome.read("h1", "Trace").await;
    chrome.look("nothing-asked").await;
    chrome.write("#f-id", "no such id").await;
    chrome.click("form.follow button").await;
    chrome.read(".headline", "nothing is known").await;
    chrome.look("unknown").await;
    chrome.write("#f-id", &order).await;
    chrome.click("form.follow button").await;
    chrome.read("main table", "activate_subscription").await;
    chrome.look("order").await;
    // Microsoft's own: the request that reported the charges.
    let batch = stage.world().requests().into_iter().rev().find(|one| one.path.ends_with("/batchUsageEvent")).unwrap();
    let sent = batch.headers.iter().find(|(name, _)| name == "x-ms-requestid").unwrap().1.clone();
    chrome.open(&stage.url(&format!("console/trace?id={sent}"))).await;
    chrome.read("main table", "report_usage_batch").await;
    chrome.look("batch").await;
    chrome.open(&stage.url(&format!("console/trace?id={}", failing(&stage, id).await))).await;
    chrome.read("main table", "waiting").await;
    chrome.look("failing").await;
    drop(chrome);
    stage.strike().await;
}

/// A webhook that is acted upon in vain, for now; gives its operation.
async fn failing(stage: &Stage, id: uuid::Uuid) -> String {
    assert!(stage.world().suspend(id));
    follow(stage).await;
    let broken = FaultAction { status: Some(500), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: 1_000, ..Fault::next("/api/saas/subscriptions/*", broken) });
    assert!(stage.world().reinstate(id));
    while stage.world().deliver_due().await > 0 {}
    Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
    let webhooks = stage.app.store.list_webhooks(id, 10).await.unwrap();
    webhooks.into_iter().find(|webhook| webhook.action == "Reinstate").unwrap().operation_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_well_on_a_laptop() {
    checks("checks", Window::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_well_on_a_phone() {
    checks("checks-phone", Window::Phone).await;
}

async fn checks(name: &'static str, window: Window) {
    let mut stage = Stage::set(Database::Sqlite).await;
    stage.change_configuration("[sign_in]", "[sign_in]\nclient_secret_expires = \"2026-01-20\"");
    stage.restart().await;
    enrolled(&stage, "150").await;
    stage.world().expire_secret(App::Marketplace);
    stage.world().expire_secret(App::SignIn);
    check_up(&stage.app).await.unwrap();
    let mut chrome = Chrome::start(name, window).await;
    chrome.open(&stage.url("console")).await;
    chrome.pick(ADA).await;
    chrome.read("main table", "Check entra.token").await;
    chrome.look("today").await;
    drop(chrome);
    stage.strike().await;
}
