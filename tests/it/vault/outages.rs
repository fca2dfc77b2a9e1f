//! A vault that does not answer: everything goes on but signing, and nothing is lost.

use seatkey::{
    app::{self, AppError, ChangeSubmitted, Synced, TrialRequest, list_revoked, rotate_license, sync_key},
    domain::{charge::State, policy::Identity, staff::Actor, trial_grant::Contact},
    signing,
};
use serde_json::Value;
use time::Duration;
use uuid::Uuid;

use super::{enrolled, fail, newest, open, run, set, signatures};
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::ALEX,
        told::{known, mails},
    },
};

on_both_databases! {
    an_order_during_an_outage_gets_its_key_afterwards;
    a_cancellation_during_an_outage_gets_none;
    a_changed_mind_is_signed_once;
    throttling_and_short_failures_are_nobodys_business;
    a_leaked_key_is_replaced_in_the_vault_or_not_at_all;
    a_trials_key_takes_the_vault;
    the_list_of_revoked_licenses_outlives_an_outage;
}

const VAULT: &str = "/keys/**";

fn buyer(known: &seatkey::domain::subscription::Subscription) -> Identity {
    let buyer = &known.microsoft.purchaser;
    Identity { tenant_id: buyer.tenant_id.unwrap(), object_id: buyer.object_id.unwrap() }
}

async fn upgrade(stage: &Stage, id: Uuid, users: u32) {
    let subscription = known(stage, id).await;
    let who = buyer(&subscription);
    let change = app::review_change(&stage.app, who, &subscription, users).await.unwrap();
    let done = app::submit_change(&stage.app, who, &subscription, change).await.unwrap();
    assert!(matches!(done, ChangeSubmitted::Accepted(_)));
}

/// An order whose activation is through, while the vault is away.
async fn ordered(stage: &Stage) -> (seatkey::cli::browser::Browser, Uuid) {
    fail(stage, VAULT, 503, 10_000, "");
    let mut alex = seatkey::cli::browser::Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    for _ in 0..5 {
        run(stage).await;
        stage.advance(Duration::seconds(10));
    }
    (alex, id)
}

async fn an_order_during_an_outage_gets_its_key_afterwards(mut stage: Stage) {
    set(&mut stage).await;
    let (mut alex, id) = ordered(&stage).await;
    // Money and state do not wait for the vault.
    let charges = stage.app.store.list_charges(id).await.unwrap();
    assert_eq!(charges.iter().map(|charge| charge.state).collect::<Vec<_>>(), [State::Held; 2]);
    assert!(known(&stage, id).await.term.is_some());
    assert_eq!((newest(&stage, id).await, mails(&stage, id).await.len()), (None, 0));
    let progress: Value = serde_json::from_str(&open(&stage, &mut alex, id, "/progress.json").await.text).unwrap();
    assert_eq!((&progress["state"], &progress["next"]), (&"activated-normal".into(), &Value::Null));
    stage.advance(Duration::minutes(3));
    let page = open(&stage, &mut alex, id, "/progress").await;
    assert!(page.text.contains("the key store that signs our license keys does not answer yet"), "{}", page.text);
    let account = open(&stage, &mut alex, id, "").await;
    assert!(account.text.contains("There is no key yet. It comes by mail"), "{}", account.text);
    // The buyer goes on.
    upgrade(&stage, id, 300).await;
    run(&stage).await;
    assert_eq!(mails(&stage, id).await, ["upgraded"]);
    let failed = stage.app.store.list_subscription_jobs(id, &[], 50).await.unwrap();
    let reason = failed.iter().find_map(|job| job.last_error.clone()).unwrap();
    assert!(reason.contains("the key vault does not answer (it answers 503"), "{reason}");
    // The process dies, and the vault comes back.
    stage.world().clear_faults();
    stage.restart().await;
    stage.settle().await;
    let key = newest(&stage, id).await.unwrap();
    let claims = signing::verify(&key.compact, &stage.app.keyring.jwks(), stage.world().now()).unwrap();
    assert_eq!((claims.seq, claims.users), (1, Some(300)), "one key, and it says what is true now");
    assert_eq!(mails(&stage, id).await, ["upgraded", "welcome"]);
    let mails = stage.world().mails();
    let welcome = mails.iter().find(|mail| mail.attachments.len() == 1).unwrap();
    assert!(welcome.text.as_deref().unwrap().contains(&key.compact));
    stage.finish().await;
}

async fn a_cancellation_during_an_outage_gets_none(mut stage: Stage) {
    set(&mut stage).await;
    let (_, id) = ordered(&stage).await;
    stage.world().cancel(id);
    while stage.world().deliver_due().await > 0 {}
    run(&stage).await;
    let charges = stage.app.store.list_charges(id).await.unwrap();
    assert_eq!(charges.iter().map(|charge| charge.state).collect::<Vec<_>>(), [State::Cancelled; 2]);
    stage.world().clear_faults();
    stage.settle().await;
    assert_eq!((newest(&stage, id).await, signatures(&stage)), (None, 0));
    stage.finish().await;
}

/// While a vault signs, the buyer changes something: the key that is written says the newest.
async fn a_changed_mind_is_signed_once(mut stage: Stage) {
    set(&mut stage).await;
    let (_, id) = enrolled(&stage).await;
    for users in [200, 250, 300] {
        upgrade(&stage, id, users).await;
        stage.advance(Duration::hours(2));
    }
    let before = signatures(&stage);
    stage.settle().await;
    let key = newest(&stage, id).await.unwrap();
    assert_eq!((key.seq, signing::inspect(&key.compact).unwrap().users), (2, Some(300)));
    assert_eq!(signatures(&stage) - before, 1, "three changes, one key");
    // The key comes by a mail of its own.
    assert_eq!(mails(&stage, id).await, ["welcome", "upgraded", "upgraded", "upgraded", "key_ready"]);
    stage.finish().await;
}

