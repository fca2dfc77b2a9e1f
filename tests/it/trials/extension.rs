//! A running trial, or grace period, made longer while nothing is reported.

use seatkey::{
    app::{self, TrialExtension, approve_trial, extend_trial},
    cli::browser::Browser,
    domain::{
        charge::{Reason, State as ChargeState},
        policy::Identity,
        trial_grant::{Extends, State, TrialRefused},
    },
    signing,
};
use time::{
    Duration,
    macros::{date, datetime},
};
use uuid::Uuid;

use super::{
    CONTOSO, REASON, accepted, ada, follow, found, held, known, mails_of, mira, move_to, part, refusal, standing,
};
use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    a_running_trial_is_made_longer_and_charged_for_what_is_left;
    a_longer_grace_period_is_reported_later;
    a_long_extension_waits_for_a_second_person;
    what_was_extended_can_still_be_changed_and_cancelled;
}

fn trial(id: Uuid, days: u32) -> TrialExtension<'static> {
    TrialExtension { subscription_id: id, extends: Extends::Trial, days, reason: REASON }
}

fn grace(id: Uuid, days: u32) -> TrialExtension<'static> {
    TrialExtension { extends: Extends::Grace, ..trial(id, days) }
}

async fn enrolled(stage: &Stage) -> Uuid {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    follow(stage).await;
    id
}

async fn change(stage: &Stage, id: Uuid, users: u32) {
    let who = Identity { tenant_id: CONTOSO, object_id: ALEX.parse().unwrap() };
    let change = app::review_change(&stage.app, who, &known(stage, id).await, users).await.unwrap();
    app::submit_change(&stage.app, who, &known(stage, id).await, change).await.unwrap();
    follow(stage).await;
}

async fn a_running_trial_is_made_longer_and_charged_for_what_is_left(stage: Stage) {
    let id = enrolled(&stage).await;
    stage.advance(Duration::days(3));
    change(&stage, id, 300).await;
    stage.advance(Duration::days(7));
    let before = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    let one = extend_trial(&stage.app, &mira(), trial(id, 14)).await.unwrap();
    assert_eq!((one.state, one.subscription_id), (State::Used, Some(id)));
    follow(&stage).await;
    // To 27 February: 321 of 365 days. The upgrade from 2,100.00 to 3,660.00 at 7.20 a user.
    let subscription = known(&stage, id).await;
    assert_eq!(subscription.trial_end, Some(date!(2026 - 02 - 27)));
    let upgrade = 156_000 * 1_000_000 * 321 / (720 * 365);
    let expected = [part(1, 321, 365), part(125, 321, 365), upgrade];
    assert_eq!(held(&stage, id).await, expected);
    let charges = standing(&stage, id).await;
    assert!(charges.iter().all(|one| one.reportable_from == datetime!(2026-02-28 0:00 UTC)));
    let upgrades = charges.iter().filter(|one| one.reason == Reason::Upgrade);
    assert_eq!(upgrades.map(|one| one.quantity.millionths()).collect::<Vec<_>>(), [upgrade]);
    let all = stage.app.store.list_charges(id).await.unwrap();
    assert_eq!(all.iter().filter(|one| one.state == ChargeState::Cancelled).count(), 3, "what they replace is kept");
    let key = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    assert_eq!((key.seq, key.expires_at - before.expires_at), (before.seq + 1, Duration::days(14)));
    let mail = &mails_of(&stage, "extended")[0];
    assert_eq!(mail.subject, "KONNEKT: your free trial now lasts until 27 February 2026");
    let text = mail.text.as_deref().unwrap();
    assert!(text.contains(&key.compact) && text.contains("28 February 2026"), "{text}");
    // Seven days before the new end, and not before the old one.
    move_to(&stage, datetime!(2026-02-14 12:00 UTC));
    follow(&stage).await;
    assert_eq!((accepted(&stage, id), mails_of(&stage, "trial_ends").len()), (vec![], 0));
    move_to(&stage, datetime!(2026-02-27 23:59 UTC));
    follow(&stage).await;
    assert_eq!(mails_of(&stage, "trial_ends").len(), 1, "those of the last day");
    assert_eq!(mails_of(&stage, "trial_reminder").len(), 1);
    stage.advance(Duration::minutes(2));
    follow(&stage).await;
    let refused = refusal(extend_trial(&stage.app, &mira(), trial(id, 14)).await);
    assert_eq!(refused, TrialRefused::Reported);
    // Two charges of one dimension take two hours.
    stage.advance(Duration::hours(3));
    follow(&stage).await;
    assert_eq!(accepted(&stage, id), expected);
    stage.finish().await;
}

