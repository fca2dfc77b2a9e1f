//! What a person decides about charges.

use seatkey::{
    app::{self, Acknowledged, AppError, Resolution, acknowledge_finding, resolve_charge},
    domain::{charge::State, decision::Decision},
    simulator::UsageTrick,
    store::Finding,
};
use time::Duration;
use uuid::Uuid;

use super::{accepted, charges, findings, paid, report, states, upgrade};
use crate::{
    on_both_databases,
    support::{
        Stage,
        told::{known, ledger},
    },
};

on_both_databases! {
    what_never_arrived_is_told_again_as_a_correction;
    what_arrived_is_accepted;
    a_refused_charge_is_told_again_once_it_is_mended;
    a_conflict_is_written_off_and_stays_explained;
    a_risen_price_is_decided_by_a_person;
    one_person_alone_decides_nothing;
    a_change_of_plan_is_decided_with_its_last_charge;
    nobody_has_to_look_at_a_dropped_charge;
    an_old_difference_is_closed_by_a_person;
}

pub(super) async fn resolve(stage: &Stage, charge_id: Uuid, decision: Decision) -> Result<State, AppError> {
    let reason = "Microsoft’s support says so";
    resolve_charge(&stage.app, Resolution { charge_id, decision, reason, by: "Jo Brandt", approved_by: "Kim Lund" })
        .await
}

/// An upgrade whose answers never were clear, until its hour was over.
async fn unknown(stage: &Stage) -> (Uuid, Uuid) {
    let id = paid(stage).await;
    upgrade(stage, id, 200).await;
    stage.world().switch(|switches| switches.usage_trick = Some(UsageTrick::AllFail("Error".to_owned())));
    report(stage).await;
    stage.advance(Duration::hours(25));
    report(stage).await;
    stage.world().switch(|switches| switches.usage_trick = None);
    let charge = charges(stage, id).await[2].clone();
    assert_eq!(charge.state, State::Unknown);
    assert_eq!(findings(stage, id).await, ["charge_unknown"]);
    (id, charge.id)
}

async fn what_never_arrived_is_told_again_as_a_correction(stage: Stage) {
    let (id, charge) = unknown(&stage).await;
    assert!(resolve(&stage, charge, Decision::WriteOff).await.is_err());
    assert_eq!(resolve(&stage, charge, Decision::NotArrived).await.unwrap(), State::WrittenOff);
    assert_eq!(findings(&stage, id).await, [""; 0]);
    report(&stage).await;
    let ledger = ledger(&stage, id).await;
    let figures = ledger[2].strip_prefix("upgrade ").unwrap().strip_suffix(" written_off").unwrap();
    assert_eq!(ledger[3], format!("correction {figures} accepted"));
    assert_eq!(accepted(&stage).len(), 3);
    stage.settle().await;
    stage.finish().await;
}

async fn what_arrived_is_accepted(stage: Stage) {
    let (id, charge) = unknown(&stage).await;
    assert_eq!(resolve(&stage, charge, Decision::Accepted).await.unwrap(), State::Accepted);
    assert!(resolve(&stage, charge, Decision::Accepted).await.is_err(), "once");
    stage.settle().await;
    report(&stage).await;
    assert_eq!(findings(&stage, id).await, [""; 0]);
    assert_eq!(accepted(&stage).len(), 2, "nothing was sent");
    stage.finish().await;
}

async fn a_refused_charge_is_told_again_once_it_is_mended(stage: Stage) {
    let id = paid(&stage).await;
    upgrade(&stage, id, 200).await;
    stage.world().switch(|switches| switches.usage_trick = Some(UsageTrick::AllFail("InvalidDimension".to_owned())));
    report(&stage).await;
    stage.world().switch(|switches| switches.usage_trick = None);
    let charge = charges(&stage, id).await[2].clone();
    assert_eq!(charge.state, State::Rejected);
    assert_eq!(resolve(&stage, charge.id, Decision::ReportAgain).await.unwrap(), State::Due);
    stage.advance(Duration::hours(1));
    report(&stage).await;
    assert_eq!(states(&stage, id).await[2], State::Accepted);
    stage.settle().await;
    stage.finish().await;
}

async fn a_conflict_is_written_off_and_stays_explained(stage: Stage) {
    let id = paid(&stage).await;
    let posted = stage.world().post_foreign_usage(id, "konnekt-25-user", "1", stage.world().now()).unwrap();
    assert!(posted.usage_event_id.is_some());
    upgrade(&stage, id, 200).await;
    report(&stage).await;
    let charge = charges(&stage, id).await[2].clone();
    assert_eq!(charge.state, State::Conflict);
    assert_eq!(resolve(&stage, charge.id, Decision::WriteOff).await.unwrap(), State::WrittenOff);
    for _ in 0..3 {
        stage.advance(Duration::hours(6));
        report(&stage).await;
    }
    assert!(!super::is_locked(&stage).await, "it has been decided about");
    stage.settle().await;
    stage.finish().await;
}

