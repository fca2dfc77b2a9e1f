//! A database with a life in it, and somebody who changes one thing behind our back: the verification finds it, each time.
//!
//! `SEATKEY_SAMPLES=10000 cargo test --test it -- tampering --nocapture` is the long form; `SEATKEY_SEED` repeats a run.

#![expect(clippy::print_stdout, reason = "the seed and the numbers are printed")]

mod edits;

use std::collections::BTreeMap;

use sea_orm::ConnectionTrait as _;
use seatkey::{
    clock::Clock as _,
    domain::credit::CreditWish,
    simulator::{Fault, FaultAction},
    store::{AuditEntry, HOUSE, NewCredit, Reader as _, Store, Tx},
};
use uuid::Uuid;

use crate::support::{
    Database, Stage,
    chance::{Chance, how_many, seeds},
    years::{enrolled, flaws, follow, report_after, upgrade},
};
use edits::Rows;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_single_edit_is_found_on_sqlite() {
    tamper(Database::Memory, how_many("SEATKEY_SAMPLES", 1_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_single_edit_is_found_on_postgres() {
    tamper(Database::Postgres, how_many("SEATKEY_SAMPLES", 1_000).div_ceil(5)).await;
}

/// Four subscriptions: accepted charges, of which something was given back, upgrades, one whose report is in doubt; the third one was cancelled, and its buyer
/// is erased; everything of the fourth is held. Some
/// entries belong to none of them.
async fn live(database: Database) -> Stage {
    let stage = Stage::set(database).await;
    let (first, second) = (enrolled(&stage, "150").await, enrolled(&stage, "40").await);
    let third = enrolled(&stage, "30").await;
    assert!(stage.world().cancel(third));
    follow(&stage).await;
    let tx = stage.app.store.begin().await.unwrap();
    assert!(tx.erase_personal_data(third, stage.clock.now()).await.unwrap());
    tx.commit().await.unwrap();
    report_after(&stage, 35).await;
    credit(&stage, first).await;
    upgrade(&stage, first, 300).await;
    report_after(&stage, 60).await;
    assert!(stage.world().suspend(second));
    follow(&stage).await;
    assert!(stage.world().reinstate(second));
    follow(&stage).await;
    upgrade(&stage, second, 90).await;
    let broken = FaultAction { status: Some(500), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: 100, ..Fault::next("/api/batchUsageEvent", broken) });
    upgrade(&stage, first, 310).await;
    report_after(&stage, 0).await;
    enrolled(&stage, "60").await;
    for action in ["staff_signed_in", "trial_granted", "api_key_created"] {
        let tx = stage.app.store.begin().await.unwrap();
        let entry = AuditEntry { subscription_id: HOUSE, actor: "operator:Jo", action, detail: "{}" };
        tx.record_audit(entry, stage.clock.now());
        tx.commit().await.unwrap();
    }
    stage
}

/// Microsoft has given something back of each of its charges.
async fn credit(stage: &Stage, id: Uuid) {
    let wish = CreditWish::from_text("a credit of 5.00 EUR, case 2611150040001234").unwrap();
    for charge in stage.app.store.list_charges(id).await.unwrap() {
        let tx = stage.app.store.begin().await.unwrap();
        let new = NewCredit { charge_id: charge.id, wish: &wish, cause_id: charge.id, reason: "two people" };
        tx.insert_credit(new, stage.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn tamper(database: Database, samples: usize) {
    let stage = live(database).await;
    let (found, entries) = flaws(&stage).await;
    assert_eq!(found, Vec::<String>::new(), "nobody has changed anything yet");
    let rows = Rows::read(&stage.app.store).await;
    println!("{database:?}: {entries} entries, {rows}");
    rows.check_variety();
    let seed = seeds(1)[0];
    let mut chance = Chance::of(seed);
    let mut counts = BTreeMap::<String, usize>::new();
    let (mut done, mut without_effect) = (0, 0);
    while done < samples {
        let edit = rows.think_of(&mut chance);
        let tx = without_foreign_keys(&stage.app.store, database).await;
        if !edit.make(&tx).await {
            // The database refused it, or the row had the value already.
            without_effect += 1;
            continue;
        }
        assert!(is_found(&tx).await, "SEATKEY_SEED={seed}, number {done}: nobody noticed: {edit}");
        *counts.entry(edit.kind().to_owned()).or_default() += 1;
        done += 1;
    }
    let (met, kinds) = (counts.len(), Rows::kinds());
    println!("seed {seed}: {done} edits of {met} kinds out of {kinds} found; {without_effect} more changed nothing");
    println!("{counts:?}");
    assert_eq!(flaws(&stage).await.0, Vec::<String>::new(), "everything was rolled back");
    stage.world().clear_faults();
    report_after(&stage, 0).await;
    stage.finish().await;
}

async fn is_found(tx: &Tx) -> bool {
    let page = tx.verify_page(None).await.unwrap();
    let (_, house) = tx.verify_house().await.unwrap();
    !page.flaws.is_empty() || !house.is_empty() || !tx.find_strays().await.unwrap().is_empty()
}

/// Whoever tampers with a file is not stopped by foreign keys.
async fn without_foreign_keys(store: &Store, database: Database) -> Tx {
    let tx = store.begin().await.unwrap();
    let order = match database {
        Database::Postgres => "SET LOCAL session_replication_role = replica",
        _ => "PRAGMA defer_foreign_keys = ON",
    };
    tx.connection().execute_unprepared(order).await.unwrap();
    tx
}
