//! The console in a real Chromium: on a laptop and on a phone, light and dark, and by keyboard alone.

use thirtyfour::Key;

use super::chrome::{Chrome, Window};
use crate::{
    console::decisions::unknown,
    support::{
        Database, Stage,
        staff::{FAY, FINN, NOA},
    },
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_decide_on_a_laptop() {
    decide("console", Window::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_decide_on_a_phone() {
    decide("console-phone", Window::Phone).await;
}

async fn decide(name: &'static str, window: Window) {
    let stage = Stage::set(Database::Sqlite).await;
    let (_, charge) = unknown(&stage).await;
    let mut chrome = Chrome::start(name, window).await;
    chrome.open(&stage.url("console")).await;
    chrome.pick(FINN).await;
    chrome.read("h1", "Today").await;
    chrome.look("today").await;
    chrome.click("main tbody th a").await;
    chrome.read(".headline", "unknown").await;
    chrome.look("decision").await;
    chrome.click("input[value=not-arrived]").await;
    chrome.write("#why", "Microsoft’s support says so").await;
    chrome.click("form[action$='/propose'] button.button").await;
    chrome.read(".note.good", "A second person has to approve it.").await;
    chrome.look("proposed").await;
    chrome.open(&stage.url("console/subscriptions")).await;
    chrome.read("h1", "Subscriptions").await;
    chrome.look("subscriptions").await;
    chrome.click("form[action$='/console/sign-out'] button").await;
    chrome.read("h1", "You are signed out").await;
    chrome.look("signed-out").await;

    chrome.open(&stage.url(&format!("console/charges/{charge}"))).await;
    chrome.pick(FAY).await;
    chrome.read(".headline", "unknown").await;
    chrome.look("approval").await;
    chrome.click("form[action$='/approve'] button").await;
    chrome.read(".note.good", "Approved, and carried out.").await;
    chrome.look("decided").await;
    drop(chrome);
    stage.settle().await;
    crate::support::years::report_after(&stage, 0).await;
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_by_keyboard_alone() {
    let stage = Stage::set(Database::Sqlite).await;
    unknown(&stage).await;
    let mut chrome = Chrome::start("console-keys", Window::Desktop).await;
    chrome.open(&stage.url("console")).await;
    chrome.pick(FINN).await;
    chrome.read("h1", "Today").await;
    chrome.press("j").await;
    chrome.press(Key::Enter).await;
    chrome.read(".headline", "unknown").await;
    chrome.press("/").await;
    let focused: String = chrome.evaluate("return document.activeElement.id").await;
    assert_eq!(focused, "q");
    drop(chrome);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_role_is_told_so() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start("console-none", Window::Phone).await;
    chrome.open(&stage.url("console")).await;
    chrome.pick(NOA).await;
    chrome.read("h1", "You have no role here yet").await;
    chrome.look_at_refusal("without-role", 403).await;
    drop(chrome);
    stage.finish().await;
}
