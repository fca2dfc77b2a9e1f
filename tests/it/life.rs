//! The life of a subscription after its purchase: Microsoft's webhooks over HTTP, the buyer's changes, the calendar.

use seatkey::{
    app::{self, AppError, ChangeSubmitted, Resolution, Synced},
    cli::browser::Browser,
    domain::{
        change::ChangeKind, charge::State, decision::Decision, policy::Identity, subscription::Stage as Standing,
    },
    signing,
    simulator::{Fault, FaultAction},
    store::{JobKind, LicenseKey, StoreError},
};
use time::{
    Date, Duration,
    macros::{date, datetime},
};
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{
        Stage, lab,
        people::ALEX,
        told::{known, ledger, mails},
    },
};

on_both_databases! {
    a_suspension_holds_everything_and_a_reinstatement_releases_it;
    a_request_that_takes_too_long_is_no_refusal;
    a_renewal_is_written_once_whoever_tells_of_it;
    a_planned_downgrade_comes_with_the_renewal;
    an_upgrade_costs_the_rest_of_the_term;
    users_can_be_lowered_while_everything_is_held;
    a_cancellation_within_the_trial_undoes_everything;
    a_cancellation_after_the_trial_leaves_what_was_due;
    a_withdrawal_ends_at_microsoft_first;
    a_withdrawal_that_microsoft_refuses_can_be_asked_for_again;
    a_withdrawal_in_time_costs_nothing_however_long_microsoft_takes;
    after_a_refused_withdrawal_nothing_is_reported_until_two_people_decide;
    a_price_that_rose_is_not_charged_because_of_a_cancellation;
    a_term_that_microsoft_makes_longer_brings_a_longer_key;
    a_plan_that_replaces_nothing_is_refused_at_once;
    a_successor_takes_over_what_is_held_at_its_own_prices;
    the_calendar_is_kept;
    a_purchase_that_nobody_configures_is_remembered;
    personal_data_is_erased_after_the_retention_time;
}

/// 150 users, activated on 2026-01-15 with a trial until 2026-02-13; the term ends on 2027-01-14.
async fn enrolled(stage: &Stage) -> Uuid {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    follow(stage).await;
    id
}

/// Everything that Microsoft has to say arrives, and is acted upon.
async fn follow(stage: &Stage) {
    while stage.world().deliver_due().await > 0 {}
    stage.settle().await;
}

fn alex() -> Identity {
    let tenant_id = "3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44".parse().unwrap();
    Identity { tenant_id, object_id: ALEX.parse().unwrap() }
}

async fn change(stage: &Stage, id: Uuid, users: u32) -> Result<ChangeSubmitted, AppError> {
    let subscription = known(stage, id).await;
    let change = app::review_change(&stage.app, alex(), &subscription, users).await?;
    app::submit_change(&stage.app, alex(), &subscription, change).await
}

async fn key(stage: &Stage, id: Uuid) -> LicenseKey {
    stage.app.store.find_newest_key(id).await.unwrap().unwrap()
}

fn advance_to(stage: &Stage, day: Date) {
    use seatkey::clock::Clock as _;
    let target = day.with_hms(9, 0, 0).unwrap().assume_utc();
    stage.advance(target - stage.clock.now());
}

/// The trial is over, and Microsoft has the fees of the first term.
async fn pay(stage: &Stage, id: Uuid) {
    advance_to(stage, date!(2026 - 03 - 01));
    app::schedule_reporting(&stage.app).await.unwrap();
    run_appointments(stage).await;
    let charges = stage.app.store.list_charges(id).await.unwrap();
    assert!(charges.iter().all(|charge| charge.state == State::Accepted), "{charges:?}");
}

async fn run_appointments(stage: &Stage) {
    let runner = seatkey::jobs::Runner::new(std::sync::Arc::clone(&stage.app));
    runner.run_due().await.unwrap();
    follow(stage).await;
}

