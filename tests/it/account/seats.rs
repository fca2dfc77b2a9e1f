//! Seats that Microsoft bills.

use seatkey::{cli::browser::Browser, jobs::Runner, simulator::Purchase};
use time::{Duration, macros::date};
use uuid::Uuid;

use super::{follow, known, mails, move_to, open, post, review, shows};
use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    more_seats_are_followed_until_microsoft_has_them;
    what_microsoft_refuses_is_told_with_its_reason;
    fewer_seats_are_planned;
    it_is_never_a_spinner_for_ever;
    ten_clicks_are_one_wish;
}

async fn team(stage: &Stage) -> (Browser, Uuid) {
    let mut alex = Browser::of(ALEX).unwrap();
    let seats = Purchase::of("sample-seats", "team", ALEX.parse().unwrap());
    let id = stage.buy_as(Purchase { quantity: Some(9), ..seats });
    stage.enrol(&mut alex, id, "").await;
    follow(stage).await;
    (alex, id)
}

async fn more_seats_are_followed_until_microsoft_has_them(stage: Stage) {
    let (mut alex, id) = team(&stage).await;
    let progress = review(&stage, &mut alex, id, "20").await;
    assert!(progress.url.path().ends_with("/users/progress"), "{} {}", progress.url, progress.text);
    shows(&progress, &["From 9 to 20 users: on its way", "data-state=\"asked\""]);
    // Microsoft has taken it on, and has not done it yet.
    Runner::new(std::sync::Arc::clone(&stage.app)).run_due().await.unwrap();
    shows(&open(&stage, &mut alex, id, "/users/progress.json").await, &["\"state\":\"working\"", "\"next\":null"]);
    let account = open(&stage, &mut alex, id, "").await;
    shows(&account, &["Microsoft is changing the number of users", "/users/progress"]);
    follow(&stage).await;
    let json = open(&stage, &mut alex, id, "/users/progress.json").await;
    shows(&json, &["\"state\":\"done\"", &format!("\"next\":\"/subscriptions/{id}?done=seats\"")]);
    let account = open(&stage, &mut alex, id, "?done=seats").await;
    shows(&account, &["Done: Microsoft says 20 users"]);
    assert_eq!(
        (known(&stage, id).await.users, stage.world().subscription(id)["quantity"].as_u64()),
        (Some(20), Some(20))
    );
    assert_eq!(mails(&stage, id).await, ["welcome", "seats_changed"]);
    stage.finish().await;
}

async fn what_microsoft_refuses_is_told_with_its_reason(stage: Stage) {
    let (mut alex, id) = team(&stage).await;
    // The plan of the simulated Microsoft ends at 300.
    review(&stage, &mut alex, id, "301").await;
    follow(&stage).await;
    let reason = "The quantity is outside the limits of the plan.";
    let progress = open(&stage, &mut alex, id, "/users/progress").await;
    shows(&progress, &["refused by Microsoft", reason, "Nothing has changed"]);
    let account = open(&stage, &mut alex, id, "").await;
    shows(&account, &["The change to 301 users was refused on 15 January 2026", reason]);
    assert_eq!(known(&stage, id).await.users, Some(9));
    assert_eq!(mails(&stage, id).await, ["welcome", "change_refused"]);
    // The next wish is heard, and the refusal is no news any more.
    stage.advance(Duration::minutes(1));
    review(&stage, &mut alex, id, "300").await;
    follow(&stage).await;
    let account = open(&stage, &mut alex, id, "").await;
    super::hides(&account, &["was refused"]);
    assert_eq!(known(&stage, id).await.users, Some(300));
    stage.finish().await;
}

async fn fewer_seats_are_planned(stage: Stage) {
    let (mut alex, id) = team(&stage).await;
    let planned = review(&stage, &mut alex, id, "5").await;
    shows(
        &planned,
        &["Planned: 5 users", "A downgrade from 9 to 5 users is planned for this subscription on 15 February 2026"],
    );
    follow(&stage).await;
    let kept = post(&stage, &mut alex, id, "/users/cancel-downgrade", &[]).await;
    shows(&kept, &["the 9 users stay"]);
    review(&stage, &mut alex, id, "6").await;
    follow(&stage).await;
    move_to(&stage, date!(2026 - 02 - 14)).await;
    assert_eq!(known(&stage, id).await.users, Some(6), "asked for on the last day of the term");
    stage.finish().await;
}

async fn it_is_never_a_spinner_for_ever(stage: Stage) {
    let (mut alex, id) = team(&stage).await;
    let progress = review(&stage, &mut alex, id, "20").await;
    super::hides(&progress, &["longer than usual"]);
    stage.advance(Duration::minutes(3));
    let slow = open(&stage, &mut alex, id, "/users/progress").await;
    shows(&slow, &["longer than usual", "we write to alex.weber@contoso.example", "data-state=\"asked-slow\""]);
    follow(&stage).await;
    stage.finish().await;
}

async fn ten_clicks_are_one_wish(stage: Stage) {
    let (alex, id) = team(&stage).await;
    let clicks = (0..10).map(|_| {
        let mut browser = alex.clone();
        let stage = &stage;
        async move { review(stage, &mut browser, id, "20").await }
    });
    for page in futures::future::join_all(clicks).await {
        assert!(page.url.path().ends_with("/users/progress"), "{} {}", page.url, page.text);
    }
    follow(&stage).await;
    assert_eq!(mails(&stage, id).await, ["welcome", "seats_changed"]);
    stage.finish().await;
}
