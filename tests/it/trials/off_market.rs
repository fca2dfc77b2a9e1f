//! A key without any purchase, which a later purchase goes on with.

use seatkey::{
    app::{self, NamedTenant, Synced, bind_trial, list_revoked, revoke_trial, sync_key},
    cli::browser::Browser,
    domain::{
        policy::PERSONAL_ACCOUNTS,
        trial_grant::{State, TrialGrant, TrialRefused},
    },
    signing,
};
use time::{
    Duration,
    macros::{date, datetime},
};

use super::{CONTOSO, MIRA, accepted, follow, found, grant, key, known, mails_of, mira, move_to, part, refusal};
use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    a_prospects_whole_way;
    a_revoked_key_is_on_the_list_and_gives_nothing;
    a_tenant_is_named_later_and_the_license_goes_on_after_its_end;
    a_key_takes_a_mailbox_and_a_name;
    a_prospect_who_never_buys_is_forgotten;
}

fn compact(grant: &TrialGrant) -> String {
    grant.license.as_ref().unwrap().key.clone()
}

async fn a_prospects_whole_way(stage: Stage) {
    let one = grant(&stage, key(14, Some(NamedTenant::Domain("contoso.example")), "de")).await;
    follow(&stage).await;
    let mail = &mails_of(&stage, "trial_key")[0];
    assert_eq!(mail.recipients, ["alex.weber@contoso.example"]);
    assert_eq!(mail.subject, "Ihr Testschlüssel für KONNEKT mit 50 Nutzern, bis 28. Januar 2026");
    assert!(mail.text.as_deref().unwrap().contains(&compact(&one)));
    let claims = signing::inspect(&compact(&one)).unwrap();
    assert!(claims.trial && claims.provisional && !claims.test);
    assert_eq!((claims.seq, claims.users, claims.org.tid), (1, Some(50), Some(CONTOSO)));
    assert_eq!(claims.segment.as_deref(), Some("KONNEKT 25"));
    assert_eq!(claims.exp, datetime!(2026-01-29 0:00 UTC).unix_timestamp());
    let synced = sync_key(&stage.app, &compact(&one)).await.unwrap();
    assert!(matches!(synced, Synced::Newest(key) if key.compact == compact(&one)));
    assert!(stage.app.store.is_trial_used("konnekt", &CONTOSO.to_string()).await.unwrap());
    // Five days later they buy: nine days are left, and no default trial comes on top.
    stage.advance(Duration::days(5));
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let review = stage.review(&mut alex, id, "150").await;
    assert!(review.text.contains("28 January 2026"), "{}", review.text);
    stage.submit(&mut alex, id, &review).await;
    stage.settle().await;
    assert_eq!(known(&stage, id).await.trial_end, Some(date!(2026 - 01 - 28)));
    let first = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    assert_eq!((&first.license_id, first.seq), (&claims.jti, 2), "the same license goes on");
    let synced = sync_key(&stage.app, &compact(&one)).await.unwrap();
    assert!(matches!(synced, Synced::Newest(key) if key.seq == 2), "the old key finds the new one");
    let used = found(&stage, one.id).await;
    assert_eq!((used.state, used.subscription_id), (State::Used, Some(id)));
    // The grace period is over on 23 January, the trial with the 28th: reported after both.
    move_to(&stage, datetime!(2026-01-28 23:59 UTC));
    follow(&stage).await;
    assert!(accepted(&stage, id).is_empty());
    stage.advance(Duration::minutes(2));
    follow(&stage).await;
    // A term from 20 January on: 365 days, nine of them free.
    assert_eq!(accepted(&stage, id), [part(1, 356, 365), part(125, 356, 365)]);
    let full = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    assert_eq!((&full.license_id, full.seq), (&claims.jti, 3));
    stage.finish().await;
}

async fn a_revoked_key_is_on_the_list_and_gives_nothing(stage: Stage) {
    let one = grant(&stage, key(14, Some(NamedTenant::Id(CONTOSO)), "en")).await;
    follow(&stage).await;
    revoke_trial(&stage.app, &mira(), one.id, "the prospect asked for it").await.unwrap();
    assert_eq!(sync_key(&stage.app, &compact(&one)).await.unwrap(), Synced::Gone);
    let license_id = one.license.as_ref().unwrap().license_id.clone();
    assert!(revocations(&stage).await.contains(&license_id));
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    assert_eq!(known(&stage, id).await.trial_end, None, "any trial uses the first one up");
    let first = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    assert_ne!(first.license_id, license_id);
    move_to(&stage, datetime!(2026-01-29 0:00 UTC));
    follow(&stage).await;
    assert!(!revocations(&stage).await.contains(&license_id), "its key would have ended by itself");
    stage.finish().await;
}