async fn a_suspension_holds_everything_and_a_reinstatement_releases_it(stage: Stage) {
    let id = enrolled(&stage).await;
    let before = ledger(&stage, id).await;
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    assert!(matches!(known(&stage, id).await.stage, Standing::Suspended { .. }));
    let refused = change(&stage, id, 300).await.unwrap_err();
    assert_eq!(refused.to_string(), "an upgrade is not possible while a subscription is suspended");
    assert!(stage.world().reinstate(id));
    follow(&stage).await;
    assert!(matches!(known(&stage, id).await.stage, Standing::Active(_)));
    assert_eq!(ledger(&stage, id).await, before, "nothing was reported or dropped");
    assert_eq!(mails(&stage, id).await, ["welcome", "suspended", "reinstated"]);
    stage.finish().await;
}

async fn a_request_that_takes_too_long_is_no_refusal(stage: Stage) {
    let id = enrolled(&stage).await;
    let too_long = FaultAction { status: Some(408), ..FaultAction::default() };
    let fault = Fault { method: Some("GET".to_owned()), ..Fault::next("/api/saas/subscriptions/*", too_long) };
    stage.world().add_fault(Fault { count: 3, ..fault });
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    assert_eq!(stage.app.store.count_dead_jobs().await.unwrap(), 0);
    let webhooks = stage.app.store.list_webhooks(id, 10).await.unwrap();
    let heard: Vec<_> = webhooks.iter().map(|one| (one.action.as_str(), one.outcome.is_some())).collect();
    assert_eq!(heard, [("Suspend", true)]);
    assert!(matches!(known(&stage, id).await.stage, Standing::Suspended { .. }));
    stage.finish().await;
}

async fn a_renewal_is_written_once_whoever_tells_of_it(stage: Stage) {
    let id = enrolled(&stage).await;
    pay(&stage, id).await;
    stage.world().switch(|switches| switches.duplicates = 2);
    stage.world().advance_past_term(id).unwrap();
    // The sweep finds it before any webhook comes.
    app::schedule_sweep(&stage.app).await.unwrap();
    run_appointments(&stage).await;
    let subscription = known(&stage, id).await;
    assert_eq!(
        subscription.term.map(|term| (term.start, term.end)),
        Some((date!(2027 - 01 - 15), date!(2028 - 01 - 14)))
    );
    let ledger = ledger(&stage, id).await;
    assert_eq!(
        ledger[2..],
        ["renewal konnekt-25-base 1 600.00 accepted", "renewal konnekt-25-user 125 1500.00 accepted"]
    );
    let claims = signing::inspect(&key(&stage, id).await.compact).unwrap();
    assert_eq!(
        (claims.seq, claims.provisional, claims.users),
        (3, false, Some(150)),
        "Microsoft has accepted the fees"
    );
    assert_eq!(mails(&stage, id).await.iter().filter(|mail| *mail == "renewed").count(), 1);
    let webhooks = stage.app.store.list_webhooks(id, 20).await.unwrap();
    assert!(webhooks.iter().any(|webhook| webhook.action == "Renew" && webhook.outcome.is_some()), "{webhooks:?}");
    stage.finish().await;
}

async fn a_planned_downgrade_comes_with_the_renewal(stage: Stage) {
    let id = enrolled(&stage).await;
    pay(&stage, id).await;
    change(&stage, id, 300).await.unwrap();
    let Ok(ChangeSubmitted::Accepted(planned)) = change(&stage, id, 200).await else { panic!("not accepted") };
    assert_eq!((planned.kind, planned.lines.len()), (ChangeKind::Downgrade, 0), "fewer users cost nothing now");
    follow(&stage).await;
    let claims = signing::inspect(&key(&stage, id).await.compact).unwrap();
    let told = claims.planned_change.map(|change| (change.users, change.effective));
    assert_eq!((claims.users, told), (Some(300), Some((200, date!(2027 - 01 - 15)))));
    stage.world().advance_past_term(id).unwrap();
    follow(&stage).await;
    let subscription = known(&stage, id).await;
    assert_eq!((subscription.users, subscription.segment.as_deref()), (Some(200), Some("KONNEKT 25")));
    assert_eq!(subscription.planned, None);
    let ledger = ledger(&stage, id).await;
    assert_eq!(
        ledger[3..],
        ["renewal konnekt-25-base 1 600.00 accepted", "renewal konnekt-25-user 175 2100.00 accepted"]
    );
    stage.finish().await;
}

