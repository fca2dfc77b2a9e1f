//! Each action by each role: who may, does it, with an entry in the audit log; everybody else changes nothing.

use seatkey::{
    clock::Clock as _,
    domain::policy::Identity,
    store::{Claim, JobKind},
};
use time::Duration;
use uuid::Uuid;

use super::{WHY, hides, open, send, shows, trail};
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, JO},
        staff::{ADA, FINN, MIRA, SURI, post, signed_in},
        told::{known, mails},
        years::{enrolled, follow},
    },
};

on_both_databases! {
    support_does_what_others_may_not;
    everybody_writes_notes;
    webhooks_are_replayed_and_dead_jobs_run_again;
    a_person_is_bound_whom_microsoft_does_not_name;
    what_is_not_right_is_said_at_the_form;
    forms_without_a_token_and_unknown_ids_change_nothing;
}

/// Everybody but support is refused; support's entry is the newest of the log, with the reason, and gives its detail.
async fn only_support(stage: &Stage, id: Uuid, act: &str, fields: &[(&str, &str)], action: &str) -> String {
    let before = trail(stage, id).await;
    for person in [MIRA, FINN] {
        let mut browser = signed_in(stage, person).await;
        let page = send(stage, &mut browser, id, act, fields).await;
        assert_eq!(page.status, 403, "{person} {act}: {}", page.text);
        shows(&page, &["belongs to another role"]);
    }
    assert_eq!(trail(stage, id).await, before, "{act}");
    let mut suri = signed_in(stage, SURI).await;
    let page = send(stage, &mut suri, id, act, fields).await;
    assert_eq!(page.status, 200, "{act}: {}", page.text);
    assert!(page.url.query().unwrap_or_default().starts_with("done="), "{act}: {}", page.url);
    let after = trail(stage, id).await;
    assert_eq!(after.len(), before.len() + 1, "{act}");
    let newest = &after[0];
    assert!(newest.actor.starts_with("staff:") && newest.actor.ends_with(SURI), "{newest:?}");
    assert_eq!(newest.action, action);
    assert!(newest.detail.contains("\"address\":\"127.0.0.1\""), "{newest:?}");
    assert_eq!(newest.detail.contains(WHY.1), fields.contains(&WHY), "{newest:?}");
    newest.detail.clone()
}

async fn support_does_what_others_may_not(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    only_support(&stage, id, "/key/resend", &[], "key_resent").await;
    follow(&stage).await;
    assert_eq!(mails(&stage, id).await, ["welcome", "key_again"]);

    let contacts =
        [("email", "alex@contoso.example"), ("technical_contact", "ops@contoso.example"), ("language", "de")];
    let fields: Vec<_> = contacts.into_iter().chain([WHY]).collect();
    let detail = only_support(&stage, id, "/contacts", &fields, "contacts_changed").await;
    assert!(!detail.contains("contoso"), "addresses stay out of the log: {detail}");
    assert!(detail.contains("\"before\":\"en\"") && detail.contains("\"after\":\"de\""), "{detail}");
    let enrolment = stage.app.store.find_enrolment(id).await.unwrap().unwrap();
    assert_eq!((enrolment.technical_contact.as_str(), enrolment.language.as_str()), ("ops@contoso.example", "de"));

    let leaked = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    let seq = leaked.seq.to_string();
    only_support(&stage, id, "/key/rotate", &[("seq", &seq), WHY], "license_rotated").await;
    follow(&stage).await;
    let newest = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
    assert!(newest.license_id != leaked.license_id && newest.seq == leaked.seq + 1, "{newest:?}");
    assert!(stage.app.store.find_revocation(&leaked.license_id).await.unwrap().is_some());
    let mut ada = signed_in(&stage, ADA).await;
    let again = send(&stage, &mut ada, id, "/key/rotate", &[("seq", &seq), WHY]).await;
    assert_eq!(again.status, 422, "a second click replaces nothing");
    shows(&again, &["not the newest key any more", WHY.1]);

    only_support(&stage, id, "/reconcile", &[WHY], "reconciliation_asked").await;
    follow(&stage).await;
    // An admin may do what support may.
    let page = send(&stage, &mut ada, id, "/reconcile", &[]).await;
    shows(&page, &["is being compared with Microsoft", "Ada Admin"]);
    follow(&stage).await;
    stage.finish().await;
}

