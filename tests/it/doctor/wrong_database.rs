//! What is wrong with the database, and what it tells of the work.

use std::collections::BTreeSet;

use seatkey::{
    app::{
        checkup::Whose::{Database as DatabaseAdmin, Operations, PartnerCenter},
        reconcile_page,
    },
    clock::{Clock as _, random_id},
    domain::{api_key::ApiKey, staff::Scope},
    store::{Claim, JobKind, Store},
};
use time::Duration;

use super::bench::{Bench, Look, Wrong, complaints, execute};
use crate::support::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_wrong_is_named_and_left_alone() {
    let bench = Bench::set(Database::Sqlite).await;
    let missing = bench.file("missing.db");
    let configuration = bench.on(&format!("sqlite://{}", missing.display()));
    let expected = ("database.reachable", Wrong, DatabaseAdmin, "Correct [database] url");
    bench.complains("no file", &configuration, expected).await;
    assert!(!missing.exists(), "no file is made");

    let migrate = "Run seatkey migrate";
    let empty = bench.file("empty.db");
    std::fs::write(&empty, "").unwrap();
    let configuration = bench.on(&format!("sqlite://{}", empty.display()));
    bench.complains("an empty file", &configuration, ("database.schema", Wrong, Operations, migrate)).await;
    assert_eq!(std::fs::metadata(&empty).unwrap().len(), 0, "nothing is migrated");
    let older = bench.copy("wal").await;
    execute(&older, "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)").await;
    let saw = bench.complains("an older one", &bench.on(&older), ("database.schema", Wrong, Operations, migrate)).await;
    assert!(saw.starts_with("steps still to be done: 1, the first is m0"), "{saw}");
    let newer = bench.copy("wal").await;
    execute(&newer, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)").await;
    let expected = ("database.schema", Wrong, Operations, "Run the newer version of Seatkey");
    bench.complains("a newer one", &bench.on(&newer), expected).await;

    let read_only = bench.on(&format!("sqlite://{}?mode=ro", bench.file("seatkey.db").display()));
    let expected = ("database.rights", Wrong, DatabaseAdmin, "Make the user of [database] url the owner");
    bench.complains("a file that is only read", &read_only, expected).await;
    let rolled_back = bench.copy("delete").await;
    let expected = ("database.durable", Look, Operations, "Start the service once");
    bench.complains("no WAL", &bench.on(&rolled_back), expected).await;
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_waits_is_named() {
    let bench = Bench::set(Database::Sqlite).await;
    let now = bench.stage.clock.now();
    let an_hour_ago = now - Duration::HOUR;

    let late = bench.copy("wal").await;
    let store = Store::connect(&late).await.unwrap();
    let tx = store.begin().await.unwrap();
    tx.insert_job(JobKind::SendMail, random_id(), an_hour_ago).await.unwrap();
    tx.commit().await.unwrap();
    let expected = ("work.alive", Wrong, Operations, "Start seatkey work");
    let saw = bench.complains("nobody works", &bench.on(&late), expected).await;
    assert_eq!(saw, "a job has been due for 60 minutes");

    let claim = Claim { owner: random_id(), lease: Duration::MINUTE };
    let job = store.claim_job(claim, now).await.unwrap().unwrap();
    store.bury_job(job.lease, "the mail server said no").await.unwrap();
    let expected = ("work.dead_jobs", Look, Operations, "Mend what the job names");
    let saw = bench.complains("a job that gave up", &bench.on(&late), expected).await;
    assert_eq!(saw, "given up: 1, the first is send_mail: the mail server said no");
    store.close().await;

    let locked = bench.copy("wal").await;
    let store = Store::connect(&locked).await.unwrap();
    let tx = store.begin().await.unwrap();
    tx.lock_reporter("a backup was restored", now).await.unwrap();
    tx.commit().await.unwrap();
    let expected = ("work.reporter", Wrong, Operations, "Read why it is locked");
    bench.complains("a lock", &bench.on(&locked), expected).await;
    store.close().await;

    let ending = bench.copy("wal").await;
    let store = Store::connect(&ending).await.unwrap();
    let key =
        ApiKey::new((random_id(), now), "CRM", BTreeSet::from([Scope::QuotesRead]), 20, "anna".to_owned()).unwrap();
    let tx = store.begin().await.unwrap();
    tx.insert_api_key(&key, "digest").await.unwrap();
    tx.commit().await.unwrap();
    let expected = ("work.api_keys", Look, Operations, "Make a new key");
    bench.complains("a key that ends", &bench.on(&ending), expected).await;
    store.close().await;

    // Microsoft has told of the end by a webhook that never came; the comparison has found it.
    bench.stage.world().cancel(bench.seats);
    reconcile_page(&bench.stage.app, None).await.unwrap();
    let expected = ("work.webhooks", Look, PartnerCenter, "Enter <public_url>/webhook as");
    let outcomes = bench.examine(&bench.good).await;
    let late: Vec<String> = complaints(&outcomes).into_iter().filter(|one| !one.starts_with("work.alive")).collect();
    assert!(late.len() == 1 && late[0].starts_with(expected.0), "{late:#?}");
    bench.complains("no webhook", &bench.good, expected).await;
    bench.stage.strike().await;
}

/// The tests' cluster runs without fsync, and on the machine's time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_that_would_lose_commits_is_named() {
    let bench = Bench::set(Database::Postgres).await;
    let named = |configuration: String| {
        let bench = &bench;
        async move {
            let outcomes = bench.examine(&configuration).await;
            let bad = outcomes.iter().filter_map(|one| Some((one.check.id, one.verdict.mend()?.whose)));
            bad.collect::<Vec<_>>()
        }
    };
    let always = [("database.durable", DatabaseAdmin), ("clock.database", DatabaseAdmin)];
    assert_eq!(named(bench.good.clone()).await, always);
    let (_, rest) = bench.good.split_once("[database]\nurl = \"").unwrap();
    let url = rest.split('"').next().unwrap();
    let standby = format!("{url}&options=-c%20default_transaction_read_only%3Don");
    let with_rights = [("database.rights", DatabaseAdmin), always[0], always[1]];
    assert_eq!(named(bench.on(&standby)).await, with_rights);
    bench.stage.strike().await;
}