async fn an_upgrade_costs_the_rest_of_the_term(stage: Stage) {
    let id = enrolled(&stage).await;
    advance_to(&stage, date!(2026 - 07 - 01));
    follow(&stage).await;
    change(&stage, id, 100).await.unwrap();
    assert!(known(&stage, id).await.planned.is_some());
    let Ok(ChangeSubmitted::Accepted(upgrade)) = change(&stage, id, 300).await else { panic!("not accepted") };
    // (3,660.00 − 2,100.00) × 198 / 365 / 7.20, cut to six decimals.
    assert_eq!(
        (upgrade.lines[0].quantity.to_string(), upgrade.lines[0].amount.to_string()),
        ("117.534246".into(), "846.25".into())
    );
    assert_eq!(upgrade.next.total.to_string(), "3660.00");
    assert_eq!(ledger(&stage, id).await[2], "upgrade konnekt-250-user 117.534246 846.25 due");
    let subscription = known(&stage, id).await;
    assert_eq!((subscription.users, subscription.segment.as_deref()), (Some(300), Some("KONNEKT 250")));
    assert_eq!(subscription.planned, None, "an upgrade cancels a planned downgrade");
    stage.settle().await;
    assert_eq!(mails(&stage, id).await[1..], ["downgrade_planned", "upgraded", "key_ready"]);
    let old = change(&stage, id, 300).await.unwrap_err();
    assert_eq!(old.to_string(), "These are the 300 users of today.");
    stage.finish().await;
}

async fn users_can_be_lowered_while_everything_is_held(stage: Stage) {
    let id = enrolled(&stage).await;
    stage.advance(Duration::HOUR);
    change(&stage, id, 300).await.unwrap();
    stage.advance(Duration::HOUR);
    let Ok(ChangeSubmitted::Accepted(lowered)) = change(&stage, id, 100).await else { panic!("not accepted") };
    assert_eq!(lowered.kind, ChangeKind::Lowering);
    // 335 of 365 days: 0.917808 base fees, 75 × 335 / 365 additional users.
    assert_eq!(
        ledger(&stage, id).await,
        [
            "enrolment konnekt-25-base 0.917808 550.68 cancelled",
            "enrolment konnekt-25-user 114.726027 1376.71 cancelled",
            "upgrade konnekt-250-user 198.858447 1431.78 cancelled",
            "enrolment konnekt-25-base 0.917808 550.68 held",
            "enrolment konnekt-25-user 68.835616 826.03 held",
        ]
    );
    let claims = signing::inspect(&key(&stage, id).await.compact).unwrap();
    assert_eq!((claims.users, claims.seq, claims.provisional), (Some(100), 3, true));
    stage.settle().await;
    assert_eq!(mails(&stage, id).await, ["welcome", "upgraded", "lowered"]);
    stage.finish().await;
}

async fn a_cancellation_within_the_trial_undoes_everything(stage: Stage) {
    let id = enrolled(&stage).await;
    let old = key(&stage, id).await;
    stage.advance(Duration::days(10));
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    let charges = stage.app.store.list_charges(id).await.unwrap();
    assert!(charges.iter().all(|charge| charge.state == State::Cancelled));
    assert_eq!(app::sync_key(&stage.app, &old.compact).await.unwrap(), Synced::Gone);
    let list = app::list_revoked(&stage.app).await.unwrap();
    assert_eq!(list.split('.').count(), 3, "a compact JWS");
    assert_eq!(
        stage.app.store.list_revocations(datetime!(2026-02-01 0:00 UTC)).await.unwrap()[0].license_id,
        old.license_id
    );
    assert_eq!(mails(&stage, id).await, ["welcome", "cancelled"]);
    stage.finish().await;
}