async fn everybody_writes_notes(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    for person in [MIRA, FINN, SURI, ADA] {
        let mut browser = signed_in(&stage, person).await;
        let text = format!("  <b>called</b> them\r\nas {person}  ");
        let page = send(&stage, &mut browser, id, "/notes", &[("text", &text)]).await;
        shows(&page, &["The note is written", "&lt;b&gt;called&lt;/b&gt; them\nas"]);
        hides(&page, &["<b>called"]);
    }
    let notes = stage.app.store.list_notes(id, 10).await.unwrap();
    assert_eq!(notes.len(), 4);
    assert!(notes.iter().all(|note| note.text.starts_with("<b>called</b> them\nas d1a5")), "{notes:?}");
    let log = trail(&stage, id).await;
    assert!(log[..4].iter().all(|entry| entry.action == "note_added" && !entry.detail.contains("called")), "{log:?}");
    let mut mira = signed_in(&stage, MIRA).await;
    let book = "x".repeat(4_001);
    for text in ["", "   ", book.as_str()] {
        let page = send(&stage, &mut mira, id, "/notes", &[("text", text)]).await;
        assert_eq!(page.status, 422);
        shows(&page, &["A note has 1 to 4000 characters."]);
    }
    let kept = send(&stage, &mut mira, id, "/notes", &[("text", &book)]).await;
    shows(&kept, &[&book]);
    assert_eq!(stage.app.store.list_notes(id, 10).await.unwrap().len(), 4);
    stage.finish().await;
}

