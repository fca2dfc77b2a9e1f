//! What happens when Microsoft has something else than the ledger: the alarm, a person's decisions, a restored database, the
//! daily comparison.

mod alarm;
mod backups;
mod daily;
mod decisions;
mod renewals;

use std::sync::Arc;

use seatkey::{
    app::{self, ChangeSubmitted},
    cli::browser::Browser,
    domain::{
        charge::{Charge, State},
        policy::Identity,
    },
    jobs::Runner,
    simulator::{Fault, FaultAction, ReceivedUsage},
};
use time::Duration;
use uuid::Uuid;

use crate::support::{Stage, people::ALEX, told::known};

/// 150 users, activated on 2026-01-15 with a trial until 2026-02-13.
async fn enrolled(stage: &Stage) -> Uuid {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    follow(stage).await;
    id
}

/// The same, and Microsoft has the fees of the first term.
async fn paid(stage: &Stage) -> Uuid {
    let id = enrolled(stage).await;
    stage.advance(Duration::days(31));
    report(stage).await;
    assert_eq!(states(stage, id).await, [State::Accepted; 2]);
    // The next charge finds its hour free.
    stage.advance(Duration::hours(2));
    id
}

/// Everything that Microsoft has to say arrives, and is acted upon.
async fn follow(stage: &Stage) {
    while stage.world().deliver_due().await > 0 {}
    stage.settle().await;
}

/// The reporter looks once, with everything that follows.
async fn report(stage: &Stage) {
    app::schedule_reporting(&stage.app).await.unwrap();
    run(stage).await;
}

async fn run(stage: &Stage) {
    Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
}

/// Everything is compared with Microsoft's sums.
async fn compare(stage: &Stage) {
    app::schedule_usage_reconciliation(&stage.app).await.unwrap();
    run(stage).await;
}

/// More users from today on.
async fn upgrade(stage: &Stage, id: Uuid, users: u32) {
    let subscription = known(stage, id).await;
    let buyer = &subscription.microsoft.purchaser;
    let who = Identity { tenant_id: buyer.tenant_id.unwrap(), object_id: buyer.object_id.unwrap() };
    let change = app::review_change(&stage.app, who, &subscription, users).await.unwrap();
    let done = app::submit_change(&stage.app, who, &subscription, change).await.unwrap();
    assert!(matches!(done, ChangeSubmitted::Accepted(_)));
}

async fn charges(stage: &Stage, id: Uuid) -> Vec<Charge> {
    stage.app.store.list_charges(id).await.unwrap()
}

async fn states(stage: &Stage, id: Uuid) -> Vec<State> {
    charges(stage, id).await.iter().map(|charge| charge.state).collect()
}

/// The kinds of what is open.
async fn findings(stage: &Stage, id: Uuid) -> Vec<String> {
    let findings = stage.app.store.list_findings(id).await.unwrap();
    findings.into_iter().map(|finding| finding.kind).collect()
}

async fn is_locked(stage: &Stage) -> bool {
    stage.app.store.get_reporter().await.unwrap().lock.is_some()
}

/// What we sent and Microsoft accepted.
fn accepted(stage: &Stage) -> Vec<ReceivedUsage> {
    stage.world().accepted_usage().into_iter().filter(|usage| !usage.foreign).collect()
}

/// Requests to a path are answered with 503, for long.
fn break_down(stage: &Stage, path: &str) {
    let action = FaultAction { status: Some(503), ..FaultAction::default() };
    let path = path.to_owned();
    assert!(stage.world().add_fault(Fault { path, method: None, nth: 1, count: 1_000, action }));
}
