//! What the page shows, in each stage and to each role.

use seatkey::{cli::browser::Browser, simulator::Purchase};

use super::{hides, open, shows};
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, NORDWIND},
        staff::{ADA, FINN, MIRA, SURI, signed_in},
        years::{enrolled, follow, report_after, upgrade},
    },
};

on_both_databases! {
    each_stage_has_its_page;
    everything_is_on_the_page;
    keys_are_shown_to_support_and_admin_alone;
    a_reseller_deal_shows_no_amount;
}

async fn each_stage_has_its_page(stage: Stage) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    for person in [MIRA, FINN, SURI, ADA] {
        let mut browser = signed_in(&stage, person).await;
        let page = open(&stage, &mut browser, id).await;
        assert_eq!(page.status, 200, "{}", page.text);
        shows(&page, &["not configured", "PendingFulfillmentStart", "There are no charges.", "subscription seen"]);
    }
    let mut ada = signed_in(&stage, ADA).await;
    let review = stage.review(&mut alex, id, "150").await;
    stage.submit(&mut alex, id, &review).await;
    shows(&open(&stage, &mut ada, id).await, &["Contoso GmbH", "activating", "order submitted"]);
    stage.settle().await;
    follow(&stage).await;
    shows(&open(&stage, &mut ada, id).await, &["active", "id=\"term-title\"", "Upgrade, or plan a downgrade"]);
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    shows(&open(&stage, &mut ada, id).await, &["suspended", "subscription suspended", "Suspend, "]);
    assert!(stage.world().cancel(id));
    follow(&stage).await;
    shows(&open(&stage, &mut ada, id).await, &["ended", "Unsubscribed", "Possible while it is in use."]);
    stage.finish().await;
}

async fn everything_is_on_the_page(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    report_after(&stage, 35).await;
    upgrade(&stage, id, 300).await;
    report_after(&stage, 1).await;
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    let mut ada = signed_in(&stage, ADA).await;
    let page = open(&stage, &mut ada, id).await;
    // What was ordered and what became of it, people, keys, mails, webhooks, calls, jobs, the log.
    shows(
        &page,
        &[
            "150 users, of which KONNEKT 25 was the cheapest, 2,100.00 EUR for a full year",
            "550.68 EUR",
            "1,376.71 EUR",
        ],
    );
    shows(
        &page,
        &["125 additional users of KONNEKT 25", "Accepted by Microsoft on", "konnekt-250-user", "Usage events"],
    );
    shows(&page, &["Purchaser", "Beneficiary", "Technical contact", "jo.brandt@contoso.example", "Buyer who enrolled"]);
    shows(&page, &["provisional, trial", "full", "taken by the mail server", "YOUR LICENSE KEY", "Suspend"]);
    shows(
        &page,
        &["saasSubscriptionStatus", "&quot;aud&quot;", "activate", "accepted", "keep appointment", "users raised"],
    );
    shows(&page, &["first report", "suspended", "renewal", "bought directly", "from: 150"]);
    stage.finish().await;
}

async fn keys_are_shown_to_support_and_admin_alone(stage: Stage) {
    let id = enrolled(&stage, "150").await;
    for person in [MIRA, FINN] {
        let page = open(&stage, &mut signed_in(&stage, person).await, id).await;
        // The mail itself says that a key begins with eyJ.
        hides(&page, &["eyJhbGci"]);
        shows(&page, &["visible to Support", "provisional", "not yours"]);
    }
    for person in [SURI, ADA] {
        let page = open(&stage, &mut signed_in(&stage, person).await, id).await;
        let key = stage.app.store.find_newest_key(id).await.unwrap().unwrap();
        assert_eq!(page.text.matches(&key.compact).count(), 2, "among the keys, and in the mail");
        hides(&page, &["visible to Support"]);
    }
    stage.finish().await;
}

async fn a_reseller_deal_shows_no_amount(stage: Stage) {
    let id = stage.buy_as(Purchase {
        purchaser: Some(NORDWIND.parse().unwrap()),
        ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
    });
    stage.enrol(&mut Browser::of(NORDWIND).unwrap(), id, "150").await;
    stage.settle().await;
    follow(&stage).await;
    report_after(&stage, 35).await;
    for person in [MIRA, FINN, SURI, ADA] {
        let page = open(&stage, &mut signed_in(&stage, person).await, id).await;
        shows(&page, &["reseller", "150 users in KONNEKT 25", "0.917808", "amounts are shown to nobody"]);
        for amount in ["EUR", "€", "550.68", "1,376.71", "2,100", "600.00", "12.00", "Unit price"] {
            hides(&page, &[amount]);
        }
    }
    let mut mira = signed_in(&stage, MIRA).await;
    let review = super::send(&stage, &mut mira, id, "/users", &[("users", "300")]).await;
    shows(&review, &["Upgrade from 150 to 300 users", "reseller sets the prices"]);
    hides(&review, &["EUR", "3,660", "7.20"]);
    stage.finish().await;
}