async fn a_cancellation_after_the_trial_leaves_what_was_due(stage: Stage) {
    let id = enrolled(&stage).await;
    let old = key(&stage, id).await;
    advance_to(&stage, date!(2026 - 03 - 01));
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    let charges = stage.app.store.list_charges(id).await.unwrap();
    assert!(
        charges.iter().all(|charge| charge.state == State::Accepted),
        "Microsoft takes what lies before: {charges:?}"
    );
    let Ok(Synced::Newest(newest)) = app::sync_key(&stage.app, &old.compact).await else { panic!("no key follows") };
    assert_eq!(newest.expires_at, datetime!(2027-01-15 0:00 UTC), "what was paid stays");
    assert_eq!(stage.app.store.list_revocations(datetime!(2026-03-01 0:00 UTC)).await.unwrap(), []);
    stage.finish().await;
}

async fn a_withdrawal_ends_at_microsoft_first(stage: Stage) {
    let id = enrolled(&stage).await;
    app::ask_withdrawal(&stage.app, alex(), id).await.unwrap();
    let asked = known(&stage, id).await;
    assert!(
        asked.withdrawn_at.is_some() && matches!(asked.stage, Standing::Active(_)),
        "Microsoft has not ended it yet"
    );
    assert!(change(&stage, id, 300).await.is_err(), "nothing else can be changed meanwhile");
    stage.settle().await;
    follow(&stage).await;
    assert!(matches!(known(&stage, id).await.stage, Standing::Ended { .. }));
    assert!(stage.app.store.list_charges(id).await.unwrap().iter().all(|charge| charge.state == State::Cancelled));
    assert_eq!(mails(&stage, id).await, ["welcome", "withdrawn"]);
    stage.finish().await;
}

async fn a_plan_that_replaces_nothing_is_refused_at_once(stage: Stage) {
    let id = enrolled(&stage).await;
    stage.world().customer_change(id, Some("konnekt-yearly-2"), None).unwrap();
    follow(&stage).await;
    let subscription = known(&stage, id).await;
    assert_eq!(subscription.microsoft.plan_id, "konnekt-yearly");
    assert_eq!(stage.world().subscription(id)["planId"], "konnekt-yearly", "Microsoft honours the 4xx");
    assert_eq!(mails(&stage, id).await, ["welcome", "change_refused"]);
    stage.finish().await;
}

async fn a_withdrawal_that_microsoft_refuses_can_be_asked_for_again(stage: Stage) {
    let id = enrolled(&stage).await;
    let refused = FaultAction { status: Some(400), ..FaultAction::default() };
    let fault = Fault { method: Some("DELETE".to_owned()), ..Fault::next("/api/saas/subscriptions/*", refused) };
    stage.world().add_fault(fault);
    app::ask_withdrawal(&stage.app, alex(), id).await.unwrap();
    follow(&stage).await;
    let going_on = known(&stage, id).await;
    assert_eq!(going_on.withdrawn_at, None, "the subscription goes on");
    assert!(matches!(going_on.stage, Standing::Active(_)));
    let findings = stage.app.store.list_findings(id).await.unwrap();
    assert_eq!(findings.iter().map(|finding| finding.kind.as_str()).collect::<Vec<_>>(), ["withdrawal_refused"]);
    app::ask_withdrawal(&stage.app, alex(), id).await.unwrap();
    follow(&stage).await;
    assert!(matches!(known(&stage, id).await.stage, Standing::Ended { .. }));
    stage.finish().await;
}

fn deletions_fail(stage: &Stage, status: u16, count: u32) {
    let action = FaultAction { status: Some(status), ..FaultAction::default() };
    let fault = Fault::next("/api/saas/subscriptions/*", action);
    stage.world().add_fault(Fault { method: Some("DELETE".to_owned()), count, ..fault });
}

