//! The comparison of everything with Microsoft: it repairs what lost webhooks left behind, survives Microsoft's bad moments,
//! and finds purchases that nobody configured.

use std::sync::Arc;

use seatkey::{
    app::{Repair, schedule_sweep},
    clock::Clock as _,
    jobs::Runner,
    simulator::{Fault, FaultAction, Purchase, RecordedRequest},
};
use time::Duration;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Stage, lab::Lab, lab::differences, people::ALEX},
};

on_both_databases! {
    several_hundred_in_uneven_pages_are_found_though_one_page_fails;
    a_purchase_that_nobody_configures_is_found_reminded_of_and_dropped;
    a_slow_answer_never_overwrites_a_newer_one;
}

const LISTING: &str = "/api/saas/subscriptions/";

fn pages_asked_for(requests: &[RecordedRequest]) -> Vec<(String, Option<u16>)> {
    let pages = requests.iter().filter(|one| one.path == LISTING);
    pages.map(|one| (one.query.clone(), one.status)).collect()
}

async fn several_hundred_in_uneven_pages_are_found_though_one_page_fails(stage: Stage) {
    let ids: Vec<Uuid> = (0..380).map(|_| stage.buy()).collect();
    let broken = FaultAction { status: Some(500), ..FaultAction::default() };
    // More often than a read is tried again at once.
    stage.world().add_fault(Fault { nth: 4, count: 3, ..Fault::next(LISTING, broken) });
    schedule_sweep(&stage.app).await.unwrap();
    let runner = Runner::new(Arc::clone(&stage.app));
    runner.run_due().await.unwrap();
    let half_way = stage.app.store.get_sweep().await.unwrap();
    assert!(half_way.continuation.is_some(), "it stands before the page that failed: {half_way:?}");
    assert_eq!((half_way.seen, half_way.changed), (5, 5), "the pages before it are done");
    stage.advance(Duration::seconds(10));
    runner.run_due().await.unwrap();
    let sweep = stage.app.store.get_sweep().await.unwrap();
    assert_eq!((sweep.seen, sweep.changed, sweep.failed), (380, 380, 0));
    assert_eq!((sweep.continuation, sweep.finished_at), (None, Some(stage.clock.now())));
    for id in &ids {
        assert_eq!(differences(stage.world(), &stage.app.store, *id).await, Vec::<String>::new());
    }
    // Sizes 3, 0, 2, 66, 0, 70, 87, 1, 68, 89: none was asked for twice but the one that failed.
    let asked = pages_asked_for(&stage.world().requests());
    assert_eq!(asked.len(), 10 + 3, "{asked:?}");
    assert!(asked[3..6].iter().all(|one| *one == (asked[6].0.clone(), Some(500))), "it went on there: {asked:?}");
    schedule_sweep(&stage.app).await.unwrap();
    runner.run_due().await.unwrap();
    assert_eq!(stage.app.store.get_sweep().await.unwrap().changed, 0, "the second time nothing is new");
    stage.finish().await;
}

async fn a_purchase_that_nobody_configures_is_found_reminded_of_and_dropped(stage: Stage) {
    let id = stage.buy();
    schedule_sweep(&stage.app).await.unwrap();
    let runner = Runner::new(Arc::clone(&stage.app));
    let mut reminded = Vec::new();
    for day in 0..32 {
        runner.run_due().await.unwrap();
        let mails = stage.world().mails();
        if mails.len() > reminded.len() {
            let last = mails.last().unwrap();
            assert_eq!(last.recipients, ["alex.weber@contoso.example"], "whoever Microsoft names");
            assert!(last.header("Message-ID").unwrap().contains(&format!("set_up_reminder.{id}.day-{day}@")));
            reminded.push(day);
        }
        stage.advance(Duration::DAY);
    }
    assert_eq!(reminded, [1, 7, 25]);
    let known = stage.app.store.find_subscription(id).await.unwrap().unwrap();
    assert_eq!((known.stage.name(), known.microsoft.status.as_str()), ("ended", "Unsubscribed"));
    assert_eq!(stage.world().mails().len(), 3, "who never came is not told that it is over");
    stage.finish().await;
}

