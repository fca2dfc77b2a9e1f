//! The buyer's story in a real Chromium: on a laptop and on a phone, light and dark, without scripts, by keyboard alone.
//! Every page is checked as told in `look.rs`; the pictures are in `target/screenshots`.

mod account;
mod chrome;
mod console;
mod desk;
mod followed;
mod injections;
mod look;
mod steps;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use seatkey::simulator::Purchase;
use thirtyfour::Key;
use time::Duration;

use self::chrome::{Chrome, Window};
use crate::support::{
    Database, Stage,
    people::{ALEX, NORDWIND},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_on_a_laptop() {
    tell("laptop", Window::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_on_a_phone() {
    tell("phone", Window::Phone).await;
}

async fn tell(name: &'static str, window: Window) {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start(name, window).await;
    let id = chrome.subscribe(&stage).await;
    chrome.look("portal").await;
    chrome.configure().await;
    chrome.look("account-picker").await;
    chrome.pick(ALEX).await;
    enrol(&mut chrome).await;
    review(&mut chrome).await;
    activate(&mut chrome, &stage).await;
    read_the_mail(&mut chrome, &stage).await;
    leave(&mut chrome, &stage).await;
    assert_eq!(stage.world().activations(id), 1);
    drop(chrome);
    stage.finish().await;
}

/// Microsoft's end has pages, too: what is told of a subscription, and the buttons that make it happen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_portals_page_of_a_subscription() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start("portal", Window::Phone).await;
    let seats = Purchase::of("sample-seats", "team", ALEX.parse().unwrap());
    let id = stage.buy_as(Purchase { quantity: Some(9), auto_activate: true, ..seats });
    chrome.open(&stage.simulator.base_url().join(&format!("portal/subscriptions/{id}")).unwrap()).await;
    chrome.write("#quantity", "20").await;
    chrome.look("subscribed").await;
    chrome.click("form[action$='/change-seats'] button").await;
    chrome.read("dl", "ChangeQuantity in progress").await;
    chrome.click("form[action$='/suspend'] button").await;
    chrome.read("dl", "Suspended").await;
    chrome.read("table", "Suspend").await;
    chrome.look("suspended").await;
    chrome.click("form[action$='/clock'] button[value=term]").await;
    chrome.read("header", "2026-02-15").await;
    drop(chrome);
    stage.finish().await;
}

/// The cost follows what is typed, and so does the complaint.
async fn enrol(chrome: &mut Chrome) {
    chrome.see("#users").await;
    chrome.look("enrolment-empty").await;
    chrome.write("#users", "150").await;
    chrome.read("#projection .total strong", "2,100.00 EUR").await;
    chrome.write("#users", "300").await;
    chrome.read("#projection .total strong", "3,660.00 EUR").await;
    assert!(!chrome.shows("#users-why").await, "300 users are right");
    chrome.look("enrolment").await;
    chrome.write("#users", "20").await;
    chrome.read("#users-why", "Must be at least 25.").await;
    chrome.look("enrolment-too-few").await;
    chrome.write("#users", "300").await;
    chrome.read("#projection .total strong", "3,660.00 EUR").await;
    chrome.fill_in_contacts().await;
    chrome.write("#email", "nowhere").await;
    chrome.click("button[name=csrf]").await;
    chrome.read(".note.bad", "One answer needs another look").await;
    chrome.look_at_refusal("enrolment-complaint", 422).await;
    chrome.write("#email", "alex.weber@contoso.example").await;
    chrome.click("button[name=csrf]").await;
}

async fn review(chrome: &mut Chrome) {
    chrome.read("h1", "Review and submit").await;
    chrome.read(".stay .total strong", "3,359.18 EUR").await;
    chrome.read("main", "jo.brandt@contoso.example").await;
    chrome.look("review").await;
    chrome.click("form[data-once] button.button").await;
}

/// The page follows the work by itself, and ends at the key.
async fn activate(chrome: &mut Chrome, stage: &Stage) {
    chrome.read("h1", "Your order is on its way").await;
    chrome.look("progress").await;
    stage.settle().await;
    chrome.read("#key", "eyJ").await;
    chrome.click("button[data-copy]").await;
    chrome.read("button[data-copy]", "Copied").await;
    chrome.look("account").await;
}

async fn read_the_mail(chrome: &mut Chrome, stage: &Stage) {
    let key = chrome.see("#key").await.text().await.unwrap();
    chrome.open(&stage.simulator.base_url().join("mailbox").unwrap()).await;
    chrome.look("mailbox").await;
    chrome.click("main table a").await;
    let text = chrome.see("[data-part=text]").await.text().await.unwrap();
    assert!(text.contains(&key), "the mail does not carry the key");
    chrome.look("mail").await;
    // The mailbox lets no script near a mail, and the rules of accessibility are one: so not from there.
    let html = BASE64_STANDARD.encode(stage.world().mails()[0].html.as_deref().unwrap());
    chrome.open(&format!("data:text/html;charset=utf-8;base64,{html}").parse().unwrap()).await;
    chrome.look("mail-html").await;
}

async fn leave(chrome: &mut Chrome, stage: &Stage) {
    chrome.open(&stage.url("subscriptions")).await;
    chrome.read(".list", "konnekt-prod").await;
    chrome.look("subscriptions").await;
    chrome.click("form[action='/sign-out'] button").await;
    chrome.see("h1").await;
    chrome.look("signed-out").await;
    chrome.open(&stage.public_url).await;
    chrome.read("h1", "Sign in").await;
    chrome.look("landing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_without_scripts() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start("scriptless", Window::Desktop).await;
    chrome.forbid_scripts().await;
    let id = chrome.arrive(&stage).await;
    chrome.write("#users", "300").await;
    chrome.click("[data-without-script]").await;
    chrome.read("#projection .total strong", "3,660.00 EUR").await;
    chrome.look("enrolment").await;
    chrome.write("#users", "20").await;
    chrome.fill_in_contacts().await;
    chrome.click("button[name=csrf]").await;
    chrome.read("#users-why", "Must be at least 25.").await;
    chrome.look_at_refusal("enrolment-too-few", 422).await;
    chrome.write("#users", "300").await;
    chrome.click("button[name=csrf]").await;
    chrome.click("form[data-once] button.button").await;
    chrome.read("h1", "Your order is on its way").await;
    stage.settle().await;
    // The page looks again by itself, without a script.
    chrome.read("h1", "Your license key is ready").await;
    chrome.look("progress-finished").await;
    chrome.click(&format!("a.button[href$='{id}']")).await;
    chrome.read("#key", "eyJ").await;
    assert!(!chrome.shows("button[data-copy]").await, "a button that does nothing is shown");
    chrome.look("account").await;
    drop(chrome);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_by_keyboard_alone() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start("keyboard", Window::Desktop).await;
    chrome.arrive(&stage).await;
    chrome.press(Key::Tab).await;
    assert!(chrome.is_focused(".skip").await, "the first stop leads past the head");
    chrome.press(Key::Enter).await;
    chrome.tab_to("#users").await;
    chrome.press("300").await;
    chrome.read("#projection .total strong", "3,660.00 EUR").await;
    chrome.tab_to("#organisation").await;
    chrome.press("Contoso GmbH").await;
    chrome.tab_to("#technical_contact").await;
    chrome.press("jo.brandt@contoso.example").await;
    chrome.tab_to("#email").await;
    chrome.press("alex.weber@contoso.example").await;
    chrome.tab_to("summary").await;
    chrome.press(" ").await;
    chrome.see("details[open] table").await;
    chrome.tab_to("button[name=csrf]").await;
    chrome.look("enrolment").await;
    chrome.press(Key::Enter).await;
    chrome.read("h1", "Review and submit").await;
    chrome.tab_to("form[data-once] button.button").await;
    chrome.look("review").await;
    chrome.press(" ").await;
    chrome.read("h1", "Your order is on its way").await;
    stage.settle().await;
    chrome.read("#key", "eyJ").await;
    drop(chrome);
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_ends_help_on() {
    let stage = Stage::set(Database::Sqlite).await;
    let mut chrome = Chrome::start("dead-end", Window::Phone).await;
    let copied = stage.world().landing_address(stage.buy()).unwrap().1.parse().unwrap();
    chrome.open(&copied).await;
    chrome.pick(NORDWIND).await;
    chrome.see("a[href*='prompt=select_account']").await;
    chrome.look_at_refusal("stranger", 404).await;
    let old = stage.world().landing_address(stage.buy()).unwrap().1.parse().unwrap();
    stage.advance(Duration::hours(25));
    chrome.open(&old).await;
    chrome.pick(ALEX).await;
    chrome.read("main", "Configure account now").await;
    chrome.look_at_refusal("expired-link", 404).await;
    chrome.open(&stage.url("no-such-page")).await;
    chrome.see("h1").await;
    chrome.look_at_refusal("not-found", 404).await;
    drop(chrome);
    stage.finish().await;
}

impl Chrome {
    async fn is_focused(&self, css: &str) -> bool {
        self.evaluate(&format!("return document.activeElement.matches({})", serde_json::json!(css))).await
    }

    /// Goes on by Tab; whatever has the focus on the way shows it.
    async fn tab_to(&self, css: &str) {
        const MOST_STOPS: u32 = 40;
        for _ in 0..MOST_STOPS {
            if self.is_focused(css).await {
                return;
            }
            self.press(Key::Tab).await;
            let outline: String = self.evaluate("return getComputedStyle(document.activeElement).outlineStyle").await;
            assert_ne!(outline, "none", "a stop on the way to {css} does not show the focus");
        }
        panic!("{css} cannot be reached by Tab");
    }
}
