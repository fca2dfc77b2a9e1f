//! Usage that nobody here knows of locks the reporter.

use sea_orm::ConnectionTrait as _;
use seatkey::{
    app::{FinishOptions, begin_restore, finish_restore},
    cli::browser::Browser,
    domain::charge::State,
    simulator::{Purchase, World},
    store::Reader as _,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{accepted, break_down, findings, is_locked, paid, report, states, upgrade};
use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    foreign_usage_locks_the_reporter;
    our_own_usage_raises_no_alarm;
    our_own_usage_under_another_plan_raises_no_alarm;
    a_test_that_is_billed_to_nobody_raises_no_alarm;
    nothing_is_sent_before_the_first_look;
    a_failing_look_does_not_stop_a_reporter_that_has_looked;
}

fn foreign(world: &World, id: Uuid, at: OffsetDateTime) {
    let posted = world.post_foreign_usage(id, "konnekt-250-base", "3", at).unwrap();
    assert!(posted.usage_event_id.is_some());
}

async fn foreign_usage_locks_the_reporter(stage: Stage) {
    let id = paid(&stage).await;
    foreign(stage.world(), id, stage.world().now());
    report(&stage).await;
    assert!(!is_locked(&stage).await, "the sums lag");
    stage.advance(Duration::hours(3));
    report(&stage).await;
    assert!(is_locked(&stage).await);
    assert_eq!(findings(&stage, id).await, ["usage_foreign"]);
    upgrade(&stage, id, 200).await;
    report(&stage).await;
    assert_eq!(states(&stage, id).await[2], State::Due, "nothing is sent");
    stage.settle().await;
    stage.finish().await;
}

async fn our_own_usage_raises_no_alarm(stage: Stage) {
    let id = paid(&stage).await;
    for day in 0..5 {
        if day == 2 {
            upgrade(&stage, id, 200).await;
        }
        stage.advance(Duration::days(1));
        report(&stage).await;
    }
    assert!(!is_locked(&stage).await);
    let reporter = stage.app.store.get_reporter().await.unwrap();
    assert_eq!(reporter.checked_at, Some(stage.world().now()));
    assert!(reporter.confirmed_day.is_some_and(|day| day > time::macros::date!(2026 - 02 - 14)));
    assert_eq!(accepted(&stage).len(), 3);
    stage.finish().await;
}

async fn our_own_usage_under_another_plan_raises_no_alarm(stage: Stage) {
    let id = paid(&stage).await;
    let moved = "UPDATE usage_event SET body = REPLACE(body, 'konnekt-yearly', 'konnekt-monthly')";
    stage.app.store.connection().execute_unprepared(moved).await.unwrap();
    stage.advance(Duration::hours(27));
    report(&stage).await;
    assert!(!is_locked(&stage).await, "it is all there");
    super::compare(&stage).await;
    assert_eq!(findings(&stage, id).await, ["usage_different"; 2], "a person is told");
    begin_restore(&stage.app).await.unwrap();
    let finished = finish_restore(&stage.app, FinishOptions::default()).await.unwrap().unwrap();
    assert!(finished.is_finished, "{finished:?}");
    foreign(stage.world(), id, stage.world().now());
    stage.advance(Duration::hours(3));
    report(&stage).await;
    assert!(is_locked(&stage).await);
    stage.finish_tampered().await;
}

async fn a_test_that_is_billed_to_nobody_raises_no_alarm(stage: Stage) {
    let test = Some("DryRun".to_owned());
    let purchase = Purchase { session_mode: test, ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()) };
    let id = stage.buy_as(purchase);
    stage.enrol(&mut Browser::of(ALEX).unwrap(), id, "150").await;
    stage.settle().await;
    super::follow(&stage).await;
    foreign(stage.world(), id, stage.world().now());
    stage.advance(Duration::hours(3));
    report(&stage).await;
    assert!(!is_locked(&stage).await);
    assert_eq!(findings(&stage, id).await, [""; 0]);
    stage.advance(Duration::days(31));
    begin_restore(&stage.app).await.unwrap();
    let finished = finish_restore(&stage.app, FinishOptions::default()).await.unwrap().unwrap();
    assert!(finished.is_finished, "{finished:?}");
    stage.settle().await;
    stage.finish().await;
}

async fn nothing_is_sent_before_the_first_look(mut stage: Stage) {
    let id = paid(&stage).await;
    stage.advance(Duration::hours(2));
    stage.restart().await;
    upgrade(&stage, id, 200).await;
    break_down(&stage, "/api/usageEvents");
    report(&stage).await;
    assert_eq!(states(&stage, id).await[2], State::Due);
    stage.world().clear_faults();
    stage.advance(Duration::minutes(2));
    report(&stage).await;
    assert_eq!(states(&stage, id).await[2], State::Accepted);
    stage.settle().await;
    stage.finish().await;
}

async fn a_failing_look_does_not_stop_a_reporter_that_has_looked(stage: Stage) {
    let id = paid(&stage).await;
    stage.advance(Duration::hours(2));
    upgrade(&stage, id, 200).await;
    break_down(&stage, "/api/usageEvents");
    report(&stage).await;
    assert_eq!(states(&stage, id).await[2], State::Accepted);
    stage.settle().await;
    stage.finish().await;
}
