//! The first page: what needs a person, each with its next step and, where there is one, its deadline.

use std::{collections::BTreeSet, sync::Arc};

use seatkey::{
    app,
    cli::browser::Browser,
    clock::Clock as _,
    domain::staff::{Actor, Scope},
    jobs::Runner,
    store::{Claim, JobKind},
};
use time::Duration;

use super::shows;
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::ALEX,
        staff::{ADA, SURI, signed_in},
    },
};

on_both_databases! {
    mails_that_do_not_leave_and_secrets_that_expire;
}

const EARLY: &str = "Nothing needs a person";

async fn mails_that_do_not_leave_and_secrets_that_expire(mut stage: Stage) {
    let mut ada = signed_in(&stage, ADA).await;
    shows(&ada.open(stage.url("console")).await.unwrap(), &[EARLY]);
    // 17 days are left: the mail server is gone, too.
    stage.change_configuration("[staff]", "[staff]\nclient_secret_expires = \"2026-02-01\"");
    let server = stage.simulator.smtp_url().to_string();
    stage.change_configuration(&server, "smtp://127.0.0.1:1");
    stage.restart().await;
    let anna = Actor::Operator { name: "Anna".to_owned() };
    for (name, days) in [("CRM", 20), ("Billing", 60)] {
        app::create_api_key(&stage.app, &anna, name, BTreeSet::from([Scope::TrialsRead]), days).await.unwrap();
    }
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    // Until the subscription is active, and its mail written.
    while stage.app.store.list_mails(id).await.unwrap().is_empty() {
        stage.advance(Duration::SECOND);
        Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
    }
    let page = ada.open(stage.url("console")).await.unwrap();
    shows(
        &page,
        &["A client secret expires", "[staff] client_secret_expires", "An API key expires", "CRM, never used"],
    );
    assert!(!page.text.contains("Billing") && !page.text.contains("Mail does not leave"), "{}", page.text);
    assert!(page.text.contains("2 things need a person, the first in 16 d"), "{}", page.text);

    stage.advance(Duration::hours(2));
    Runner::new(Arc::clone(&stage.app)).run_due().await.unwrap();
    let mail = stage.app.store.list_mails(id).await.unwrap().remove(0).id;
    let page = ada.open(stage.url("console")).await.unwrap();
    let link = format!("/console/mails/{mail}");
    shows(&page, &["Mail does not leave", "to alex.weber@contoso.example", "tried again by itself", &link]);
    assert!(page.text.contains("Contoso GmbH") && page.text.contains("3<span class=\"vh\"> waiting"), "{}", page.text);

    // Nobody tries any more.
    stage.advance(Duration::hours(2));
    let claim = Claim { owner: uuid::Uuid::new_v4(), lease: Duration::minutes(1) };
    loop {
        let job = stage.app.store.claim_job(claim, stage.clock.now()).await.unwrap().expect("the mail's job is due");
        if (job.kind, job.subject) == (JobKind::SendMail, mail) {
            stage.app.store.bury_job(job.lease, "no such mailbox").await.unwrap();
            break;
        }
    }
    let mut suri = signed_in(&stage, SURI).await;
    let page = suri.open(stage.url("console")).await.unwrap();
    shows(&page, &["Mail not delivered", "given up after", "then let it run again", &link]);
    assert!(!page.text.contains("Mail does not leave") && !page.text.contains("Job send_mail"), "{}", page.text);
    assert!(page.text.contains("3<span class=\"vh\"> waiting"), "each is counted once: {}", page.text);
    stage.strike().await;
}