async fn throttling_and_short_failures_are_nobodys_business(mut stage: Stage) {
    set(&mut stage).await;
    let throttled = r#"{"error":{"code":"Throttled","message":"Request was not processed because too many requests were received."}}"#;
    for (status, body) in [(429, throttled), (503, ""), (500, "<html>"), (401, r#"{"error":{"code":"Unauthorized"}}"#)]
    {
        fail(&stage, "/keys/*/*/sign", status, if status == 401 { 1 } else { 2 }, body);
        let (_, id) = enrolled(&stage).await;
        assert!(newest(&stage, id).await.is_some(), "{status}");
        let jobs = stage.app.store.list_subscription_jobs(id, &[], 50).await.unwrap();
        assert!(jobs.iter().all(|job| job.last_error.is_none()), "{status}: {jobs:?}");
        stage.world().clear_faults();
    }
    stage.finish().await;
}

async fn a_leaked_key_is_replaced_in_the_vault_or_not_at_all(mut stage: Stage) {
    set(&mut stage).await;
    let (mut alex, id) = enrolled(&stage).await;
    let old = newest(&stage, id).await.unwrap();
    let confirm = open(&stage, &mut alex, id, "/key/replace").await;
    let fields = [("csrf", confirm.field("csrf").unwrap()), ("seq", "1".to_owned())];
    let address = stage.url(&format!("subscriptions/{id}/key/replace"));
    fail(&stage, VAULT, 503, 10_000, "");
    let refused = alex.post_form(address.clone(), &fields).await.unwrap();
    assert!(refused.status >= 400 && refused.text.contains("Our key store does not answer"), "{}", refused.text);
    assert_eq!(stage.app.store.find_revocation(&old.license_id).await.unwrap(), None, "nothing was changed");
    stage.world().clear_faults();
    // Five clicks at once, by two processes.
    let other = stage.another().await;
    let who = buyer(&known(&stage, id).await);
    let clicks = (0..4).map(|n| {
        let app = if n % 2 == 0 { stage.app.clone() } else { other.clone() };
        async move { rotate_license(&app, who, id, 1).await }
    });
    let clicks = futures::future::join_all(clicks).await;
    let replaced = clicks.iter().filter(|click| matches!(click, Ok(true))).count();
    assert_eq!(replaced, 1, "{clicks:?}");
    let key = newest(&stage, id).await.unwrap();
    assert_eq!(key.seq, 2);
    assert_ne!(key.license_id, old.license_id);
    let synced = sync_key(&stage.app, &old.compact).await.unwrap();
    assert_eq!(synced, Synced::Gone);
    stage.settle().await;
    assert_eq!(mails(&stage, id).await, ["welcome", "key_replaced"]);
    stage.finish().await;
}

async fn a_trials_key_takes_the_vault(mut stage: Stage) {
    set(&mut stage).await;
    let anna = Actor::Operator { name: "anna".to_owned() };
    let request = || TrialRequest {
        offer_id: "konnekt",
        plan_id: "konnekt-yearly",
        tenant: None,
        prospect: Some(Contact {
            organisation: "Contoso GmbH".to_owned(),
            name: "Alex Weber".to_owned(),
            email: "alex.weber@contoso.example".to_owned(),
            language: "en".to_owned(),
        }),
        days: 14,
        users: Some(50),
        offer_days: None,
        reason: "asked for at the fair",
    };
    fail(&stage, VAULT, 503, 10_000, "");
    let refused = app::grant_trial(&stage.app, &anna, request()).await;
    assert!(matches!(&refused, Err(AppError::Key(error)) if error.is_passing()), "{refused:?}");
    let grants = stage.app.store.list_trial_grants(None, None, 10, stage.world().now()).await.unwrap();
    assert!(grants.is_empty(), "nothing is granted without its key");
    stage.world().clear_faults();
    let grant = app::grant_trial(&stage.app, &anna, request()).await.unwrap();
    stage.settle().await;
    let key = grant.license.unwrap().key;
    assert!(signing::verify(&key, &stage.app.keyring.jwks(), stage.world().now()).is_ok());
    assert!(stage.world().mails().iter().any(|mail| mail.text.as_deref().unwrap().contains(&key)));
    stage.strike().await;
}

async fn the_list_of_revoked_licenses_outlives_an_outage(mut stage: Stage) {
    set(&mut stage).await;
    let (_, id) = enrolled(&stage).await;
    let before = signatures(&stage);
    let first = list_revoked(&stage.app).await.unwrap();
    for _ in 0..20 {
        assert_eq!(list_revoked(&stage.app).await.unwrap(), first, "a crowd is not passed on to the vault");
    }
    assert_eq!(signatures(&stage) - before, 1);
    fail(&stage, VAULT, 503, 10_000, "");
    stage.advance(Duration::hours(1));
    assert_eq!(list_revoked(&stage.app).await.unwrap(), first, "it says what is true still");
    stage.world().clear_faults();
    let who = buyer(&known(&stage, id).await);
    assert!(rotate_license(&stage.app, who, id, 1).await.unwrap());
    fail(&stage, VAULT, 503, 10_000, "");
    assert!(list_revoked(&stage.app).await.is_err(), "a list without the revoked license would be a lie");
    stage.world().clear_faults();
    assert_ne!(list_revoked(&stage.app).await.unwrap(), first);
    stage.settle().await;
    stage.finish().await;
}