/// Half a day past the hold, with a look of the reporter every hour.
async fn hold_passes(stage: &Stage) {
    advance_to(stage, date!(2026 - 02 - 13));
    for _ in 0..24 {
        stage.advance(Duration::HOUR);
        app::schedule_reporting(&stage.app).await.unwrap();
        seatkey::jobs::Runner::new(std::sync::Arc::clone(&stage.app)).run_due().await.unwrap();
    }
}

async fn a_withdrawal_in_time_costs_nothing_however_long_microsoft_takes(stage: Stage) {
    let id = enrolled(&stage).await;
    deletions_fail(&stage, 503, u32::MAX);
    app::ask_withdrawal(&stage.app, alex(), id).await.unwrap();
    hold_passes(&stage).await;
    assert!(stage.app.store.list_charges(id).await.unwrap().iter().all(|charge| charge.state == State::Held));
    stage.world().clear_faults();
    follow(&stage).await;
    assert!(matches!(known(&stage, id).await.stage, Standing::Ended { .. }));
    assert!(stage.app.store.list_charges(id).await.unwrap().iter().all(|charge| charge.state == State::Cancelled));
    assert_eq!(stage.world().usage_of(id), []);
    stage.finish().await;
}

async fn after_a_refused_withdrawal_nothing_is_reported_until_two_people_decide(stage: Stage) {
    let id = enrolled(&stage).await;
    deletions_fail(&stage, 400, 1);
    app::ask_withdrawal(&stage.app, alex(), id).await.unwrap();
    follow(&stage).await;
    hold_passes(&stage).await;
    assert_eq!(stage.world().usage_of(id), []);
    for charge in stage.app.store.list_charges(id).await.unwrap() {
        assert_eq!(charge.state, State::Held);
        let reason = "the buyer withdrew in time";
        let decision = Decision::WriteOff;
        let resolution =
            Resolution { charge_id: charge.id, decision, reason, by: "Jo Brandt", approved_by: "Kim Lund" };
        assert_eq!(app::resolve_charge(&stage.app, resolution).await.unwrap(), State::WrittenOff);
    }
    follow(&stage).await;
    assert_eq!(stage.world().usage_of(id), []);
    stage.finish().await;
}

async fn a_price_that_rose_is_not_charged_because_of_a_cancellation(stage: Stage) {
    let id = enrolled(&stage).await;
    stage.world().set_price("konnekt", "konnekt-yearly", "DE", "konnekt-25-base", "650").unwrap();
    hold_passes(&stage).await;
    stage.advance(Duration::DAY);
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    let states: Vec<State> =
        stage.app.store.list_charges(id).await.unwrap().iter().map(|charge| charge.state).collect();
    assert_eq!(states, [State::Frozen, State::Accepted]);
    stage.finish().await;
}

async fn a_term_that_microsoft_makes_longer_brings_a_longer_key(stage: Stage) {
    let id = enrolled(&stage).await;
    pay(&stage, id).await;
    assert_eq!(key(&stage, id).await.expires_at, datetime!(2027-01-15 0:00 UTC));
    let mut longer = stage.world().subscription(id);
    longer["term"]["endDate"] = "2027-02-14".into();
    let answer = FaultAction { status: Some(200), body: Some(longer.to_string()), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: u32::MAX, ..Fault::next("/api/saas/subscriptions/*", answer) });
    let now = stage.app.clock.now();
    let tx = stage.app.store.begin().await.unwrap();
    tx.schedule_job(JobKind::ReconcileSubscription, id, now, now).await.unwrap();
    tx.commit().await.unwrap();
    follow(&stage).await;
    assert_eq!(key(&stage, id).await.expires_at, datetime!(2027-02-15 0:00 UTC));
    stage.finish().await;
}

