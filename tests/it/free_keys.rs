//! No key outlives what was paid for (`product.md` §5): for every way of not paying, the last day on which any key works,
//! where nobody ever goes online to hear of a revocation.

#![expect(clippy::print_stdout, reason = "the list is printed")]

use seatkey::{
    app,
    clock::Clock as _,
    domain::{charge::State, policy::Identity},
    signing,
    simulator::Purchase,
};
use time::{
    Date, Duration, OffsetDateTime,
    macros::{date, datetime},
};
use uuid::Uuid;

use crate::support::{Stage, lab::Lab, people::ALEX, stage};

/// Without a trial: activated on 2026-01-15, held for 72 hours; the term ends on 2027-01-14.
const TERM_END: OffsetDateTime = datetime!(2027-01-15 0:00 UTC);
/// The hold and 14 days.
const HOLD_AND_LEEWAY: Date = date!(2026 - 02 - 01);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_day_of_every_key_that_nobody_paid_for() {
    let mut told = Vec::new();
    told.push(("cancelled in the 71st hour", cancelled_in_the_71st_hour().await));
    told.push(("upgraded, then cancelled while held", upgraded_and_cancelled_while_held().await));
    told.push(("a renewal whose payment fails at once", a_renewal_whose_payment_fails().await));
    told.push(("a renewal that is suspended before it is reported", a_renewal_that_is_never_paid_for().await));
    told.push(("more users on the last day, fewer planned", more_users_on_the_last_day().await));
    for (way, (users, last)) in &told {
        let day = (*last - Duration::SECOND).date();
        println!("{way:<52} {users:>4} users  last day {day}");
    }
    let last_days: Vec<(u32, Date)> =
        told.iter().map(|(_, (users, last))| (*users, (*last - Duration::SECOND).date())).collect();
    assert_eq!(
        last_days,
        [
            (150, HOLD_AND_LEEWAY),
            (300, HOLD_AND_LEEWAY),
            // Nothing beyond the term that was paid.
            (150, date!(2027 - 01 - 14)),
            (150, date!(2027 - 01 - 14)),
            (300, date!(2027 - 01 - 14)),
        ]
    );
}

async fn enrolled() -> (Lab, Uuid) {
    let catalog = stage::catalog().replacen("trial_days = 30\n", "", 1);
    let lab = Lab::open_with(&catalog, seatkey::simulator::Seed::default()).await;
    let id = lab.stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()));
    lab.enrol(&[id], 150).await;
    follow(&lab).await;
    (lab, id)
}

async fn follow(lab: &Lab) {
    app::schedule_reporting(&lab.stage.app).await.unwrap();
    lab.run_due().await;
    while lab.world().deliver_due().await > 0 {}
    lab.stage.settle().await;
}

async fn change(stage: &Stage, id: Uuid, users: u32) {
    let tenant_id = "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44".parse().unwrap();
    let who = Identity { tenant_id, object_id: ALEX.parse().unwrap() };
    let known = stage.app.store.find_subscription(id).await.unwrap().unwrap();
    let change = app::review_change(&stage.app, who, &known, users).await.unwrap();
    app::submit_change(&stage.app, who, &known, change).await.unwrap();
}

fn advance_to(lab: &Lab, at: OffsetDateTime) {
    lab.advance(at - lab.stage.clock.now());
}

/// The most users that any key names, and until when a key for so many works.
async fn the_best_key(lab: Lab, id: Uuid) -> (u32, OffsetDateTime) {
    let keys = lab.stage.app.store.list_license_keys(id).await.unwrap();
    let claims = keys.iter().map(|key| signing::inspect(&key.compact).unwrap());
    let best = claims.map(|claims| (claims.users.unwrap(), claims.exp)).max().unwrap();
    lab.stage.finish().await;
    (best.0, OffsetDateTime::from_unix_timestamp(best.1).unwrap())
}

async fn cancelled_in_the_71st_hour() -> (u32, OffsetDateTime) {
    let (lab, id) = enrolled().await;
    lab.advance(Duration::hours(71));
    follow(&lab).await;
    assert!(lab.world().cancel(id));
    follow(&lab).await;
    nothing_was_charged(&lab, id).await;
    the_best_key(lab, id).await
}

async fn upgraded_and_cancelled_while_held() -> (u32, OffsetDateTime) {
    let (lab, id) = enrolled().await;
    lab.advance(Duration::hours(48));
    change(&lab.stage, id, 300).await;
    follow(&lab).await;
    lab.advance(Duration::hours(23));
    assert!(lab.world().cancel(id));
    follow(&lab).await;
    nothing_was_charged(&lab, id).await;
    the_best_key(lab, id).await
}

/// Microsoft suspends in the moment of the renewal, and ends it after 30 days.
async fn a_renewal_whose_payment_fails() -> (u32, OffsetDateTime) {
    let (lab, id) = enrolled().await;
    advance_to(&lab, TERM_END - Duration::HOUR);
    follow(&lab).await;
    lab.world().advance_past_term(id).unwrap();
    assert!(lab.world().suspend(id));
    follow(&lab).await;
    lab.advance(Duration::days(31));
    follow(&lab).await;
    renewal_was_not_charged(&lab, id).await;
    the_best_key(lab, id).await
}

/// The renewal is known here, and suspended before anything of it is reported.
async fn a_renewal_that_is_never_paid_for() -> (u32, OffsetDateTime) {
    let (lab, id) = enrolled().await;
    advance_to(&lab, TERM_END - Duration::HOUR);
    follow(&lab).await;
    let refused = seatkey::simulator::FaultAction { status: Some(503), ..Default::default() };
    let fault =
        seatkey::simulator::Fault { count: 1_000, ..seatkey::simulator::Fault::next("/api/batchUsageEvent", refused) };
    assert!(lab.world().add_fault(fault));
    lab.world().advance_past_term(id).unwrap();
    while lab.world().deliver_due().await > 0 {}
    lab.run_due().await;
    assert!(lab.world().suspend(id));
    follow(&lab).await;
    lab.world().clear_faults();
    lab.advance(Duration::days(31));
    follow(&lab).await;
    the_best_key(lab, id).await
}

async fn more_users_on_the_last_day() -> (u32, OffsetDateTime) {
    let (lab, id) = enrolled().await;
    advance_to(&lab, TERM_END - Duration::hours(12));
    follow(&lab).await;
    change(&lab.stage, id, 300).await;
    follow(&lab).await;
    change(&lab.stage, id, 25).await;
    follow(&lab).await;
    lab.world().advance_past_term(id).unwrap();
    follow(&lab).await;
    let known = lab.stage.app.store.find_subscription(id).await.unwrap().unwrap();
    assert_eq!(known.users, Some(25));
    the_best_key(lab, id).await
}

async fn nothing_was_charged(lab: &Lab, id: Uuid) {
    let charges = lab.stage.app.store.list_charges(id).await.unwrap();
    assert!(charges.iter().all(|charge| charge.state == State::Cancelled), "{charges:?}");
    assert_eq!(lab.world().usage_of(id), []);
}

async fn renewal_was_not_charged(lab: &Lab, id: Uuid) {
    let charges = lab.stage.app.store.list_charges(id).await.unwrap();
    let renewal = charges.iter().filter(|charge| charge.term_start == date!(2027 - 01 - 15));
    assert!(
        renewal.clone().count() == 0 || renewal.clone().all(|charge| charge.state == State::Cancelled),
        "{charges:?}"
    );
}
