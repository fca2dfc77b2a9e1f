//! The page of a subscription in the console: what it shows to whom, and what each role does there.

mod acts;
mod behalf;
mod extension;
mod page;
mod today;

use seatkey::{
    cli::browser::{Browser, Page},
    store::ListedEntry,
};
use uuid::Uuid;

use crate::support::{Stage, staff::post, told::stands_in};

/// Why, where a reason is asked for.
const WHY: (&str, &str) = ("reason", "asked for by phone today");

fn path(id: Uuid, act: &str) -> String {
    format!("console/subscriptions/{id}{act}")
}

async fn open(stage: &Stage, browser: &mut Browser, id: Uuid) -> Page {
    browser.open(stage.url(&path(id, ""))).await.unwrap()
}

async fn send(stage: &Stage, browser: &mut Browser, id: Uuid, act: &str, fields: &[(&str, &str)]) -> Page {
    post(stage, browser, &path(id, act), fields).await
}

/// The audit log, newest first.
async fn trail(stage: &Stage, id: Uuid) -> Vec<ListedEntry> {
    stage.app.store.list_trail(id, 200).await.unwrap()
}

#[track_caller]
fn shows(page: &Page, texts: &[&str]) {
    let told = page.text.replace("&#x2f;", "/");
    for text in texts {
        assert!(told.contains(text), "{} {} does not show “{text}”:\n{}", page.status, page.url, page.text);
    }
}

#[track_caller]
fn hides(page: &Page, texts: &[&str]) {
    for text in texts {
        assert!(!stands_in(&page.text, text), "{} shows “{text}”:\n{}", page.url, page.text);
    }
}