async fn a_risen_price_is_decided_by_a_person(stage: Stage) {
    let id = super::enrolled(&stage).await;
    let charge = charges(&stage, id).await[0].clone();
    assert!(resolve(&stage, charge.id, Decision::Release).await.is_err(), "the hold is not over");
    stage.world().set_price("konnekt", "konnekt-yearly", "DE", "konnekt-25-base", "650").unwrap();
    stage.advance(Duration::days(31));
    report(&stage).await;
    assert_eq!(states(&stage, id).await, [State::Held, State::Accepted]);
    assert_eq!(findings(&stage, id).await, ["price_risen"]);
    let ledger = charges(&stage, id).await;
    let told = app::explain_charges(&stage.app, &known(&stage, id).await, &ledger, None).await.unwrap();
    let held = told.months.iter().flat_map(|month| &month.charges).find(|told| told.id == charge.id).unwrap();
    assert_eq!(held.standing, "Held; the price at Microsoft has risen, the publisher decides");
    assert_eq!(resolve(&stage, charge.id, Decision::Release).await.unwrap(), State::Due);
    report(&stage).await;
    assert_eq!(states(&stage, id).await, [State::Accepted; 2]);
    assert_eq!(findings(&stage, id).await, [""; 0]);
    stage.settle().await;
    stage.finish().await;
}

async fn one_person_alone_decides_nothing(stage: Stage) {
    let (_, charge_id) = unknown(&stage).await;
    let reason = "Microsoft’s support says so";
    let alone = Resolution { charge_id, decision: Decision::Accepted, reason, by: "Jo", approved_by: " jo" };
    assert!(matches!(resolve_charge(&stage.app, alone).await, Err(AppError::Decision(_))));
    let short = Resolution { approved_by: "Kim", reason: "yes", ..alone };
    assert!(matches!(resolve_charge(&stage.app, short).await, Err(AppError::Decision(_))));
    stage.settle().await;
    stage.finish().await;
}

/// What a refused change of plan does to the charges that are held.
async fn freeze(stage: &Stage, id: Uuid) -> Vec<Uuid> {
    let now = stage.world().now();
    let ids: Vec<Uuid> = charges(stage, id).await.iter().map(|charge| charge.id).collect();
    let tx = stage.app.store.begin().await.unwrap();
    tx.move_charges(&ids, (State::Held, State::Frozen), "the plan was changed", now).await.unwrap();
    for (kind, cause) in [("plan_changed", "another".to_owned()), ("charge_frozen", format!("{}/x", ids[0]))] {
        let (kind, detail) = (kind.to_owned(), "decide".to_owned());
        tx.record_finding(&Finding { subscription_id: id, kind, cause, detail, found_at: now }).await.unwrap();
    }
    tx.commit().await.unwrap();
    ids
}

async fn a_change_of_plan_is_decided_with_its_last_charge(stage: Stage) {
    let id = super::enrolled(&stage).await;
    let ids = freeze(&stage, id).await;
    resolve(&stage, ids[0], Decision::Release).await.unwrap();
    assert_eq!(findings(&stage, id).await, ["plan_changed"], "the other one waits");
    resolve(&stage, ids[1], Decision::Release).await.unwrap();
    assert_eq!(findings(&stage, id).await, [""; 0]);
    stage.settle().await;
    stage.finish().await;
}

async fn nobody_has_to_look_at_a_dropped_charge(stage: Stage) {
    let id = super::enrolled(&stage).await;
    freeze(&stage, id).await;
    assert!(stage.world().cancel(id));
    super::follow(&stage).await;
    assert_eq!(states(&stage, id).await, [State::Cancelled; 2]);
    assert_eq!(findings(&stage, id).await, ["plan_changed"]);
    stage.settle().await;
    stage.finish().await;
}

async fn an_old_difference_is_closed_by_a_person(stage: Stage) {
    let (id, waits) = unknown(&stage).await;
    let day = time::macros::date!(2026 - 02 - 15);
    stage.world().set_usage_verdict(id, "konnekt-25-base", day, "Mismatch", "0.5").unwrap();
    stage.advance(Duration::hours(1));
    super::compare(&stage).await;
    stage.advance(Duration::days(30));
    super::compare(&stage).await;
    assert_eq!(findings(&stage, id).await, ["charge_unknown", "usage_mismatch"], "too old to be compared");
    let look = "Partner Center case 4711";
    let open = stage.app.store.list_findings(id).await.unwrap();
    let [unknown, mismatch] = &open[..] else { panic!("{open:?}") };
    let close =
        async |kind: &str, cause: &str| acknowledge_finding(&stage.app, (id, kind, cause), (look, "Jo")).await.unwrap();
    assert_eq!(close(&unknown.kind, &unknown.cause).await, Acknowledged::ChargeWaits);
    assert_eq!(close(&mismatch.kind, "another").await, Acknowledged::NotOpen);
    let words = ["ledger", "acknowledge", &id.to_string(), &mismatch.kind, &mismatch.cause];
    let told = stage.run(&[&words[..], &["--reason", look, "--by", "Jo"]].concat());
    assert!(told.contains("is closed"), "{told}");
    assert_eq!(findings(&stage, id).await, ["charge_unknown"]);
    resolve(&stage, waits, Decision::Accepted).await.unwrap();
    stage.settle().await;
    stage.finish().await;
}
