//! A purchase, from "Configure account now" to the mailed license key.

use seatkey::{
    app::forget_expired,
    cli::browser::Browser,
    clock::Clock as _,
    signing,
    simulator::{App, Fault, FaultAction},
};
use time::Duration;

use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    a_buyer_gets_a_key_on_the_page_and_by_mail;
    a_restart_in_the_middle_changes_nothing;
    a_failing_mail_server_delays_only_the_mail;
    an_expired_secret_of_ours_never_looks_like_a_bad_token;
    prices_that_rise_between_review_and_submit_are_shown_first;
    an_expired_quote_is_shown_again;
    microsoft_may_activate_first;
    the_default_trial_is_given_once;
    a_review_that_nobody_ordered_is_forgotten_after_a_day;
}

async fn a_buyer_gets_a_key_on_the_page_and_by_mail(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    let form = stage.configure(&mut alex, id).await;
    assert!(form.url.query().is_none(), "the purchase token is still in the address: {}", form.url);
    let review = stage.review(&mut alex, id, "150").await;
    for figure in ["2,100.00", "0.917808", "550.68", "114.726027", "1,376.71", "13 February 2026"] {
        assert!(review.text.contains(figure), "the review does not show {figure}");
    }
    let progress = stage.submit(&mut alex, id, &review).await;
    assert!(progress.url.path().ends_with("/progress"));
    stage.settle().await;

    let account = alex.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
    let key = alex.open(stage.url(&format!("subscriptions/{id}/license.lic"))).await.unwrap().text;
    assert!(account.text.contains(&key), "the key is not on the page");
    let claims = signing::verify(&key, &stage.app.keyring.jwks(), stage.clock.now()).unwrap();
    assert_eq!((claims.users, claims.provisional, claims.trial, claims.seq), (Some(150), true, true, 1));

    let mails = stage.world().mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].recipients.len(), 2, "buyer and technical contact");
    assert!(mails[0].text.as_deref().unwrap().contains(&key));
    assert_eq!(mails[0].attachments.len(), 1);
    assert_eq!(stage.world().activations(id), 1);
    let charges = stage.app.store.list_charges(id).await.unwrap();
    let amounts: Vec<String> = charges.iter().map(|charge| charge.amount.to_string()).collect();
    assert_eq!(amounts, ["550.68", "1376.71"], "the ledger holds what was shown");
    stage.finish().await;
}

async fn a_restart_in_the_middle_changes_nothing(mut stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.restart().await;
    stage.settle().await;
    let account = alex.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
    assert!(account.text.contains("eyJhbGci"), "the buyer is still signed in and sees the key");
    assert_eq!((stage.world().activations(id), stage.world().mails().len()), (1, 1));
    stage.finish().await;
}

async fn a_failing_mail_server_delays_only_the_mail(stage: Stage) {
    let refuse = FaultAction { status: Some(451), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: 3, ..Fault::next("smtp", refuse) });
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    let runner = seatkey::jobs::Runner::new(std::sync::Arc::clone(&stage.app));
    while stage.app.store.list_mails(id).await.unwrap().first().is_none_or(|mail| mail.last_error.is_none()) {
        runner.run_due().await.unwrap();
        stage.advance(Duration::SECOND);
    }
    let account = alex.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
    assert!(account.text.contains("eyJhbGci"), "the key is on the page although the mail is stuck");
    stage.settle().await;
    assert_eq!(stage.world().mails().len(), 1, "the mail was tried again until it went");
    stage.finish().await;
}

