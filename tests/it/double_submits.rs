//! A double click, a second tab, a reload, the back button: one activation, one key, one mail.

use seatkey::{cli::browser::Browser, store::MailState};
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    ten_clicks_at_once_are_one_order;
    two_tabs_with_different_numbers_are_one_order;
    the_back_button_and_a_reload_do_no_harm;
    the_order_is_activated_once_though_answers_are_lost;
}

/// One activation, one key, one mail, one enrolment.
async fn happened_once(stage: &Stage, id: Uuid) {
    stage.settle().await;
    assert_eq!(stage.world().activations(id), 1, "activations");
    assert_eq!(stage.world().mails().len(), 1, "mails");
    let mails = stage.app.store.list_mails(id).await.unwrap();
    assert_eq!(mails.iter().filter(|mail| mail.state == MailState::Sent).count(), 1);
    assert_eq!(stage.app.store.find_newest_key(id).await.unwrap().map(|key| key.seq), Some(1));
    assert_eq!(stage.app.store.list_charges(id).await.unwrap().len(), 2);
}

async fn ten_clicks_at_once_are_one_order(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let review = stage.review(&mut alex, id, "150").await;
    let clicks = (0..10).map(|_| {
        let mut browser = alex.clone();
        let (stage, review) = (&stage, &review);
        async move { stage.submit(&mut browser, id, review).await }
    });
    for page in futures::future::join_all(clicks).await {
        assert!(page.url.path().ends_with("/progress"), "{} {}", page.status, page.url);
    }
    happened_once(&stage, id).await;
    stage.finish().await;
}

async fn two_tabs_with_different_numbers_are_one_order(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let first = stage.review(&mut alex, id, "150").await;
    let second = stage.review(&mut alex, id, "300").await;
    stage.submit(&mut alex, id, &second).await;
    let late = stage.submit(&mut alex, id, &first).await;
    assert!(late.url.path().ends_with("/progress"), "the late tab sees how the first order goes: {}", late.url);
    happened_once(&stage, id).await;
    let subscription = stage.app.store.find_subscription(id).await.unwrap().unwrap();
    assert_eq!(subscription.users, Some(300), "the order that was submitted first counts");
    stage.finish().await;
}

async fn the_back_button_and_a_reload_do_no_harm(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let review = stage.review(&mut alex, id, "150").await;
    stage.submit(&mut alex, id, &review).await;
    // Back to the form, the review and the landing page, before and after the activation.
    for _ in 0..2 {
        for path in [format!("subscriptions/{id}/enrol"), review.url.path().trim_start_matches('/').to_owned()] {
            let page = alex.open(stage.url(&path)).await.unwrap();
            assert_eq!(page.status, 200, "{path}");
            assert!(!page.text.contains("Submit and activate"), "{path} offers to order again");
        }
        let again = stage.configure(&mut alex, id).await;
        assert!(!again.url.path().ends_with("/enrol"), "{}", again.url);
        stage.submit(&mut alex, id, &review).await;
        stage.settle().await;
    }
    happened_once(&stage, id).await;
    stage.finish().await;
}

async fn the_order_is_activated_once_though_answers_are_lost(stage: Stage) {
    use seatkey::simulator::{Fault, FaultAction};
    let lose = FaultAction { lose_answer: true, ..FaultAction::default() };
    stage.world().add_fault(Fault { count: 2, ..Fault::next("/api/saas/subscriptions/*/activate", lose) });
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    happened_once(&stage, id).await;
    stage.finish().await;
}
