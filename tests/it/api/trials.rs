//! Custom trials by API: what console and command line do, once for each Idempotency-Key.

use seatkey::{
    cli::browser::Browser,
    domain::staff::Scope::{TrialsRead, TrialsWrite},
};
use serde_json::{Value, json};
use time::Duration;

use super::client::Program;
use crate::{
    account::follow,
    on_both_databases,
    support::{Stage, people::ALEX, told::known},
};

on_both_databases! {
    a_trial_is_granted_once_and_listed;
    of_many_at_the_same_moment_one_is_granted;
    a_prospect_gets_a_key_by_mail;
    a_running_trial_is_extended;
    what_cannot_be_granted_is_refused_with_the_sentence;
}

const PATH: &str = "api/v1/trials";
/// Fabrikam.
const TENANT: &str = "5b1a7c2d-3e4f-4a5b-8c6d-7e8f9a0b1c2d";

fn ahead() -> Value {
    json!({ "offerId": "konnekt", "planId": "konnekt-yearly", "tenantId": TENANT, "days": 60,
        "reason": "Pilot in two branches" })
}

async fn a_trial_is_granted_once_and_listed(stage: Stage) {
    let program = Program::with(&stage, &[TrialsWrite, TrialsRead]).await;
    let granted = program.post_once(PATH, "first", &ahead()).await;
    assert_eq!((granted.status, granted.header("cache-control")), (201, "no-store"), "{}", granted.body);
    let expected = ["ahead", "open", "konnekt-yearly", TENANT];
    assert_eq!(["kind", "state", "planId", "tenantId"].map(|name| granted.body[name].as_str().unwrap()), expected);
    assert_eq!((&granted.body["days"], &granted.body["grantedBy"]), (&json!(60), &json!("CRM")));
    let again = program.post_once(PATH, "first", &ahead()).await;
    assert_eq!((again.status, &again.body), (201, &granted.body), "the same answer");
    let mut longer = ahead();
    longer["days"] = json!(61);
    assert_eq!(program.post_once(PATH, "first", &longer).await.problem().1, "conflict");
    let other_program = Program::with(&stage, &[TrialsWrite]).await;
    stage.advance(Duration::SECOND);
    assert_eq!(other_program.post_once(PATH, "first", &longer).await.status, 201, "another key has names of its own");
    longer["days"] = json!(91);
    stage.advance(Duration::SECOND);
    let proposed = program.post(PATH, &longer).await;
    assert_eq!((proposed.status, &proposed.body["state"]), (201, &json!("proposed")), "it takes a second person");
    for name in ["", " ", "two words", &"x".repeat(256)] {
        assert_eq!(program.post_once(PATH, name, &ahead()).await.status, 400, "{name:?}");
    }
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = program.get(&format!("{PATH}?limit=2{cursor}")).await;
        listed.extend(page.body["items"].as_array().unwrap().iter().map(|item| item["days"].as_u64().unwrap()));
        let Some(next) = page.body["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(listed, [91, 61, 60], "newest first");
    let open = program.get(&format!("{PATH}?state=proposed")).await;
    assert_eq!(open.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(program.get(&format!("{PATH}?state=running")).await.status, 400);
    let (entries, flaws) = stage.app.store.verify_house().await.unwrap();
    assert_eq!((entries, flaws.len()), (5, 0), "two keys and three trials");
    stage.settle().await;
    stage.finish().await;
}

async fn of_many_at_the_same_moment_one_is_granted(stage: Stage) {
    let program = Program::with(&stage, &[TrialsWrite, TrialsRead]).await;
    let body = ahead();
    let answers = futures::future::join_all((0..6).map(|_| program.post_once(PATH, "same", &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body));
    assert_eq!(program.get(PATH).await.body["items"].as_array().unwrap().len(), 1);
    stage.settle().await;
    stage.finish().await;
}

async fn a_prospect_gets_a_key_by_mail(stage: Stage) {
    let program = Program::with(&stage, &[TrialsWrite]).await;
    let body = json!({ "offerId": "konnekt", "planId": "konnekt-yearly", "days": 30, "reason": "Met at the fair in Hanover",
        "contactEmail": "robin@litware.example", "contactName": "Robin", "organisation": "Litware" });
    let granted = program.post_once(PATH, "prospect", &body).await;
    assert_eq!((granted.status, &granted.body["kind"]), (201, &json!("off_market")), "{}", granted.body);
    assert!(granted.body["licenseId"].is_string() && !granted.body.to_string().contains("eyJ"), "{}", granted.body);
    seatkey::jobs::Runner::new(std::sync::Arc::clone(&stage.app)).run_due().await.unwrap();
    let mails = stage.world().mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].recipients, ["robin@litware.example"]);
    assert!(mails[0].text.as_deref().unwrap().replace('\n', "").contains("eyJ"), "the key is in the mail");
    stage.settle().await;
    stage.finish().await;
}

async fn a_running_trial_is_extended(stage: Stage) {
    let program = Program::with(&stage, &[TrialsWrite]).await;
    let id = stage.buy();
    stage.enrol(&mut Browser::of(ALEX).unwrap(), id, "150").await;
    follow(&stage).await;
    let before = known(&stage, id).await.trial_end.unwrap();
    let body = json!({ "subscriptionId": id, "extends": "trial", "days": 10, "reason": "The roll-out is late" });
    let extended = program.post_once(PATH, "longer", &body).await;
    assert_eq!((extended.status, &extended.body["kind"]), (201, &json!("extension")), "{}", extended.body);
    program.post_once(PATH, "longer", &body).await;
    assert_eq!((known(&stage, id).await.trial_end.unwrap() - before).whole_days(), 10, "once");
    follow(&stage).await;
    stage.finish().await;
}

async fn what_cannot_be_granted_is_refused_with_the_sentence(stage: Stage) {
    let program = Program::with(&stage, &[TrialsWrite, TrialsRead]).await;
    let with = |changes: Value| {
        let mut body = ahead();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let nobody = "8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915";
    let extension =
        json!({ "subscriptionId": nobody, "extends": "trial", "days": 10, "reason": "The roll-out is late" });
    let table = [
        (with(json!({ "days": 0 })), 422, "A trial has between 1 and 365 days"),
        (with(json!({ "reason": "because" })), 422, "Give a reason of 10 to 2000 characters"),
        (with(json!({ "users": 24 })), 422, "This plan starts at 25 users"),
        (with(json!({ "offerDays": 181 })), 422, "An offer stays open"),
        (with(json!({ "planId": "team" })), 422, "The catalog has no plan \"team\""),
        (with(json!({ "tenantId": null })), 422, "Name the tenant or its domain"),
        (with(json!({ "tenantId": null, "domain": "not a domain" })), 422, "\"not a domain\" is not a domain name"),
        (
            with(json!({ "tenantId": "9188040d-6c67-4c5b-b112-36a304b66dad" })),
            422,
            "That is the tenant of all personal",
        ),
        (with(json!({ "contactEmail": "robin" })), 422, "\"robin\" is not the address of a mailbox"),
        (with(json!({ "domain": "contoso.example" })), 400, "Name the tenant by tenantId or by domain"),
        (with(json!({ "tenantId": "contoso" })), 400, "The body is not the JSON of this address"),
        (with(json!({ "organisation": "Litware" })), 400, "The fields organisation"),
        (with(json!({ "offerId": null })), 400, "Name an offerId and a planId"),
        (with(json!({ "extends": "trial" })), 400, "The field extends belongs to a subscriptionId"),
        (with(json!({ "subscriptionId": nobody })), 400, "An extension has"),
        (with(json!({ "trial": true })), 400, "The body is not the JSON of this address: unknown field `trial`"),
        (extension.clone(), 404, "There is no such subscription."),
    ];
    for (body, status, sentence) in table {
        let answer = program.post(PATH, &body).await;
        assert!(answer.status == status && answer.problem().2.starts_with(sentence), "{body}: {}", answer.body);
    }
    assert_eq!(program.get(PATH).await.body["items"], json!([]), "nothing was granted");
    stage.finish().await;
}
