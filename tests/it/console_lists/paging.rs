//! More rows than a page holds: each is shown once, in the order of the file.

use seatkey::{
    cli::browser::Browser,
    clock::Clock as _,
    store::{AuditEntry, ChargeFilter, HOUSE, NewMail, NewWebhook},
};
use uuid::Uuid;

use super::{column, file, finance, id_of, order, rows, shown};
use crate::{
    on_both_databases,
    support::{Stage, people::ALEX},
};

on_both_databases! {
    every_row_is_passed_once;
}

const MANY: usize = 120;

async fn every_row_is_passed_once(stage: Stage) {
    let id = stage.buy();
    order(&stage, &mut Browser::of(ALEX).unwrap(), id, "Contoso GmbH").await;
    fill(&stage, id).await;
    let mut finn = finance(&stage).await;
    for (room, name) in
        [("webhooks", "Webhook id"), ("jobs", "Job id"), ("mails", "Mail id"), ("staff-actions", "Hash")]
    {
        let passed = walk(&stage, &mut finn, &format!("/console/{room}")).await;
        let lines = file(&stage, &mut finn, &format!("/console/{room}.csv")).await;
        assert!(passed.len() >= MANY, "{room} has {} rows", passed.len());
        assert_eq!(passed, column(&lines, name), "{room}");
        let mut once = passed.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), passed.len(), "{room} shows a row twice");
    }
    // A filter stays on the way, and ends the way early.
    let odd = walk(&stage, &mut finn, "/console/webhooks?action=Odd").await;
    assert_eq!(odd.len(), MANY / 2);
    charges(&stage, id).await;
    stage.strike().await;
}

/// From page to page by the link to the next one.
async fn walk(stage: &Stage, browser: &mut Browser, path: &str) -> Vec<String> {
    let (mut path, mut passed) = (path.to_owned(), Vec::new());
    for _ in 0..20 {
        let page = shown(stage, browser, &path).await;
        passed.extend(rows(&page).iter().map(|row| id_of(row)));
        let next = page.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
        let Some(next) = next else { return passed };
        path = next.replace("&amp;", "&");
    }
    panic!("the pages do not come to an end");
}

async fn fill(stage: &Stage, id: Uuid) {
    let tx = stage.app.store.begin().await.unwrap();
    let now = stage.clock.now();
    for number in 0..MANY {
        let operation = Uuid::new_v4().to_string();
        let webhook = NewWebhook {
            operation_id: &operation,
            action: if number % 2 == 0 { "Even" } else { "Odd" },
            subscription_id: Some(id),
            body: "{\"planId\":\"=1+1\"}",
            claims: "{}",
            refusal: None,
        };
        assert!(tx.insert_webhook(webhook, now).await.unwrap());
        let mail = NewMail {
            subscription_id: Some(id),
            message_id: format!("many.{number}@licenses.example"),
            recipients: vec!["=cmd@contoso.example".to_owned()],
            subject: "+1".to_owned(),
            text_body: String::new(),
            html_body: String::new(),
            attachments: Vec::new(),
            reply_to: String::new(),
        };
        assert!(tx.queue_mail(&mail, now).await.unwrap());
        let entry = AuditEntry { subscription_id: HOUSE, actor: "operator:=Jo", action: "trial_granted", detail: "{}" };
        tx.record_audit(entry, now);
    }
    tx.commit().await.unwrap();
}

/// The ledger row by row: what comes behind one is what comes behind it in the whole.
async fn charges(stage: &Stage, id: Uuid) {
    let store = &stage.app.store;
    let whole = store.list_newest_lines(ChargeFilter::default(), None, 1_000).await.unwrap();
    assert_eq!(whole.len(), store.list_charges(id).await.unwrap().len());
    let (mut after, mut passed) = (None, Vec::new());
    while let Some(one) = store.list_newest_lines(ChargeFilter::default(), after, 1).await.unwrap().pop() {
        after = Some(one.1.id());
        passed.push(one.1.id());
    }
    assert_eq!(passed, whole.iter().map(|one| one.1.id()).collect::<Vec<_>>());
}
