//! Withdrawing, contacts, and the key.

use seatkey::app::{Synced, sync_key};
use time::{Duration, macros::date};

use super::{enrolled, follow, hides, known, ledger, mails, move_to, open, post, shows};
use crate::{on_both_databases, support::Stage};

on_both_databases! {
    a_withdrawal_says_what_happens_and_is_followed;
    it_is_too_late_to_withdraw_when_charges_are_due;
    contacts_are_changed_and_wrong_ones_stay_in_the_form;
    the_key_is_sent_again_once_an_hour;
    a_leaked_key_is_replaced_once;
    each_state_says_what_can_be_done;
}

async fn a_withdrawal_says_what_happens_and_is_followed(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    shows(&open(&stage, &mut alex, id, "").await, &["Until 13 February 2026 you can withdraw for nothing"]);
    let confirm = open(&stage, &mut alex, id, "/withdraw").await;
    shows(
        &confirm,
        &["The 1,927.39 EUR that are held are dropped", "The license ends at once", "is deleted at Microsoft"],
    );
    assert_eq!(known(&stage, id).await.withdrawn_at, None, "looking at it does nothing");
    let page = post(&stage, &mut alex, id, "/withdraw", &[]).await;
    shows(&page, &["Being withdrawn", "state.json", "http-equiv=\"refresh\""]);
    hides(&page, &["Change users", "Withdraw …"]);
    let refused = super::review(&stage, &mut alex, id, "300").await;
    assert_eq!(refused.status, 409);
    shows(&refused, &["This subscription is being withdrawn."]);
    // A second click changes nothing.
    post(&stage, &mut alex, id, "/withdraw", &[]).await;
    follow(&stage).await;
    shows(&open(&stage, &mut alex, id, "/state.json").await, &["\"state\":\"unsubscribed\""]);
    let ended = open(&stage, &mut alex, id, "").await;
    shows(&ended, &["Cancelled", "The license has ended", "Dropped", "To have it again"]);
    hides(&ended, &["eyJhbGci", "Send it again", "Change users", "Charged so far"]);
    assert_eq!(open(&stage, &mut alex, id, "/license.lic").await.status, 404);
    let expected = [
        "enrolment konnekt-25-base 0.917808 550.68 cancelled",
        "enrolment konnekt-25-user 114.726027 1376.71 cancelled",
    ];
    assert_eq!(ledger(&stage, id).await, expected);
    assert_eq!(stage.world().subscription(id)["saasSubscriptionStatus"], "Unsubscribed");
    assert_eq!(mails(&stage, id).await, ["welcome", "withdrawn"]);
    stage.finish().await;
}

async fn it_is_too_late_to_withdraw_when_charges_are_due(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    move_to(&stage, date!(2026 - 02 - 14)).await;
    hides(&open(&stage, &mut alex, id, "").await, &["Withdraw …"]);
    for page in [open(&stage, &mut alex, id, "/withdraw").await, post(&stage, &mut alex, id, "/withdraw", &[]).await] {
        assert_eq!(page.status, 409);
        shows(&page, &["The time for withdrawing is over", "Azure portal"]);
    }
    assert_eq!(known(&stage, id).await.withdrawn_at, None);
    stage.finish().await;
}

async fn contacts_are_changed_and_wrong_ones_stay_in_the_form(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    let form = open(&stage, &mut alex, id, "/contacts").await;
    shows(
        &form,
        &["value=\"alex.weber@contoso.example\"", "value=\"jo.brandt@contoso.example\"", "Deutsch", "English"],
    );
    let wrong = [("email", "nowhere"), ("technical_contact", "ops@contoso.example"), ("language", "tlh")];
    let again = post(&stage, &mut alex, id, "/contacts", &wrong).await;
    assert_eq!(again.status, 422);
    shows(
        &again,
        &["value=\"nowhere\"", "value=\"ops@contoso.example\"", "This is not an e-mail address", "Choose one of these"],
    );
    let right = [("email", "alex@contoso.example"), ("technical_contact", "ops@contoso.example"), ("language", "de")];
    let done = post(&stage, &mut alex, id, "/contacts", &right).await;
    shows(&done, &["The contacts are changed", "mailto:alex@contoso.example", "mailto:ops@contoso.example"]);
    stage.advance(Duration::hours(1));
    post(&stage, &mut alex, id, "/key/resend", &[]).await;
    follow(&stage).await;
    let mail = stage.world().mails().pop().unwrap();
    assert_eq!(mail.recipients, ["alex@contoso.example", "ops@contoso.example"]);
    assert!(mail.text.as_deref().unwrap().contains("Lizenz"), "the mail is German: {:?}", mail.text);
    stage.finish().await;
}

