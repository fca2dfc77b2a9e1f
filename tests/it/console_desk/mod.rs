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

use crate::support::{
    Stage,
    staff::post,
    told::{hides, shows},
};

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
