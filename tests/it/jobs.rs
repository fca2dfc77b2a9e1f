//! Leases and row versions: alike on both databases, with several workers at once.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait as _;
use seatkey::{
    clock::Clock as _,
    store::{Claim, JobKind, Lease, Reader as _, StoreError},
};
use time::Duration;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    eight_workers_claim_each_job_once;
    a_lease_that_is_over_is_claimed_by_another;
    a_job_that_was_taken_over_is_out_of_its_old_owners_hands;
    a_job_of_a_newer_version_is_left_to_it;
    the_same_cause_makes_one_job;
    a_job_asked_for_anew_while_it_runs_runs_again;
    of_two_writers_one_wins_and_the_other_is_told;
    a_transaction_that_is_dropped_leaves_nothing;
}

async fn insert_jobs(stage: &Stage, count: usize) {
    let tx = stage.app.store.begin().await.unwrap();
    for _ in 0..count {
        tx.insert_job(JobKind::SendMail, Uuid::new_v4(), stage.clock.now()).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn finish_all(stage: &Stage, leases: impl IntoIterator<Item = Lease>) {
    for lease in leases {
        let tx = stage.app.store.begin().await.unwrap();
        tx.finish_job(lease).await.unwrap();
        tx.commit().await.unwrap();
    }
}

async fn eight_workers_claim_each_job_once(stage: Stage) {
    insert_jobs(&stage, 40).await;
    let now = stage.clock.now();
    let workers = (0..8).map(|_| {
        let store = stage.app.store.clone();
        tokio::spawn(async move {
            let claim = Claim { owner: Uuid::new_v4(), lease: Duration::MINUTE };
            let mut claimed = Vec::new();
            // A worker that loses all its candidates to faster ones looks again; forty looks see everything.
            for _ in 0..40 {
                claimed.extend(store.claim_job(claim, now).await.unwrap().map(|job| job.lease));
            }
            claimed
        })
    });
    let mut all = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        all.extend(worker.await.unwrap());
    }
    let distinct: BTreeSet<Uuid> = all.iter().map(|lease: &Lease| lease.job_id).collect();
    assert_eq!((all.len(), distinct.len()), (40, 40), "every job is claimed, none twice");
    finish_all(&stage, all).await;
    stage.finish().await;
}

async fn a_lease_that_is_over_is_claimed_by_another(stage: Stage) {
    insert_jobs(&stage, 1).await;
    let store = &stage.app.store;
    let claim = || Claim { owner: Uuid::new_v4(), lease: Duration::seconds(60) };
    let first = store.claim_job(claim(), stage.clock.now()).await.unwrap().unwrap();
    assert_eq!(store.claim_job(claim(), stage.clock.now()).await.unwrap(), None, "others keep away");
    stage.advance(Duration::seconds(60));
    let second = store.claim_job(claim(), stage.clock.now()).await.unwrap().unwrap();
    assert_eq!((second.lease.job_id, second.attempts), (first.lease.job_id, first.attempts + 1));
    finish_all(&stage, [second.lease]).await;
    stage.finish().await;
}

async fn a_job_that_was_taken_over_is_out_of_its_old_owners_hands(stage: Stage) {
    insert_jobs(&stage, 1).await;
    let store = &stage.app.store;
    let claim = || Claim { owner: Uuid::new_v4(), lease: Duration::seconds(60) };
    let slow = store.claim_job(claim(), stage.clock.now()).await.unwrap().unwrap().lease;
    stage.advance(Duration::seconds(60));
    let quick = store.claim_job(claim(), stage.clock.now()).await.unwrap().unwrap().lease;
    store.postpone_job(slow, stage.clock.now(), Some("too late")).await.unwrap();
    store.bury_job(slow, "too late").await.unwrap();
    finish_all(&stage, [slow]).await;
    assert_eq!(store.claim_job(claim(), stage.clock.now()).await.unwrap(), None, "the new lease holds");
    assert_eq!(store.count_dead_jobs().await.unwrap(), 0);
    assert_eq!(store.count_open_jobs(stage.clock.now()).await.unwrap(), 1);
    finish_all(&stage, [quick]).await;
    assert_eq!(store.count_open_jobs(stage.clock.now()).await.unwrap(), 0);
    stage.finish().await;
}

async fn a_job_of_a_newer_version_is_left_to_it(stage: Stage) {
    // More than a worker looks at in one round.
    insert_jobs(&stage, 20).await;
    let database = stage.app.store.connection();
    database.execute_unprepared("UPDATE job SET kind = 'of_the_future'").await.unwrap();
    stage.advance(Duration::SECOND);
    insert_jobs(&stage, 1).await;
    let claim = || Claim { owner: Uuid::new_v4(), lease: Duration::MINUTE };
    let known = stage.app.store.claim_job(claim(), stage.clock.now()).await.unwrap().expect("the one behind them");
    assert_eq!(stage.app.store.claim_job(claim(), stage.clock.now()).await.unwrap(), None);
    let touched = "UPDATE job SET state = 'done' WHERE kind = 'of_the_future' AND attempts = 0 AND lease_until = 0";
    assert_eq!(database.execute_unprepared(touched).await.unwrap().rows_affected(), 20, "nobody else has touched them");
    finish_all(&stage, [known.lease]).await;
    stage.finish().await;
}

async fn the_same_cause_makes_one_job(stage: Stage) {
    let cause = Uuid::new_v4();
    for _ in 0..2 {
        let tx = stage.app.store.begin().await.unwrap();
        tx.insert_job(JobKind::SendMail, cause, stage.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(stage.app.store.count_open_jobs(stage.clock.now()).await.unwrap(), 1);
    let claim = Claim { owner: cause, lease: Duration::MINUTE };
    let job = stage.app.store.claim_job(claim, stage.clock.now()).await.unwrap().unwrap();
    finish_all(&stage, [job.lease]).await;
    stage.finish().await;
}

async fn a_job_asked_for_anew_while_it_runs_runs_again(stage: Stage) {
    let (cause, now) = (Uuid::new_v4(), stage.clock.now());
    let schedule = async |at| {
        let tx = stage.app.store.begin().await.unwrap();
        tx.schedule_job(JobKind::ReconcileSubscription, cause, at, now).await.unwrap();
        tx.commit().await.unwrap();
    };
    let claim = || Claim { owner: Uuid::new_v4(), lease: Duration::MINUTE };
    schedule(now).await;
    let first = stage.app.store.claim_job(claim(), now).await.unwrap().unwrap();
    schedule(now).await;
    finish_all(&stage, [first.lease]).await;
    let again = stage.app.store.claim_job(claim(), now).await.unwrap().expect("it runs again");
    finish_all(&stage, [again.lease]).await;
    assert_eq!(stage.app.store.claim_job(claim(), now).await.unwrap(), None);
    schedule(now + Duration::DAY).await;
    schedule(now + Duration::HOUR).await;
    schedule(now + Duration::DAY).await;
    assert_eq!(
        stage.app.store.find_next_job_time().await.unwrap(),
        Some(now + Duration::HOUR),
        "the earlier one counts"
    );
    stage.advance(Duration::HOUR);
    let last = stage.app.store.claim_job(claim(), stage.clock.now()).await.unwrap().unwrap();
    finish_all(&stage, [last.lease]).await;
    stage.finish().await;
}

async fn of_two_writers_one_wins_and_the_other_is_told(stage: Stage) {
    let mut alex = seatkey::cli::browser::Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let store = &stage.app.store;
    let seen = store.find_subscription(id).await.unwrap().unwrap();
    let now = stage.clock.now();
    let tx = store.begin().await.unwrap();
    tx.update_subscription(&seen, now).await.unwrap();
    tx.commit().await.unwrap();
    let tx = store.begin().await.unwrap();
    let late = tx.update_subscription(&seen, now).await;
    assert!(matches!(late, Err(StoreError::Conflict("subscription"))), "{late:?}");
    drop(tx);
    stage.finish().await;
}

async fn a_transaction_that_is_dropped_leaves_nothing(stage: Stage) {
    let tx = stage.app.store.begin().await.unwrap();
    tx.insert_job(JobKind::SendMail, Uuid::new_v4(), stage.clock.now()).await.unwrap();
    drop(tx);
    assert_eq!(stage.app.store.count_open_jobs(stage.clock.now()).await.unwrap(), 0);
    stage.finish().await;
}