/// The text that the list of revoked licenses signs.
async fn revocations(stage: &Stage) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let list = list_revoked(&stage.app).await.unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(list.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

async fn a_tenant_is_named_later_and_the_license_goes_on_after_its_end(stage: Stage) {
    let one = grant(&stage, key(14, None, "en")).await;
    assert_eq!((one.tenant_id, one.state), (None, State::Open));
    let personal = bind_trial(&stage.app, &mira(), one.id, NamedTenant::Id(PERSONAL_ACCOUNTS)).await;
    assert_eq!(refusal(personal), TrialRefused::PersonalAccounts);
    bind_trial(&stage.app, &mira(), one.id, NamedTenant::Domain("contoso.example")).await.unwrap();
    let twice = bind_trial(&stage.app, &mira(), one.id, NamedTenant::Domain("fabrikam.example")).await;
    assert_eq!(refusal(twice), TrialRefused::NotBindable);
    for _ in 0..16 {
        stage.advance(Duration::DAY);
        follow(&stage).await;
    }
    let ends = mails_of(&stage, "trial_key_ends");
    assert_eq!(ends.len(), 2, "seven days and one day before");
    assert_eq!(ends[0].subject, "KONNEKT: your trial ends on 28 January 2026");
    assert!(ends[0].text.as_deref().unwrap().contains("YOUR TRIAL ENDS IN 7 DAYS"), "{:?}", ends[0].text);
    assert!(ends[1].text.as_deref().unwrap().contains("YOUR TRIAL ENDS TOMORROW"), "{:?}", ends[1].text);
    let reminders = mails_of(&stage, "trial_reminder");
    assert_eq!(reminders.len(), 2);
    assert!(reminders.iter().all(|mail| mail.recipients == [MIRA]));
    assert_eq!(sync_key(&stage.app, &compact(&one)).await.unwrap(), Synced::Gone, "it has ended");
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    assert_eq!(known(&stage, id).await.trial_end, None, "no day is left");
    let synced = sync_key(&stage.app, &compact(&one)).await.unwrap();
    assert!(matches!(synced, Synced::Newest(key) if key.seq == 2 && key.subscription_id == id));
    stage.finish().await;
}

async fn a_key_takes_a_mailbox_and_a_name(stage: Stage) {
    let with = |email: &str, name: &str| {
        let mut request = key(14, None, "en");
        let contact = request.prospect.as_mut().unwrap();
        (contact.email, contact.name) = (email.to_owned(), name.to_owned());
        request
    };
    let refused = refusal(app::grant_trial(&stage.app, &mira(), with("alex.weber", "Alex")).await);
    assert_eq!(refused, TrialRefused::NoMailbox("alex.weber".to_owned()));
    let refused = refusal(app::grant_trial(&stage.app, &mira(), with("alex@contoso.example", " ")).await);
    assert_eq!(refused, TrialRefused::NoName);
    // Above the limits nothing is mailed before somebody else has approved; the time of the key begins then.
    let one = grant(&stage, key(120, None, "en")).await;
    follow(&stage).await;
    assert_eq!((one.state, one.license, mails_of(&stage, "trial_key").len()), (State::Proposed, None, 0));
    stage.advance(Duration::days(3));
    super::mira_is_known(&stage).await;
    let approved = app::approve_trial(&stage.app, &super::ada(), one.id).await.unwrap();
    follow(&stage).await;
    assert_eq!(approved.expires_at, datetime!(2026-05-18 0:00 UTC));
    assert_eq!(mails_of(&stage, "trial_key").len(), 1);
    stage.finish().await;
}

async fn a_prospect_who_never_buys_is_forgotten(stage: Stage) {
    let one = grant(&stage, key(14, Some(NamedTenant::Id(CONTOSO)), "en")).await;
    follow(&stage).await;
    move_to(&stage, one.expires_at + stage.app.retention + Duration::HOUR);
    follow(&stage).await;
    let erased = found(&stage, one.id).await;
    assert_eq!((erased.contact.email.as_str(), erased.tenant_id), ("(erased)", None));
    assert_eq!(erased.license.unwrap().key, "(erased)");
    assert!(stage.app.store.is_trial_used("konnekt", &CONTOSO.to_string()).await.unwrap(), "remembered by a digest");
    stage.finish().await;
}
