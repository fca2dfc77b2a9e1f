//! Who may change anything: the buyer, nobody else.

use seatkey::{
    cli::browser::{Browser, Page},
    simulator::Purchase,
};
use uuid::Uuid;

use super::{enrolled, follow, hides, known, ledger, open, review, shows};
use crate::{
    on_both_databases,
    support::{
        Stage, enrolment_fields,
        people::{ALEX, FABRIKAM, JO, NORDWIND},
    },
};

on_both_databases! {
    strangers_and_lookers_change_nothing;
    in_a_reseller_deal_the_beneficiary_changes_nothing_and_nobody_sees_amounts;
}

const FORMS: [(&str, &str, &str); 7] = [
    ("/users", "users", "300"),
    ("/users/submit", "change", ""),
    ("/users/cancel-downgrade", "", ""),
    ("/withdraw", "", ""),
    ("/contacts", "email", "mallory@fabrikam.example"),
    ("/key/resend", "", ""),
    ("/key/replace", "seq", "1"),
];
const PAGES: [&str; 7] = [
    "/users/preview?users=300",
    "/users/progress",
    "/users/progress.json",
    "/withdraw",
    "/contacts",
    "/key/replace",
    "/users/review/018f0000-0000-7000-8000-000000000000",
];

/// Everything that a buyer can do, by somebody who is signed in and has a good token of their own.
async fn may_do_nothing(stage: &Stage, browser: &mut Browser, id: Uuid, change: &str) {
    let before = (known(stage, id).await, ledger(stage, id).await);
    let csrf = browser.open(stage.url("subscriptions")).await.unwrap().field("csrf").unwrap();
    for (path, name, value) in FORMS {
        let value = if name == "change" { change } else { value };
        let fields = [("csrf", csrf.clone()), (name, value.to_owned())];
        let page = browser.post_form(stage.url(&format!("subscriptions/{id}{path}")), &fields).await.unwrap();
        assert_eq!(page.status, 404, "{path}: {}", page.text);
    }
    for path in PAGES {
        assert_eq!(open(stage, browser, id, path).await.status, 404, "{path}");
    }
    follow(stage).await;
    assert_eq!((known(stage, id).await, ledger(stage, id).await), before, "something was changed");
}

/// What the account page offers to those who may not change anything.
fn offers_nothing(page: &Page) {
    hides(page, &["Change users", "Withdraw …", "Send it again", "/contacts", "Cancel downgrade", "/key/replace"]);
}

async fn strangers_and_lookers_change_nothing(stage: Stage) {
    let (mut alex, id) = enrolled(&stage).await;
    let change = review(&stage, &mut alex, id, "300").await.field("change").unwrap();
    let mails = stage.world().mails().len();
    let (mut stranger, mut looker) = (Browser::of(FABRIKAM).unwrap(), Browser::of(JO).unwrap());
    may_do_nothing(&stage, &mut stranger, id, &change).await;
    assert_eq!(open(&stage, &mut stranger, id, "").await.status, 404);
    may_do_nothing(&stage, &mut looker, id, &change).await;
    let page = open(&stage, &mut looker, id, "").await;
    shows(&page, &["You may look"]);
    offers_nothing(&page);
    assert_eq!(stage.world().mails().len(), mails, "nobody was written to");
    stage.finish().await;
}

async fn in_a_reseller_deal_the_beneficiary_changes_nothing_and_nobody_sees_amounts(stage: Stage) {
    let purchase = Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap());
    let id = stage.buy_as(Purchase { purchaser: Some(NORDWIND.parse().unwrap()), ..purchase });
    let mut reseller = Browser::of(NORDWIND).unwrap();
    let form = stage.configure(&mut reseller, id).await;
    let fields = enrolment_fields(&form, "150");
    let order = reseller.post_form(stage.url(&format!("subscriptions/{id}/enrol/review")), &fields).await.unwrap();
    stage.submit(&mut reseller, id, &order).await;
    follow(&stage).await;
    let page = review(&stage, &mut reseller, id, "300").await;
    shows(&page, &["Upgrade from 150 to 300 users", "198.858447", "KONNEKT 250"]);
    let mut alex = Browser::of(ALEX).unwrap();
    may_do_nothing(&stage, &mut alex, id, &page.field("change").unwrap()).await;
    let beneficiary = open(&stage, &mut alex, id, "").await;
    shows(&beneficiary, &["Ask your reseller", "eyJhbGci"]);
    offers_nothing(&beneficiary);
    let done = super::submit(&stage, &mut reseller, id, &page).await;
    shows(&done, &["Done: you now have 300 users"]);
    follow(&stage).await;
    let lower = review(&stage, &mut reseller, id, "50").await;
    let withdraw = open(&stage, &mut reseller, id, "/withdraw").await;
    let preview = open(&stage, &mut reseller, id, "/users/preview?users=400").await;
    for page in [&page, &beneficiary, &done, &lower, &withdraw, &preview] {
        assert_eq!(page.status, 200, "{}", page.text);
        hides(page, &["EUR", "1,431", "3,660", "2,100", "7.20", "12.00", "550.68", "1,927"]);
    }
    stage.finish().await;
}
