//! A renewal after a restore: it is written anew from Microsoft's new term, and what the lost database told of it may have
//! had another hour, and other figures.

use seatkey::{
    app::{begin_restore, reconcile_page},
    domain::charge::State,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    accepted,
    backups::{ACCEPT, finish},
    break_down, charges, findings, follow, is_locked, paid, report, run, states, upgrade,
};
use crate::{on_both_databases, support::Stage};

on_both_databases! {
    a_renewal_written_anew_before_the_lock_is_not_told_twice;
    a_renewal_that_was_told_in_other_figures_waits_for_a_person;
}

/// An hour before the second term.
async fn before_the_renewal(stage: &Stage) -> Uuid {
    let id = paid(stage).await;
    let ends_at = charges(stage, id).await[0].term_start.midnight().assume_utc() + Duration::days(365);
    stage.advance(ends_at - Duration::hours(1) - stage.world().now());
    report(stage).await;
    stage.settle().await;
    id
}

/// Microsoft's second term has begun, and the service has acted upon it.
async fn renew(stage: &Stage, id: Uuid) {
    stage.world().advance_past_term(id).unwrap();
    follow(stage).await;
    stage.advance(Duration::minutes(5));
    report(stage).await;
    stage.settle().await;
}

async fn sweep(stage: &Stage) {
    assert_eq!(reconcile_page(&stage.app, None).await.unwrap().continuation, None);
    run(stage).await;
}

fn told(stage: &Stage, since: OffsetDateTime) -> Vec<(String, String)> {
    let usage = accepted(stage).into_iter().filter(|usage| usage.at >= since);
    let mut told: Vec<(String, String)> = usage.map(|usage| (usage.dimension, usage.quantity_text)).collect();
    told.sort();
    told
}

async fn a_renewal_written_anew_before_the_lock_is_not_told_twice(mut stage: Stage) {
    let id = before_the_renewal(&stage).await;
    let (backup, backed_up_at) = (stage.back_up().await, stage.world().now());
    let now = stage.world().now();
    assert!(stage.world().post_foreign_usage(id, "konnekt-250-base", "3", now).unwrap().usage_event_id.is_some());
    renew(&stage, id).await;
    assert_eq!(told(&stage, backed_up_at).len(), 2);
    stage.advance(Duration::hours(1));
    // Nobody has said `restore begin`, and the first look fails: the renewal is written before anything is locked.
    stage.restore(&backup).await;
    break_down(&stage, "/api/usageEvents");
    sweep(&stage).await;
    assert_eq!(states(&stage, id).await[2..], [State::Due; 2]);
    stage.world().clear_faults();
    stage.advance(Duration::minutes(2));
    report(&stage).await;
    assert!(is_locked(&stage).await, "the sum of the lost day is shown, those of the renewal lag");
    stage.advance(Duration::minutes(5));
    begin_restore(&stage.app).await.unwrap();
    let (_, reason) = stage.app.store.get_reporter().await.unwrap().lock.unwrap();
    assert!(reason.contains("locked before, since"), "{reason}");
    let waits = finish(&stage, ACCEPT).await;
    assert_eq!((waits.may_be_there.len(), waits.sent_again, waits.is_finished), (2, 0, false), "{waits:?}");
    stage.advance(Duration::hours(27));
    let finished = finish(&stage, ACCEPT).await;
    assert_eq!((finished.adopted.len(), finished.is_finished), (2, true), "{finished:?}");
    report(&stage).await;
    stage.settle().await;
    assert_eq!(told(&stage, backed_up_at).len(), 2, "once");
    stage.finish().await;
}

async fn a_renewal_that_was_told_in_other_figures_waits_for_a_person(mut stage: Stage) {
    let id = before_the_renewal(&stage).await;
    let (backup, backed_up_at) = (stage.back_up().await, stage.world().now());
    upgrade(&stage, id, 100).await;
    renew(&stage, id).await;
    let lost = told(&stage, backed_up_at);
    assert_eq!(lost, [("konnekt-25-base", "1"), ("konnekt-25-user", "75")].map(|(d, q)| (d.to_owned(), q.to_owned())));
    stage.advance(Duration::hours(1));
    stage.restore(&backup).await;
    begin_restore(&stage.app).await.unwrap();
    sweep(&stage).await;
    stage.advance(Duration::hours(27));
    let finished = finish(&stage, ACCEPT).await;
    assert_eq!((finished.adopted.len(), finished.frozen.len(), finished.is_finished), (1, 1, true), "{finished:?}");
    report(&stage).await;
    let renewal = charges(&stage, id).await.split_off(2);
    let of = |dimension: &str| renewal.iter().find(|charge| charge.dimension == dimension).map(|charge| charge.state);
    assert_eq!((of("konnekt-25-base"), of("konnekt-25-user")), (Some(State::Accepted), Some(State::Frozen)));
    assert_eq!(findings(&stage, id).await, ["charge_frozen"]);
    assert_eq!(told(&stage, backed_up_at), lost, "nothing more is told");
    stage.settle().await;
    stage.finish().await;
}