async fn webhooks_are_replayed_and_dead_jobs_run_again(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    let webhook = stage.app.store.list_webhooks(id, 10).await.unwrap().remove(0);
    let first = webhook.handled_at;
    stage.advance(Duration::hours(1));
    let fields = [("webhook", webhook.id.to_string())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    only_support(&stage, id, "/webhooks/replay", &fields, "webhook_replayed").await;
    follow(&stage).await;
    let again = stage.app.store.find_webhook(webhook.id).await.unwrap().unwrap();
    assert!(again.handled_at > first && again.outcome.is_some(), "{again:?}");

    let job = bury(&stage, id).await;
    let mut suri = signed_in(&stage, SURI).await;
    shows(&open(&stage, &mut suri, id).await, &["given up", "the disk was full", "1 dead job", "Let a job run again"]);
    let text = job.to_string();
    only_support(&stage, id, "/jobs/retry", &[("job", &text), WHY], "job_retried").await;
    follow(&stage).await;
    assert_eq!(stage.app.store.find_job(job).await.unwrap().unwrap().state, "done");
    let late = send(&stage, &mut suri, id, "/jobs/retry", &[("job", &text)]).await;
    assert_eq!(late.status, 422);
    shows(&late, &["has not given up"]);

    // Of another subscription: as if they were not there.
    let other = stage.buy();
    stage.configure(&mut seatkey::cli::browser::Browser::of(ALEX).unwrap(), other).await;
    for (act, name, value) in [("/webhooks/replay", "webhook", webhook.id), ("/jobs/retry", "job", job)] {
        let page = send(&stage, &mut suri, other, act, &[(name, &value.to_string())]).await;
        assert_eq!(page.status, 404, "{act}");
    }
    stage.finish().await;
}

/// A job of the subscription that has given up.
async fn bury(stage: &Stage, id: Uuid) -> Uuid {
    let now = stage.clock.now();
    let tx = stage.app.store.begin().await.unwrap();
    tx.schedule_job(JobKind::IssueKey, id, now, now).await.unwrap();
    tx.commit().await.unwrap();
    let claim = Claim { owner: Uuid::new_v4(), lease: Duration::minutes(1) };
    let job = stage.app.store.claim_job(claim, now).await.unwrap().unwrap();
    assert_eq!((job.kind, job.subject), (JobKind::IssueKey, id));
    stage.app.store.bury_job(job.lease, "the disk was full").await.unwrap();
    job.lease.job_id
}

async fn a_person_is_bound_whom_microsoft_does_not_name(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let tenant_id = known(&stage, id).await.microsoft.beneficiary.tenant_id.unwrap();
    let jo = [("tenant_id", tenant_id.to_string()), ("object_id", JO.to_owned())];
    let mut fields: Vec<(&str, &str)> = jo.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.push(WHY);
    let mut suri = signed_in(&stage, SURI).await;
    let named = send(&stage, &mut suri, id, "/person", &fields).await;
    assert_eq!(named.status, 422, "what Microsoft says is never replaced");
    forget_people(&stage, id).await;

    let other = [("tenant_id", JO), ("object_id", JO), WHY];
    let page = send(&stage, &mut suri, id, "/person", &other).await;
    assert_eq!(page.status, 422);
    shows(&page, &["elongs to another tenant", "<details open>", JO]);
    let detail = only_support(&stage, id, "/person", &fields, "person_bound").await;
    assert!(!detail.contains(JO) && detail.contains("beneficiary"), "{detail}");
    let now = known(&stage, id).await.microsoft;
    let who = Identity { tenant_id, object_id: JO.parse().unwrap() };
    for party in [&now.beneficiary, &now.purchaser] {
        assert_eq!((party.tenant_id, party.object_id), (Some(who.tenant_id), Some(who.object_id)));
    }
    let mut browser = seatkey::cli::browser::Browser::of(JO).unwrap();
    let account = browser.open(stage.url(&format!("subscriptions/{id}"))).await.unwrap();
    shows(&account, &["eyJhbGci", "Change users"]);
    stage.finish().await;
}

/// As if Microsoft named nobody.
async fn forget_people(stage: &Stage, id: Uuid) {
    let tx = stage.app.store.begin().await.unwrap();
    let mut subscription = tx.get_subscription(id).await.unwrap();
    subscription.microsoft.beneficiary.object_id = None;
    subscription.microsoft.purchaser.object_id = None;
    tx.update_subscription(&subscription, stage.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn what_is_not_right_is_said_at_the_form(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let before = trail(&stage, id).await;
    let mut suri = signed_in(&stage, SURI).await;
    let long = "y".repeat(1_001);
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let table: [(&str, Fields<'_>, &str); 7] = [
        ("/key/rotate", &[("seq", "1"), ("reason", "leaked")], "Give a reason of 10 to 1000 characters."),
        ("/key/rotate", &[("seq", "one"), WHY], "not the newest key any more"),
        ("/key/resend", &[("reason", &long)], "Give a reason of 10 to 1000 characters."),
        (
            "/contacts",
            &[("email", "nowhere"), ("technical_contact", "ops@contoso.example"), ("language", "en"), WHY],
            "Enter two e-mail addresses",
        ),
        (
            "/contacts",
            &[("email", "a@contoso.example"), ("technical_contact", "b@contoso.example"), ("language", "tlh"), WHY],
            "There are no mails in this language.",
        ),
        ("/person", &[("tenant_id", "contoso"), ("object_id", "alex"), WHY], "Enter two ids"),
        ("/person", &[("tenant_id", ALEX), ("object_id", ALEX), ("reason", "short")], "Give a reason"),
    ];
    for (act, fields, told) in table {
        let page = send(&stage, &mut suri, id, act, fields).await;
        assert_eq!(page.status, 422, "{act} {fields:?}");
        shows(&page, &[told, "Nothing was changed."]);
        // Where Microsoft names the people, there is no form to bind one.
        if act == "/person" {
            continue;
        }
        shows(&page, &["<details open>"]);
        for (_, value) in fields.iter().filter(|(name, value)| !matches!(*name, "seq" | "language") && value.len() < 99)
        {
            shows(&page, &[value]);
        }
    }
    assert_eq!(trail(&stage, id).await, before);
    stage.finish().await;
}

/// Every form of the page.
const FORMS: [&str; 11] = [
    "/notes",
    "/users",
    "/users/submit",
    "/users/cancel-downgrade",
    "/key/resend",
    "/key/rotate",
    "/contacts",
    "/person",
    "/webhooks/replay",
    "/jobs/retry",
    "/reconcile",
];

async fn forms_without_a_token_and_unknown_ids_change_nothing(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    let before = trail(&stage, id).await;
    let mut ada = signed_in(&stage, ADA).await;
    for form in FORMS {
        let fields = [("csrf", "guessed".to_owned()), ("text", "a note".to_owned()), ("reason", WHY.1.to_owned())];
        let page = ada.post_form(stage.url(&super::path(id, form)), &fields).await.unwrap();
        assert_eq!(page.status, 403, "{form}");
        shows(&page, &["This form is too old"]);
        for unknown in [Uuid::new_v4().to_string(), "none".to_owned()] {
            let page = post(&stage, &mut ada, &format!("console/subscriptions/{unknown}{form}"), &[WHY]).await;
            assert_eq!(page.status, 404, "{form}");
        }
    }
    let page = ada.open(stage.url(&format!("console/subscriptions/{}", Uuid::new_v4()))).await.unwrap();
    assert_eq!(page.status, 404);
    assert_eq!(trail(&stage, id).await, before);
    stage.finish().await;
}