/// The answer to an earlier question comes after the answer to a later one.
async fn a_slow_answer_never_overwrites_a_newer_one(stage: Stage) {
    let mut alex = seatkey::cli::browser::Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    // The reinstatement is accepted without an answer.
    stage.world().switch(|switches| switches.lose = true);
    assert!(stage.world().suspend(id));
    let post = async |action| {
        let body = format!(r#"{{"id":"{}","subscriptionId":"{id}","action":"{action}"}}"#, Uuid::new_v4());
        seatkey::app::receive_webhook(&stage.app, body.as_bytes(), &serde_json::Value::Null).await.unwrap();
    };
    // What Microsoft said before the payment came, two seconds late.
    let before = stage.world().subscription(id).to_string();
    let path = format!("/api/saas/subscriptions/{id}");
    let late = FaultAction { status: Some(200), body: Some(before), delay_ms: Some(2_000), ..FaultAction::default() };
    stage.world().add_fault(Fault::next(&path, late));
    post("Suspend").await;
    let runner = Runner::new(Arc::clone(&stage.app));
    let slow = tokio::spawn(async move { runner.run_next().await.unwrap() });
    while stage.world().faults_hit() == 0 {
        tokio::task::yield_now().await;
    }
    stage.advance(Duration::SECOND);
    assert!(stage.world().reinstate(id));
    stage.advance(Duration::seconds(11));
    assert_eq!(stage.world().subscription(id)["saasSubscriptionStatus"], "Subscribed");
    post("Renew").await;
    Runner::new(Arc::clone(&stage.app)).run_next().await.unwrap();
    assert!(!slow.is_finished(), "the first answer has not come yet");
    slow.await.unwrap();
    stage.settle().await;
    assert_eq!(differences(stage.world(), &stage.app.store, id).await, Vec::<String>::new());
    stage.finish().await;
}

/// What happens at Microsoft while every webhook of it is lost, and what the comparison says that it mended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_webhooks_of_every_action_are_repaired() {
    let lab = Lab::open().await;
    let world = lab.world();
    world.switch(|switches| switches.lose = true);
    let id = lab.buy_seats(10);
    let bought_again = lab.buy_seats(10);
    let is_mended = async |subscription: Uuid, expected: &str| {
        lab.advance(Duration::seconds(11));
        let repairs = lab.sweep().await;
        let expected = [Repair { subscription_id: subscription, result: Ok(expected.to_owned()) }];
        assert_eq!(repairs, expected);
        lab.run_due().await;
        assert_eq!(lab.differences(subscription).await, Vec::<String>::new());
    };
    lab.enrol(&[id, bought_again], 10).await;
    let late = lab.buy_seats(10);
    is_mended(late, "was not known here").await;
    world.customer_change(id, None, Some(20)).unwrap();
    is_mended(id, "a change of seats").await;
    world.customer_change(id, Some("business"), None).unwrap();
    is_mended(id, "a change of plan").await;
    assert!(world.suspend(id));
    is_mended(id, "a suspension").await;
    assert!(world.reinstate(id));
    is_mended(id, "a reinstatement").await;
    assert!(world.set_auto_renew(id, false) && world.set_auto_renew(late, false) && world.cancel(bought_again));
    lab.sweep().await;
    assert!(world.set_auto_renew(id, true));
    world.advance_past_term(id).unwrap();
    lab.sweep().await;
    lab.run_due().await;
    assert_eq!(lab.differences(id).await, Vec::<String>::new());
    assert!(lab.mailed(id).iter().any(|mail| mail.starts_with("renewed.")), "{:?}", lab.mailed(id));
    assert_eq!(lab.stage.app.store.find_subscription(late).await.unwrap().unwrap().stage.name(), "ended");
    assert!(world.cancel(id));
    is_mended(id, "an end").await;
    assert_eq!(lab.sweep().await, [], "the next time nothing is new");
    lab.stage.finish().await;
}

/// The catalog does not have what Microsoft changed the plan to: a person is told, and everything else goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_nobody_knows_does_not_hide_seats_or_the_end() {
    let lab = Lab::open_without("business").await;
    let world = lab.world();
    let id = lab.buy_seats(10);
    lab.enrol(&[id], 10).await;
    world.switch(|switches| switches.lose = true);
    world.customer_change(id, Some("business"), None).unwrap();
    lab.advance(Duration::seconds(11));
    world.customer_change(id, None, Some(20)).unwrap();
    lab.advance(Duration::seconds(11));
    lab.sweep().await;
    let known = lab.stage.app.store.find_subscription(id).await.unwrap().unwrap();
    assert_eq!((known.microsoft.plan_id.as_str(), known.microsoft.quantity), ("business", Some(20)));
    assert!(world.cancel(id));
    lab.sweep().await;
    lab.run_due().await;
    assert_eq!(lab.differences(id).await, Vec::<String>::new());
    let findings = lab.stage.app.store.list_findings(id).await.unwrap();
    assert_eq!(findings.iter().map(|finding| finding.kind.as_str()).collect::<Vec<_>>(), ["plan_changed"]);
    lab.stage.finish().await;
}

/// The webhook of the end is lost, and the next thing that a job asks Microsoft for is refused because of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_nobody_told_of_is_found_by_the_job_that_it_stops() {
    let lab = Lab::open().await;
    let world = lab.world();
    world.switch(|switches| switches.lose = true);
    let buy = || lab.stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()));
    let (renewed, announced, changed) = (buy(), buy(), buy());
    lab.enrol(&[renewed, announced, changed], 150).await;
    // The announcement of a renewal is due, and the same day the subscription is cancelled.
    lab.advance(Duration::days(340));
    assert!(world.cancel(announced));
    lab.run_due().await;
    assert_eq!(lab.differences(announced).await, Vec::<String>::new());
    // A change of plan and a renewal are seen, and then they are cancelled before anything is written.
    world.customer_change(changed, Some("konnekt-yearly-2"), None).unwrap();
    lab.advance(Duration::seconds(11));
    world.advance_past_term(renewed).unwrap();
    lab.sweep().await;
    assert!(world.cancel(renewed) && world.cancel(changed));
    lab.run_due().await;
    for id in [renewed, changed] {
        assert_eq!(lab.differences(id).await, Vec::<String>::new());
    }
    lab.stage.finish().await;
}