async fn a_longer_grace_period_is_reported_later(stage: Stage) {
    // The second purchase has no trial: what is held is held by the grace period.
    let first = enrolled(&stage).await;
    let id = enrolled(&stage).await;
    assert_eq!(refusal(extend_trial(&stage.app, &mira(), trial(id, 14)).await), TrialRefused::NoTrial);
    let end = known(&stage, id).await.grace_end.unwrap();
    extend_trial(&stage.app, &mira(), grace(id, 4)).await.unwrap();
    follow(&stage).await;
    assert_eq!(known(&stage, id).await.grace_end, Some(end + Duration::days(4)));
    move_to(&stage, end + Duration::hours(95));
    follow(&stage).await;
    assert!(accepted(&stage, id).is_empty());
    assert!(mails_of(&stage, "extended")[0].subject.contains("the first fees are reported on 22 January 2026"));
    stage.advance(Duration::hours(2));
    follow(&stage).await;
    assert_eq!(accepted(&stage, id), [1_000_000, 125_000_000], "a grace period is not free");
    // The trial of the first one ends later than its grace period: nothing of it moves.
    let before = standing(&stage, first).await;
    assert_eq!(refusal(extend_trial(&stage.app, &mira(), grace(first, 4)).await), TrialRefused::NoGrace);
    assert_eq!(standing(&stage, first).await, before);
    stage.finish().await;
}

async fn a_long_extension_waits_for_a_second_person(stage: Stage) {
    let id = enrolled(&stage).await;
    assert_eq!(extend_trial(&stage.app, &mira(), trial(id, 60)).await.unwrap().state, State::Used);
    let before = known(&stage, id).await;
    let one = extend_trial(&stage.app, &mira(), trial(id, 31)).await.unwrap();
    assert_eq!(one.state, State::Proposed, "60 and 31 are more than 90");
    assert_eq!(known(&stage, id).await, before, "nothing has happened yet");
    assert_eq!(refusal(approve_trial(&stage.app, &mira(), one.id).await), TrialRefused::SamePerson);
    super::mira_is_known(&stage).await;
    approve_trial(&stage.app, &ada(), one.id).await.unwrap();
    follow(&stage).await;
    // 30 + 60 + 31 days.
    assert_eq!(known(&stage, id).await.trial_end, Some(date!(2026 - 05 - 15)));
    assert_eq!(held(&stage, id).await, [part(1, 365 - 121, 365), part(125, 365 - 121, 365)]);
    // What is approved when it is too late is refused.
    let late = extend_trial(&stage.app, &mira(), trial(id, 5)).await.unwrap();
    assert_eq!(late.state, State::Proposed);
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    assert_eq!(refusal(approve_trial(&stage.app, &ada(), late.id).await), TrialRefused::NotActive("suspended"));
    assert_eq!(found(&stage, late.id).await.state, State::Proposed);
    stage.finish().await;
}

async fn what_was_extended_can_still_be_changed_and_cancelled(stage: Stage) {
    let id = enrolled(&stage).await;
    extend_trial(&stage.app, &mira(), trial(id, 14)).await.unwrap();
    follow(&stage).await;
    // Fewer users, by the longer trial.
    change(&stage, id, 100).await;
    assert_eq!(held(&stage, id).await, [part(1, 321, 365), part(75, 321, 365)]);
    move_to(&stage, datetime!(2026-02-27 12:00 UTC));
    follow(&stage).await;
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    assert_eq!((standing(&stage, id).await, accepted(&stage, id)), (vec![], vec![]), "within the longer trial: free");
    let key = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    assert!(signing::inspect(&key.compact).unwrap().trial);
    stage.finish().await;
}