async fn a_successor_takes_over_what_is_held_at_its_own_prices(mut stage: Stage) {
    std::fs::write(stage.file("catalog.toml"), lab::catalog()).unwrap();
    stage.restart().await;
    let id = enrolled(&stage).await;
    stage.world().set_price("konnekt", "konnekt-yearly-2", "DE", "konnekt-25-base", "540.00").unwrap();
    stage.advance(Duration::HOUR);
    stage.world().customer_change(id, Some("konnekt-yearly-2"), None).unwrap();
    follow(&stage).await;
    assert_eq!(known(&stage, id).await.microsoft.plan_id, "konnekt-yearly-2");
    let mut ledger = ledger(&stage, id).await;
    ledger.sort();
    // 335 of 365 days of 540.00; what costs the same is reported under the new plan, too.
    assert_eq!(
        ledger,
        [
            "enrolment konnekt-25-base 0.917808 495.62 held",
            "enrolment konnekt-25-base 0.917808 550.68 cancelled",
            "enrolment konnekt-25-user 114.726027 1376.71 cancelled",
            "enrolment konnekt-25-user 114.726027 1376.71 held",
        ]
    );
    let claims = signing::inspect(&key(&stage, id).await.compact).unwrap();
    assert_eq!((claims.plan.as_str(), claims.users), ("konnekt-yearly-2", Some(150)));
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    assert!(stage.app.store.list_charges(id).await.unwrap().iter().all(|charge| charge.state == State::Cancelled));
    stage.finish().await;
}

async fn the_calendar_is_kept(stage: Stage) {
    let id = enrolled(&stage).await;
    for day in [date!(2026 - 02 - 07), date!(2026 - 02 - 13), date!(2026 - 12 - 16), date!(2027 - 01 - 08)] {
        advance_to(&stage, day);
        run_appointments(&stage).await;
        run_appointments(&stage).await;
    }
    assert_eq!(mails(&stage, id).await, ["welcome", "trial_ends", "trial_ends", "renewal_ahead", "renewal_ahead"]);
    stage.finish().await;
}

async fn a_purchase_that_nobody_configures_is_remembered(stage: Stage) {
    let id = stage.buy();
    app::schedule_sweep(&stage.app).await.unwrap();
    run_appointments(&stage).await;
    assert!(matches!(known(&stage, id).await.stage, Standing::AwaitingEnrolment), "the sweep has found it");
    for _ in 0..35 {
        stage.advance(Duration::DAY);
        run_appointments(&stage).await;
    }
    assert_eq!(mails(&stage, id).await, ["set_up_reminder", "set_up_reminder", "set_up_reminder"]);
    assert!(matches!(known(&stage, id).await.stage, Standing::Ended { .. }), "Microsoft dropped it");
    stage.finish().await;
}

async fn personal_data_is_erased_after_the_retention_time(stage: Stage) {
    let id = enrolled(&stage).await;
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    stage.advance(Duration::days(91));
    run_appointments(&stage).await;
    assert_ne!(known(&stage, id).await.microsoft.purchaser.email, "", "the term that was paid has not ended yet");
    stage.advance(Duration::days(300));
    run_appointments(&stage).await;
    // Microsoft lists ended subscriptions for ever, with everybody's address.
    app::schedule_sweep(&stage.app).await.unwrap();
    run_appointments(&stage).await;
    let subscription = known(&stage, id).await;
    assert_eq!(subscription.microsoft.purchaser.email, "");
    let enrolment = stage.app.store.find_enrolment(id).await.unwrap().unwrap();
    assert_eq!((enrolment.buyer_email.as_str(), enrolment.organisation.as_str()), ("(erased)", "(erased)"));
    assert_eq!(ledger(&stage, id).await.len(), 2, "the ledger stays");
    let quote = stage.app.store.find_quote(enrolment.quote_id).await.unwrap().unwrap();
    assert!(!quote.frozen.order.buyer_email.contains('@'), "the frozen order names nobody");
    let again = stage.buy();
    let mut browser = Browser::of(ALEX).unwrap();
    stage.configure(&mut browser, again).await;
    let review = stage.review(&mut browser, again, "150").await;
    assert!(!review.text.contains("550.68"), "the first-time trial is remembered for ever");
    let late = app::cancel_downgrade(&stage.app, alex(), Uuid::nil()).await;
    assert!(matches!(late, Err(AppError::Store(StoreError::NotFound { .. }))));
    stage.finish().await;
}
