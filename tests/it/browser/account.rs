//! What a buyer does after the enrolment, in every state of the account page.

use seatkey::{cli::browser::Browser, simulator::Purchase};
use time::{Date, macros::date};
use uuid::Uuid;

use super::chrome::{Chrome, Window};
use crate::{
    account::{follow, move_to},
    support::{
        Database, Stage, enrolment_fields,
        people::{ALEX, NORDWIND},
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_changed_on_a_laptop() {
    change_users("users-laptop", Window::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_changed_on_a_phone() {
    change_users("users-phone", Window::Phone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_on_a_laptop() {
    every_state("states-laptop", Window::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_state_on_a_phone() {
    every_state("states-phone", Window::Phone).await;
}

/// Alex's 150 users of KONNEKT, in the trial.
async fn enrolled(stage: &Stage) -> Uuid {
    let id = stage.buy_as(Purchase {
        name: "konnekt-prod".to_owned(),
        ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
    });
    stage.enrol(&mut Browser::of(ALEX).unwrap(), id, "150").await;
    follow(stage).await;
    stage.advance(time::Duration::minutes(1));
    id
}

/// The account page, after a sign-in where one is needed.
async fn open(chrome: &mut Chrome, stage: &Stage, id: Uuid) {
    chrome.open(&stage.url(&format!("subscriptions/{id}"))).await;
    if chrome.shows(&format!("button[value='{ALEX}']")).await {
        chrome.pick(ALEX).await;
    }
    chrome.read("h1", "for").await;
}

/// The calendar moves on, and with it the session.
async fn open_on(chrome: &mut Chrome, stage: &Stage, id: Uuid, day: Date) {
    move_to(stage, day).await;
    open(chrome, stage, id).await;
}

async fn change_users(name: &'static str, window: Window) {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start(name, window).await;
    let id = enrolled(&stage).await;
    open(&mut chrome, &stage, id).await;
    chrome.look("held").await;
    preview(&mut chrome).await;
    chrome.click("#change button.button").await;
    chrome.read("h1", "Upgrade from 150 to 300 users").await;
    chrome.look("review-upgrade-held").await;
    chrome.click(".row a").await;
    chrome.write("#users", "50").await;
    chrome.click("#change button.button").await;
    chrome.read("h1", "Lower from 150 to 50 users").await;
    chrome.look("review-lowering").await;
    chrome.click("form[data-once] button.button").await;
    chrome.read(".note.good", "you now have 50 users").await;
    chrome.look("lowered").await;
    open_on(&mut chrome, &stage, id, date!(2026 - 07 - 01)).await;
    chrome.write("#users", "25").await;
    chrome.read("#projection .total strong", "600.00 EUR").await;
    chrome.click("#change button.button").await;
    chrome.read("h1", "Downgrade from 50 to 25 users").await;
    chrome.look("review-downgrade").await;
    chrome.click("form[data-once] button.button").await;
    chrome.read(".note h2", "A downgrade from 50 to 25 users is planned").await;
    chrome.look("planned").await;
    chrome.write("#users", "300").await;
    chrome.click("#change button.button").await;
    chrome.read(".note.warn", "This upgrade cancels the downgrade to 25 users").await;
    chrome.look("review-upgrade").await;
    chrome.click("form[data-once] button.button").await;
    chrome.read(".note.good", "you now have 300 users").await;
    chrome.look("upgraded").await;
    drop(chrome);
    follow(&stage).await;
    stage.finish().await;
}

/// What a number means follows what is typed, and so does the complaint.
async fn preview(chrome: &mut Chrome) {
    chrome.write("#users", "20").await;
    chrome.read("#users-why", "Must be at least 25.").await;
    chrome.write("#users", "300").await;
    chrome.read("#projection .total strong", "1,431.78 EUR").await;
    assert!(!chrome.shows("#users-why").await, "300 users are right");
    chrome.look("preview").await;
}

async fn every_state(name: &'static str, window: Window) {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start(name, window).await;
    let id = enrolled(&stage).await;
    open(&mut chrome, &stage, id).await;
    chrome.click("a[href$='/key/replace']").await;
    chrome.read("h1", "Replace the license key").await;
    chrome.look("replace").await;
    open(&mut chrome, &stage, id).await;
    chrome.click("a[href$='/contacts']").await;
    chrome.write("#email", "nowhere").await;
    chrome.click("form[data-once] button.button").await;
    chrome.read("#email-why", "This is not an e-mail address").await;
    chrome.look_at_refusal("contacts", 422).await;
    withdraw(&mut chrome, &stage, id).await;
    seats(&mut chrome, &stage).await;
    let id = enrolled(&stage).await;
    // Without a trial, which was used up: the fees are due after three days.
    open_on(&mut chrome, &stage, id, date!(2026 - 01 - 25)).await;
    chrome.look("subscribed").await;
    stage.world().customer_change(id, Some("konnekt-yearly-2"), None).unwrap();
    follow(&stage).await;
    stage.world().suspend(id);
    follow(&stage).await;
    open(&mut chrome, &stage, id).await;
    chrome.read(".note h2", "was refused on 25 January 2026").await;
    chrome.look("suspended").await;
    stage.world().cancel(id);
    follow(&stage).await;
    open(&mut chrome, &stage, id).await;
    chrome.read(".lead", "The license runs on").await;
    chrome.look("ended-with-license").await;
    drop(chrome);
    resold(name, window, &stage).await;
    stage.finish().await;
}

/// The page follows by itself, to the end.
async fn withdraw(chrome: &mut Chrome, stage: &Stage, id: Uuid) {
    open(chrome, stage, id).await;
    chrome.click("a[href$='/withdraw']").await;
    chrome.read("h1", "Withdraw from KONNEKT").await;
    chrome.look("withdraw").await;
    chrome.click("form[data-once] button.button").await;
    chrome.read(".lead", "Being withdrawn").await;
    chrome.look("withdrawing").await;
    follow(stage).await;
    chrome.read(".lead", "The license has ended").await;
    chrome.look("ended").await;
}

async fn seats(chrome: &mut Chrome, stage: &Stage) {
    let seats = Purchase::of("sample-seats", "team", ALEX.parse().unwrap());
    let id = stage.buy_as(Purchase { quantity: Some(9), name: "team-prod".to_owned(), ..seats });
    stage.enrol(&mut Browser::of(ALEX).unwrap(), id, "").await;
    follow(stage).await;
    open(chrome, stage, id).await;
    chrome.look("seats").await;
    chrome.write("#users", "20").await;
    chrome.click("#change button.button").await;
    chrome.read("h1", "From 9 to 20 users: on its way").await;
    chrome.look("seats-asked").await;
    follow(stage).await;
    chrome.read(".note.good", "Microsoft says 20 users").await;
    stage.advance(time::Duration::minutes(1));
    chrome.write("#users", "301").await;
    chrome.click("#change button.button").await;
    chrome.read("h1", "on its way").await;
    follow(stage).await;
    chrome.read("h1", "refused by Microsoft").await;
    chrome.look("seats-refused").await;
    open(chrome, stage, id).await;
    chrome.read(".note h2", "The change to 301 users was refused").await;
    chrome.look("seats-refused-account").await;
}

/// A reseller's review has quantities and no amounts.
async fn resold(name: &'static str, window: Window, stage: &Stage) {
    let purchase = Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap());
    let id = stage.buy_as(Purchase { purchaser: Some(NORDWIND.parse().unwrap()), ..purchase });
    let mut reseller = Browser::of(NORDWIND).unwrap();
    let form = stage.configure(&mut reseller, id).await;
    let review = format!("subscriptions/{id}/enrol/review");
    let order = reseller.post_form(stage.url(&review), &enrolment_fields(&form, "150")).await.unwrap();
    stage.submit(&mut reseller, id, &order).await;
    follow(stage).await;
    let mut chrome = Chrome::start(name, window).await;
    chrome.shots = 50;
    chrome.open(&stage.url(&format!("subscriptions/{id}"))).await;
    chrome.pick(NORDWIND).await;
    chrome.write("#users", "300").await;
    chrome.read("#projection", "150 users more").await;
    chrome.look("resold").await;
    chrome.click("#change button.button").await;
    chrome.read("h1", "Upgrade from 150 to 300 users").await;
    chrome.look("resold-review").await;
    drop(chrome);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_are_changed_without_scripts() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start("users-scriptless", Window::Desktop).await;
    let id = enrolled(&stage).await;
    chrome.forbid_scripts().await;
    open(&mut chrome, &stage, id).await;
    chrome.write("#users", "20").await;
    chrome.click("#change button.button").await;
    chrome.read("#users-why", "Must be at least 25.").await;
    chrome.look_at_refusal("refused", 422).await;
    chrome.write("#users", "300").await;
    chrome.click("#change button.button").await;
    chrome.click("form[data-once] button.button").await;
    chrome.read(".note.good", "you now have 300 users").await;
    follow(&stage).await;
    chrome.open(&stage.url(&format!("subscriptions/{id}/withdraw"))).await;
    chrome.click("form[data-once] button.button").await;
    chrome.read(".lead", "Being withdrawn").await;
    follow(&stage).await;
    // The page looks again by itself, without a script.
    chrome.read(".lead", "The license has ended").await;
    drop(chrome);
    stage.finish().await;
}
