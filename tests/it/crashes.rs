//! The process is killed (SIGKILL) at every boundary of the enrolment and restarted: one transition to active, one key, one
//! mail. The boundaries are found by a recording run.

#![expect(clippy::print_stdout, reason = "the number of boundaries is printed")]

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use seatkey::{
    cli::browser::{BrowseError, Browser, Page},
    simulator::Purchase,
};
use time::Duration;
use uuid::Uuid;

use crate::support::{Database, enrolment_fields, people::ALEX, process::Installation};

/// More attempts than any single crash needs.
const ATTEMPTS: usize = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_boundary_on_sqlite() {
    kill_everywhere(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_boundary_on_postgres() {
    kill_everywhere(Database::Postgres).await;
}

async fn kill_everywhere(database: Database) {
    let names = record(database).await;
    println!("{database:?}: {} boundaries, {} kinds", names.len(), names.iter().collect::<BTreeSet<_>>().len());
    let kinds: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    for kind in ["before a commit", "after a commit", "before a mail", "after a mail", "after an intent is committed"] {
        assert!(kinds.contains(kind), "the recording run did not meet \"{kind}\": {kinds:?}");
    }
    let mut runs = stream::iter(1..=names.len()).map(|number| kill_at(database, number)).buffer_unordered(2);
    while runs.next().await.is_some() {}
}

/// An undisturbed run; gives the boundaries in the order in which they were reached.
async fn record(database: Database) -> Vec<String> {
    let mut installation = Installation::set(database).await;
    let log = installation.path("boundaries");
    assert!(installation.try_start(&[("SEATKEY_CRASH_LOG", log.display().to_string())]));
    let id = buy(&installation);
    live_through(&mut installation, id).await;
    let names = std::fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    installation.finish().await;
    names
}

/// One run with a kill at the N-th boundary, wherever that is this time.
async fn kill_at(database: Database, number: usize) {
    let mut installation = Installation::set(database).await;
    installation.try_start(&[("SEATKEY_CRASH_AT", number.to_string())]);
    let id = buy(&installation);
    live_through(&mut installation, id).await;
    let world = installation.world();
    let story = format!("{database:?}, killed at boundary {number}");
    assert_eq!(world.activations(id), 1, "{story}: transitions to active");
    let ids: BTreeSet<_> = world.mails().iter().map(|mail| mail.header("Message-ID").map(str::to_owned)).collect();
    assert_eq!(ids.len(), 1, "{story}: Message-IDs");
    let keys: BTreeSet<_> = world.mails().iter().map(|mail| mail.attachments[0].content.clone()).collect();
    assert_eq!(keys.len(), 1, "{story}: keys that were mailed");
    installation.finish().await;
}

pub(crate) fn buy(installation: &Installation) -> Uuid {
    installation.world().purchase(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()))
}

/// What a patient buyer does: whatever happens, they come back and go on where they are.
pub(crate) async fn live_through(installation: &mut Installation, id: Uuid) {
    let mut alex = Browser::of(ALEX).unwrap();
    let mut killed = false;
    for _ in 0..ATTEMPTS {
        match next_step(installation, &mut alex, id).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(BrowseError::Http(_)) if !killed => {
                killed = true;
                installation.start();
            }
            Err(error) => panic!("only one connection may break, when the process is killed: {error}"),
        }
        // Time passes: leases end, Microsoft gets on.
        installation.world().advance(Duration::SECOND).unwrap();
    }
    panic!("the enrolment does not come to an end");
}

/// One look at the page, and what it asks for; true when the key is there and mailed.
pub(crate) async fn next_step(installation: &Installation, alex: &mut Browser, id: Uuid) -> Result<bool, BrowseError> {
    let url = |path: String| installation.public_url.join(&path).unwrap();
    let page = alex.open(url(format!("subscriptions/{id}"))).await?;
    let path = page.url.path().to_owned();
    if page.status == 404 {
        let (_, landing) = installation.world().landing_address(id).unwrap();
        alex.open(landing.parse().unwrap()).await?;
    } else if path.ends_with("/enrol") {
        let fields = enrolment_fields(&page, "150");
        let review = alex.post_form(url(format!("subscriptions/{id}/enrol/review")), &fields).await?;
        submit(alex, url(format!("subscriptions/{id}/enrol/submit")), &review).await?;
    } else if page.text.contains("eyJhbGci") {
        return Ok(!installation.world().mails().is_empty());
    }
    Ok(false)
}

async fn submit(alex: &mut Browser, url: url::Url, review: &Page) -> Result<(), BrowseError> {
    let fields = [("csrf", review.field("csrf")?), ("quote", review.field("quote")?)];
    alex.post_form(url, &fields).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_the_service_in_order() {
    let mut installation = Installation::set(Database::Sqlite).await;
    installation.start();
    assert_eq!(installation.stop(), Some(0), "an orderly end");
    installation.finish().await;
}
