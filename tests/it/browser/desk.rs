//! Sales and finance at work in a real Chromium: a trial is extended, and a credit is entered by two people.

use super::chrome::{Chrome, Window};
use crate::support::{
    Database, Stage,
    people::ALEX,
    staff::{FAY, FINN, MIRA},
    years::{enrolled, report_after, roll_up},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_is_extended_and_a_fee_given_back_on_a_laptop() {
    work("desk", Window::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_is_extended_and_a_fee_given_back_on_a_phone() {
    work("desk-phone", Window::Phone).await;
}

async fn work(name: &'static str, window: Window) {
    let stage = Stage::set(Database::Sqlite).await;
    let id = enrolled(&stage, "150").await;
    let mut chrome = Chrome::start(name, window).await;
    chrome.open(&stage.url(&format!("console/subscriptions/{id}"))).await;
    chrome.pick(MIRA).await;
    chrome.read("h1", "Contoso GmbH").await;
    chrome.click("li:has(#do-extension) summary").await;
    chrome.write("#do-extension-days", "14").await;
    chrome.click("#do-extension button.button").await;
    chrome.read("h1", "Extend the trial by 14 days").await;
    chrome.look("extension").await;
    chrome.write("#reason", "the rollout waits for their works council").await;
    chrome.click("form[action$='/submit'] button.button").await;
    chrome.read(".note.good", "Extended.").await;
    chrome.look("extended").await;
    roll_up(&stage).await;
    chrome.open(&stage.url("console/trials")).await;
    chrome.click(".headline a.quiet").await;
    chrome.read("h1", "Conversion of trials").await;
    chrome.look("conversion").await;
    chrome.click("form[action$='/console/sign-out'] button").await;
    chrome.read("h1", "You are signed out").await;

    report_after(&stage, 44).await;
    let charges = stage.app.store.list_charges(id).await.unwrap();
    let charge = charges.iter().rev().find(|charge| charge.dimension == "konnekt-25-user").unwrap().id;
    let page = stage.url(&format!("console/charges/{charge}"));
    chrome.open(&page).await;
    chrome.pick(FINN).await;
    chrome.read("#h-credits", "Given back by Microsoft").await;
    chrome.look("credit-form").await;
    chrome.write("#credit-amount", "5000").await;
    chrome.write("#credit-case", "2611150040001234").await;
    chrome.write("#credit-why", "support was not to be had for a week").await;
    chrome.click("form[action$='/credit'] button.button").await;
    chrome.read(".note.bad", "1,319.18 EUR of this charge can still be credited").await;
    chrome.look_at_refusal("credit-refused", 422).await;
    chrome.write("#credit-amount", "120.00").await;
    chrome.click("form[action$='/credit'] button.button").await;
    chrome.read(".note.good", "A second person has to approve it.").await;
    chrome.look("credit-proposed").await;
    chrome.click("form[action$='/console/sign-out'] button").await;
    chrome.read("h1", "You are signed out").await;

    chrome.open(&page).await;
    chrome.pick(FAY).await;
    chrome.read("main", "a credit of 120.00 EUR").await;
    chrome.look("credit-approval").await;
    chrome.click("form[action$='/approve'] button").await;
    chrome.read(".note.good", "Approved, and carried out.").await;
    chrome.look("credited").await;
    chrome.open(&stage.url("console/ledger?reason=credit")).await;
    chrome.read("main table", "credited").await;
    chrome.look("ledger-credits").await;
    chrome.open(&stage.url(&format!("console/subscriptions/{id}"))).await;
    chrome.read("main", "Credit of 120.00 EUR").await;
    chrome.look("subscription-credited").await;
    chrome.open(&stage.url(&format!("subscriptions/{id}"))).await;
    chrome.pick(ALEX).await;
    chrome.read("main", "Credit of 120.00 EUR given by Microsoft").await;
    chrome.look("account-credited").await;
    drop(chrome);
    stage.settle().await;
    stage.finish().await;
}