async fn the_key_is_sent_again_once_an_hour(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    for _ in 0..2 {
        let page = post(&stage, &mut alex, id, "/key/resend", &[]).await;
        shows(&page, &["on its way by mail", "at most once an hour"]);
    }
    follow(&stage).await;
    assert_eq!(mails(&stage, id).await, ["welcome", "key_again"]);
    stage.advance(Duration::hours(1));
    post(&stage, &mut alex, id, "/key/resend", &[]).await;
    follow(&stage).await;
    assert_eq!(mails(&stage, id).await, ["welcome", "key_again", "key_again"]);
    stage.finish().await;
}

async fn a_leaked_key_is_replaced_once(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    let leaked = open(&stage, &mut alex, id, "/license.lic").await.text;
    let confirm = open(&stage, &mut alex, id, "/key/replace").await;
    shows(&confirm, &["The old key and every one before it are revoked"]);
    let fields = [("csrf", confirm.field("csrf").unwrap()), ("seq", confirm.field("seq").unwrap())];
    let address = stage.url(&format!("subscriptions/{id}/key/replace"));
    let clicks = (0..5).map(|_| {
        let mut browser = alex.clone();
        let (fields, address) = (&fields, address.clone());
        async move { browser.post_form(address, fields).await.unwrap() }
    });
    for page in futures::future::join_all(clicks).await {
        assert_eq!(page.status, 200, "{}", page.text);
    }
    follow(&stage).await;
    let fresh = open(&stage, &mut alex, id, "/license.lic").await.text;
    assert_ne!(fresh, leaked);
    let newest = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    assert_eq!((newest.seq, &newest.compact), (2, &fresh), "five clicks replace one key");
    assert_eq!(sync_key(&stage.app, &leaked).await.unwrap(), Synced::Gone);
    assert!(matches!(sync_key(&stage.app, &fresh).await.unwrap(), Synced::Newest(_)));
    assert_eq!(mails(&stage, id).await, ["welcome", "key_replaced"]);
    stage.finish().await;
}

async fn each_state_says_what_can_be_done(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    let suspended = open(&stage, &mut alex, id, "").await;
    shows(&suspended, &["Suspended", "What to do about the payment", "More users are possible again"]);
    shows(&suspended, &["Held while suspended", "The 1,927.39 EUR stay"]);
    let more = super::review(&stage, &mut alex, id, "300").await;
    assert_eq!(more.status, 422);
    shows(&more, &["An upgrade is not possible while a subscription is suspended.", "value=\"300\""]);
    let fewer = super::review(&stage, &mut alex, id, "100").await;
    shows(&fewer, &["Plan 100 users from 15 January 2027"]);
    assert!(stage.world().reinstate(id));
    follow(&stage).await;
    // Microsoft's plan change is refused: this plan has no successor in the catalog.
    stage.world().customer_change(id, Some("konnekt-yearly-2"), None).unwrap();
    follow(&stage).await;
    let refused = open(&stage, &mut alex, id, "").await;
    shows(&refused, &["The change to the plan", "was refused on 1 July 2026"]);
    // The term is over, and its renewal is not known yet.
    stage.world().set_auto_renew(id, true);
    stage.advance(
        date!(2027 - 01 - 15).with_hms(0, 30, 0).unwrap().assume_utc() - seatkey::clock::Clock::now(&*stage.clock),
    );
    let late = open(&stage, &mut alex, id, "").await;
    shows(&late, &["The term ended on 14 January 2027; its renewal is on the way"]);
    hides(&late, &["Change users", "was refused"]);
    move_to(&stage, date!(2027 - 01 - 15)).await;
    let renewed = open(&stage, &mut alex, id, "").await;
    shows(&renewed, &["Renewal of 15 January 2027", "Change users"]);
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    let ended = open(&stage, &mut alex, id, "").await;
    shows(&ended, &["Cancelled", "The license runs on", "eyJhbGci"]);
    hides(&ended, &["Change users", "/contacts", "was refused"]);
    stage.finish().await;
}
