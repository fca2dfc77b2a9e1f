//! A backup is taken into use an hour, a day and a week after it was made. Nothing is accepted twice, nothing is lost without
//! being named.

use std::collections::BTreeMap;

use seatkey::{
    app::{FinishOptions, RestoreReport, begin_restore, finish_restore, reconcile_page},
    cli::browser::Browser,
    domain::{
        charge::{Charge, State},
        decision::Decision,
    },
    simulator::{Purchase, UsageTrick},
};
use time::{Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::{charges, enrolled, findings, follow, is_locked, report, run, upgrade};
use crate::{
    on_both_databases,
    support::{Stage, people::FABRIKAM},
};

on_both_databases! {
    a_backup_an_hour_old;
    a_backup_a_day_old;
    a_backup_a_week_old;
    a_backup_a_day_old_while_the_sums_lag_for_a_day;
    what_may_be_there_keeps_the_lock_until_the_sums_show_it;
    what_may_be_there_can_be_frozen_for_a_person;
    the_numbers_of_keys_jump;
}

/// The second subscription's hold ends then.
const RELEASE: OffsetDateTime = datetime!(2026-02-17 00:00 UTC);
pub(super) const ACCEPT: FinishOptions<'_> =
    FinishOptions { accept_foreign: Some("an order of the lost week"), freeze: false };

/// Two customers: the hold of the first one ends three days before that of the second one.
async fn two_customers(stage: &Stage) -> [Uuid; 2] {
    let first = enrolled(stage).await;
    stage.advance(Duration::days(3));
    let mut fabrikam = Browser::of(FABRIKAM).unwrap();
    let second = stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", FABRIKAM.parse().unwrap()));
    stage.enrol(&mut fabrikam, second, "300").await;
    stage.settle().await;
    follow(stage).await;
    [first, second]
}

/// The reporter works on until then.
async fn work_until(stage: &Stage, until: OffsetDateTime) {
    while stage.world().now() < until {
        let step = (until - stage.world().now()).min(Duration::hours(3));
        stage.advance(step);
        report(stage).await;
        stage.settle().await;
    }
}

/// What `seatkey restore finish` does.
pub(super) async fn finish(stage: &Stage, options: FinishOptions<'_>) -> RestoreReport {
    let mut continuation = None;
    loop {
        continuation = reconcile_page(&stage.app, continuation.as_deref()).await.unwrap().continuation;
        if continuation.is_none() {
            break;
        }
    }
    run(stage).await;
    finish_restore(&stage.app, options).await.unwrap().unwrap()
}

/// Everything that was owed, as the lost ledger had it: (subscription, dimension, quantity).
async fn owed(stage: &Stage, ids: &[Uuid]) -> Vec<(Uuid, Charge)> {
    let mut all = Vec::new();
    for id in ids {
        all.extend(charges(stage, *id).await.into_iter().map(|charge| (*id, charge)));
    }
    all
}

/// How often Microsoft has taken each (subscription, dimension, quantity).
fn taken(stage: &Stage) -> BTreeMap<(Uuid, String, String), u32> {
    let mut taken = BTreeMap::new();
    for usage in super::accepted(stage) {
        *taken.entry((usage.resource_id.unwrap(), usage.dimension, usage.quantity_text)).or_default() += 1;
    }
    taken
}

/// Each charge that was owed is accepted once and known as accepted here, or a person is told of it. Prints how many wait.
#[expect(clippy::print_stdout, reason = "the count of what waits for a person is a result")]
async fn account(stage: &Stage, name: &str, ids: &[Uuid], owed: &[(Uuid, Charge)]) {
    let taken = taken(stage);
    assert!(taken.values().all(|times| *times == 1), "{name}: twice: {taken:?}");
    let (mut here, mut acknowledged, mut waiting) = (0, 0, 0);
    for (id, charge) in owed {
        let same = |own: &&Charge| own.dimension == charge.dimension && own.quantity == charge.quantity;
        let mine = charges(stage, *id).await;
        let times = taken.get(&(*id, charge.dimension.clone(), charge.quantity.to_string())).copied().unwrap_or(0);
        match mine.iter().find(same).map(|own| own.state) {
            Some(State::Accepted) => {
                assert_eq!(times, 1, "{name}: {} is called accepted", charge.description);
                here += 1;
            }
            Some(state) if state.needs_a_person() => {
                assert!(!findings(stage, *id).await.is_empty(), "{name}: nobody is told");
                waiting += 1;
            }
            // Its order is lost; the person who finished the restore has acknowledged what Microsoft has of it.
            None => acknowledged += times,
            Some(state) => panic!("{name}: {} is {state:?}", charge.description),
        }
    }
    println!(
        "{name}: {} owed, {here} accepted, {acknowledged} lost orders acknowledged, {waiting} wait for a person, 0 twice",
        owed.len()
    );
    assert_eq!(here + usize::try_from(acknowledged).unwrap() + waiting, owed.len(), "{name}: lost silently");
    assert_eq!(ids.len(), 2);
}

/// The backup is made half its age before the second hold ends, with an event in doubt; half its age after it a restored
/// database is taken into use.
async fn story(mut stage: Stage, name: &str, age: Duration, lag_minutes: u32) {
    stage.world().switch(|switches| switches.usage_lag_minutes = lag_minutes);
    let ids = two_customers(&stage).await;
    work_until(&stage, RELEASE - age / 2 - Duration::minutes(5)).await;
    stage.world().switch(|switches| switches.usage_trick = Some(UsageTrick::Broken));
    upgrade(&stage, ids[0], 180).await;
    report(&stage).await;
    stage.settle().await;
    stage.advance(RELEASE - age / 2 - stage.world().now());
    let backup = stage.back_up().await;
    stage.world().switch(|switches| switches.usage_trick = None);
    // The future that is lost.
    work_until(&stage, RELEASE + Duration::minutes(5)).await;
    // Within the hour, the lost order needs a dimension of its own: its slot is free there.
    upgrade(&stage, ids[1], if age == Duration::hours(1) { 1_500 } else { 420 }).await;
    report(&stage).await;
    work_until(&stage, RELEASE + age / 2).await;
    let owed = owed(&stage, &ids).await;
    let all = owed.iter().all(|(_, charge)| charge.state == State::Accepted);
    assert!(all, "{name}: {:?}", owed.iter().map(|(_, charge)| charge.state).collect::<Vec<_>>());

    stage.restore(&backup).await;
    begin_restore(&stage.app).await.unwrap();
    report(&stage).await;
    assert!(is_locked(&stage).await);
    // A person looks again every few hours, until it is finished and the sums have shown everything.
    for _ in 0..20 {
        if is_locked(&stage).await {
            finish(&stage, ACCEPT).await;
        }
        stage.settle().await;
        stage.advance(Duration::hours(3));
        report(&stage).await;
    }
    assert!(!is_locked(&stage).await, "{name}: it is never finished");
    account(&stage, name, &ids, &owed).await;
    stage.settle().await;
    stage.finish().await;
}

async fn a_backup_an_hour_old(stage: Stage) {
    story(stage, "1 hour", Duration::hours(1), 120).await;
}

async fn a_backup_a_day_old(stage: Stage) {
    story(stage, "1 day", Duration::days(1), 120).await;
}

async fn a_backup_a_week_old(stage: Stage) {
    story(stage, "7 days", Duration::days(7), 120).await;
}

async fn a_backup_a_day_old_while_the_sums_lag_for_a_day(stage: Stage) {
    story(stage, "1 day, slow sums", Duration::days(1), 25 * 60).await;
}

/// The backup is an hour older than the end of a hold, and is taken into use 23 hours after it: the hour of the charges is
/// over, and the sums do not show them yet.
async fn over_and_not_shown(stage: &mut Stage) -> ([Uuid; 2], Vec<(Uuid, Charge)>) {
    stage.world().switch(|switches| switches.usage_lag_minutes = 25 * 60);
    let ids = two_customers(stage).await;
    work_until(stage, RELEASE - Duration::hours(1)).await;
    let backup = stage.back_up().await;
    work_until(stage, RELEASE + Duration::hours(23)).await;
    let owed = owed(stage, &ids).await;
    stage.restore(&backup).await;
    begin_restore(&stage.app).await.unwrap();
    (ids, owed)
}

async fn what_may_be_there_keeps_the_lock_until_the_sums_show_it(mut stage: Stage) {
    let (ids, owed) = over_and_not_shown(&mut stage).await;
    let report_now = finish(&stage, FinishOptions::default()).await;
    assert_eq!((report_now.may_be_there.len(), report_now.is_finished), (2, false));
    stage.advance(Duration::hours(27));
    super::compare(&stage).await;
    assert_eq!(findings(&stage, ids[1]).await, ["usage_foreign"; 2], "nobody has looked yet");
    let later = finish(&stage, FinishOptions::default()).await;
    assert_eq!(findings(&stage, ids[1]).await, [""; 0], "adopted is not foreign");
    assert_eq!((later.adopted.len(), later.frozen.len(), later.is_finished), (2, 0, true));
    report(&stage).await;
    account(&stage, "over, waited for", &ids, &owed).await;
    stage.settle().await;
    stage.finish().await;
}

async fn what_may_be_there_can_be_frozen_for_a_person(mut stage: Stage) {
    let (ids, owed) = over_and_not_shown(&mut stage).await;
    let frozen = finish(&stage, FinishOptions { freeze: true, ..FinishOptions::default() }).await;
    assert_eq!((frozen.frozen.len(), frozen.is_finished), (2, true));
    report(&stage).await;
    assert_eq!(findings(&stage, ids[1]).await, ["charge_frozen"; 2]);
    account(&stage, "over, frozen", &ids, &owed).await;
    // One of them is said to be there before the sums show it, the other one after it.
    let (first, second) = (frozen.frozen[0].charge_id.unwrap(), frozen.frozen[1].charge_id.unwrap());
    super::decisions::resolve(&stage, first, Decision::Accepted).await.unwrap();
    for _ in 0..6 {
        stage.advance(Duration::hours(6));
        report(&stage).await;
        super::compare(&stage).await;
        assert!(!is_locked(&stage).await, "what was set aside has arrived");
    }
    assert_eq!(findings(&stage, ids[1]).await, ["charge_frozen", "charge_arrived"]);
    super::decisions::resolve(&stage, second, Decision::Accepted).await.unwrap();
    assert_eq!(findings(&stage, ids[1]).await, [""; 0]);
    stage.advance(Duration::hours(6));
    report(&stage).await;
    super::compare(&stage).await;
    assert!(!is_locked(&stage).await && findings(&stage, ids[1]).await.is_empty(), "it stays explained");
    begin_restore(&stage.app).await.unwrap();
    assert!(finish(&stage, FinishOptions::default()).await.is_finished, "nor does a restore call it foreign");
    stage.settle().await;
    stage.finish().await;
}

async fn the_numbers_of_keys_jump(mut stage: Stage) {
    let id = super::paid(&stage).await;
    stage.settle().await;
    let seq = async |stage: &Stage| stage.app.store.find_newest_key(id).await.unwrap().unwrap().seq;
    let before = seq(&stage).await;
    let backup = stage.back_up().await;
    stage.restore(&backup).await;
    begin_restore(&stage.app).await.unwrap();
    assert!(finish(&stage, FinishOptions::default()).await.is_finished);
    stage.advance(Duration::hours(1));
    upgrade(&stage, id, 200).await;
    report(&stage).await;
    stage.settle().await;
    assert_eq!(seq(&stage).await, before + 1_000);
    stage.advance(Duration::hours(1));
    upgrade(&stage, id, 220).await;
    report(&stage).await;
    stage.settle().await;
    assert_eq!(seq(&stage).await, before + 1_001);
    stage.finish().await;
}
