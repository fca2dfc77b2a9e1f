//! The account page: what a buyer does after the enrolment, through the pages themselves. The figures are worked out from
//! `product.md` §4 by hand: 150 users cost 2,100.00 EUR a year, 300 cost 3,660.00, 200 cost 2,700.00, 100 cost 1,500.00, 50
//! cost 900.00; the term has 365 days, of which the trial leaves 335.

mod actions;
mod rights;
mod seats;
mod users;

use seatkey::{
    cli::browser::{Browser, Page},
    clock::Clock as _,
    jobs::Runner,
};
use time::{Date, Duration};
use uuid::Uuid;

use crate::support::{
    Stage,
    people::ALEX,
    told::{hides, known, ledger, mails, shows},
};

/// Alex with 150 users of KONNEKT, activated on 2026-01-15 with a trial until 2026-02-13; the term ends on 2027-01-14.
async fn enrolled(stage: &Stage) -> (Browser, Uuid) {
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    follow(stage).await;
    stage.advance(Duration::minutes(1));
    (alex, id)
}

/// Everything that Microsoft has to say arrives, and is acted upon.
pub(crate) async fn follow(stage: &Stage) {
    stage.settle().await;
    while stage.world().deliver_due().await > 0 {}
    stage.settle().await;
}

/// Nine o'clock of a day, with everything done that the calendar asks for.
pub(crate) async fn move_to(stage: &Stage, day: Date) {
    let target = day.with_hms(9, 0, 0).unwrap().assume_utc();
    stage.advance(target - stage.clock.now());
    Runner::new(std::sync::Arc::clone(&stage.app)).run_due().await.unwrap();
    follow(stage).await;
}

async fn open(stage: &Stage, browser: &mut Browser, id: Uuid, path: &str) -> Page {
    browser.open(stage.url(&format!("subscriptions/{id}{path}"))).await.unwrap()
}

/// Submits a form of the account page.
async fn post(stage: &Stage, browser: &mut Browser, id: Uuid, path: &str, fields: &[(&str, &str)]) -> Page {
    let csrf = open(stage, browser, id, "").await.field("csrf").unwrap();
    let mut all = vec![("csrf", csrf)];
    all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
    browser.post_form(stage.url(&format!("subscriptions/{id}{path}")), &all).await.unwrap()
}

/// Types another number of users; gives the review, or the account page with what is wrong.
async fn review(stage: &Stage, browser: &mut Browser, id: Uuid, users: &str) -> Page {
    post(stage, browser, id, "/users", &[("users", users)]).await
}

/// Submits a review.
async fn submit(stage: &Stage, browser: &mut Browser, id: Uuid, review: &Page) -> Page {
    assert!(review.url.path().contains("/users/review/"), "{} {}", review.url, review.text);
    let fields = [("csrf", review.field("csrf").unwrap()), ("change", review.field("change").unwrap())];
    browser.post_form(stage.url(&format!("subscriptions/{id}/users/submit")), &fields).await.unwrap()
}
