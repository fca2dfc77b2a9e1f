//! The console in a real Chromium: on a laptop and on a phone, light and dark, and by keyboard alone.

use seatkey::{domain::license::Claims, signing};
use thirtyfour::Key;

use super::chrome::{Chrome, Window};
use crate::{
    console::decisions::unknown,
    support::{
        Database, Stage,
        staff::{FAY, FINN, MIRA, NOA},
        years::{report_after, roll_up},
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
    report_after(&stage, 0).await;
    stage.finish().await;
}

/// The key first, the purchase later: one license, the days of trial once, the first report after trial and grace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prospect_from_the_trial_to_the_first_report() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start("prospect", Window::Desktop).await;
    chrome.open(&stage.url("console/trials")).await;
    chrome.pick(MIRA).await;
    chrome.read("h1", "Trials").await;
    chrome.look("trials-empty").await;
    chrome.click("a.button[href$='/trials/new']").await;
    chrome.click("input[value=prospect]").await;
    chrome.write("#tenant", "nowhere.example").await;
    chrome.write("#days", "14").await;
    chrome.write("#users", "50").await;
    chrome.write("#organisation", "Contoso GmbH").await;
    chrome.write("#name", "Alex Weber").await;
    chrome.write("#email", "alex.weber@contoso.example").await;
    chrome.write("#reason", "met at the fair in Hanover").await;
    chrome.look("trial-form").await;
    chrome.click("main form button.button").await;
    chrome.read(".note.bad", "No Entra tenant has the domain").await;
    chrome.look_at_refusal("trial-refused", 422).await;
    chrome.write("#tenant", "contoso.example").await;
    chrome.click("main form button.button").await;
    chrome.read("h1", "Trial for Contoso GmbH").await;
    chrome.look("trial").await;
    stage.settle().await;
    let key = mailed_key(&stage);
    assert_eq!((key.seq, key.trial, key.users), (1, true, Some(50)));

    stage.advance(time::Duration::days(5));
    chrome.arrive(&stage).await;
    chrome.write("#users", "150").await;
    chrome.fill_in_contacts().await;
    chrome.read("#projection .total strong", "2,100.00 EUR").await;
    chrome.click("button[name=csrf]").await;
    chrome.read("main", "28 January").await;
    chrome.look("review").await;
    chrome.click("form[data-once] button.button").await;
    chrome.read("h1", "Your order is on its way").await;
    stage.settle().await;
    chrome.see("#key").await;
    let next = mailed_key(&stage);
    assert_eq!((&next.jti, next.seq), (&key.jti, 2), "the same license goes on");

    // Trial to 28 January, grace period to the 23rd: nothing is told before both are over, nine days are free.
    report_after(&stage, 8).await;
    assert_eq!(stage.world().accepted_usage().len(), 0);
    report_after(&stage, 1).await;
    let told: Vec<String> = stage.world().accepted_usage().iter().map(|event| event.quantity_text.clone()).collect();
    assert_eq!(told, ["0.975342", "121.917808"], "356 of 365 days");
    chrome.open(&stage.url("console/trials")).await;
    chrome.pick(MIRA).await;
    chrome.read("main table", "used").await;
    chrome.look("trials").await;
    chrome.click("main tbody th a").await;
    chrome.click(".push a").await;
    chrome.read("h1", "Contoso GmbH").await;
    chrome.look("subscription").await;
    roll_up(&stage).await;
    let rooms = ["ledger", "webhooks", "jobs", "mails", "catalog", "staff-actions", "numbers", "search?q=contoso"];
    for room in rooms {
        chrome.open(&stage.url(&format!("console/{room}"))).await;
        chrome.see("h1").await;
        chrome.look(room.split('?').next().unwrap()).await;
    }
    drop(chrome);
    stage.finish().await;
}

fn mailed_key(stage: &Stage) -> Claims {
    let mails = stage.world().mails();
    let texts = mails.iter().rev().filter_map(|mail| mail.text.as_deref());
    let mut keys = texts.flat_map(str::split_whitespace).filter(|word| word.starts_with("eyJ"));
    signing::inspect(keys.next().expect("a mail with a key")).unwrap()
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