async fn an_expired_secret_of_ours_never_looks_like_a_bad_token(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.world().expire_secret(App::Marketplace);
    let page = stage.configure(&mut alex, id).await;
    assert!(page.text.contains("publisher"), "the buyer reads that the publisher has been told: {}", page.text);
    assert!(!page.text.contains("Configure account now"), "and not that the link is old");
    let ready = alex.open(stage.url("readyz")).await.unwrap();
    assert_eq!((ready.status, ready.text.as_str()), (200, "ready\n"), "webhooks are stored all the same");
    let reasons = stage.app.health.troubles().join("\n");
    assert!(reasons.contains("[entra.credential]") && reasons.contains("AADSTS7000222"), "{reasons}");
    stage.world().restore_secret(App::Marketplace);
    let form = alex.open(stage.url("landing")).await.unwrap();
    assert!(form.url.path().ends_with("/enrol"), "the purchase token was kept: {}", form.url);
    assert_eq!(alex.open(stage.url("readyz")).await.unwrap().status, 200);
    stage.finish().await;
}

async fn prices_that_rise_between_review_and_submit_are_shown_first(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let review = stage.review(&mut alex, id, "150").await;
    stage.world().set_price("konnekt", "konnekt-yearly", "DE", "konnekt-25-base", "660.00").unwrap();
    let again = stage.submit(&mut alex, id, &review).await;
    assert!(again.url.path().contains("/enrol/review/"), "the new figures are shown: {}", again.url);
    assert!(again.text.contains("A full year is now 2,160.00 EUR instead of 2,100.00 EUR"), "{}", again.text);
    assert_eq!(stage.app.store.find_enrolment(id).await.unwrap(), None, "nothing was ordered");
    let done = stage.submit(&mut alex, id, &again).await;
    assert!(done.url.path().ends_with("/progress"));
    stage.settle().await;
    stage.finish().await;
}

async fn an_expired_quote_is_shown_again(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let review = stage.review(&mut alex, id, "150").await;
    stage.advance(Duration::minutes(31));
    let again = stage.submit(&mut alex, id, &review).await;
    assert!(again.text.contains("older than 30 minutes"), "{}", again.text);
    assert_eq!(stage.app.store.find_enrolment(id).await.unwrap(), None);
    stage.finish().await;
}

async fn microsoft_may_activate_first(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy_as(seatkey::simulator::Purchase {
        auto_activate: true,
        ..seatkey::simulator::Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
    });
    stage.advance(Duration::days(10));
    let progress = stage.enrol(&mut alex, id, "150").await;
    assert!(progress.url.path().ends_with("/progress"));
    stage.settle().await;
    let charges = stage.app.store.list_charges(id).await.unwrap();
    // 365 days of the term, ten before the enrolment, thirty of trial: 325 are charged.
    assert_eq!(charges[0].quantity.to_string(), "0.89041");
    assert_eq!(stage.world().activations(id), 1, "Microsoft's own");
    stage.finish().await;
}

async fn the_default_trial_is_given_once(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let first = stage.buy();
    stage.enrol(&mut alex, first, "150").await;
    stage.settle().await;
    let second = stage.buy();
    stage.configure(&mut alex, second).await;
    let review = stage.review(&mut alex, second, "150").await;
    assert!(!review.text.contains("550.68"), "the tenant had its trial already");
    stage.submit(&mut alex, second, &review).await;
    stage.settle().await;
    let charges = stage.app.store.list_charges(second).await.unwrap();
    let amounts: Vec<String> = charges.iter().map(|charge| charge.amount.to_string()).collect();
    assert_eq!(amounts, ["600.00", "1500.00"]);
    stage.finish().await;
}

async fn a_review_that_nobody_ordered_is_forgotten_after_a_day(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let quote = |page: &seatkey::cli::browser::Page| page.field("quote").unwrap().parse().unwrap();
    let unordered = quote(&stage.review(&mut alex, id, "200").await);
    let review = stage.review(&mut alex, id, "150").await;
    stage.submit(&mut alex, id, &review).await;
    stage.settle().await;
    let store = &stage.app.store;
    for (later, kept) in [(Duration::hours(23), true), (Duration::hours(2), false)] {
        stage.advance(later);
        forget_expired(&stage.app).await.unwrap();
        assert_eq!(store.find_quote(unordered).await.unwrap().is_some(), kept);
        assert!(store.find_quote(quote(&review)).await.unwrap().is_some(), "the charges come from it");
    }
    stage.finish().await;
}
