//! What is kept of a subscription, what a page shows and what the doctor says, in short words for assertions.

use std::sync::Arc;

use seatkey::{
    app::checkup::Verdict,
    cli::browser::Page,
    clock::SharedClock,
    config,
    doctor::{self, Patient, Surroundings},
    domain::{charge::Charge, subscription::Subscription},
};
use uuid::Uuid;

use super::Stage;

/// The subscription as it is kept.
pub(crate) async fn known(stage: &Stage, id: Uuid) -> Subscription {
    stage.app.store.find_subscription(id).await.unwrap().unwrap()
}

/// `reason dimension quantity amount state`, one line each.
pub(crate) async fn ledger(stage: &Stage, id: Uuid) -> Vec<String> {
    let charges = stage.app.store.list_charges(id).await.unwrap();
    let line = |charge: &Charge| {
        let (reason, state) = (charge.reason.as_str(), charge.state.as_str());
        format!("{reason} {} {} {} {state}", charge.dimension, charge.quantity, charge.amount)
    };
    charges.iter().map(line).collect()
}

/// The words of the mails, in the order in which they were written.
pub(crate) async fn mails(stage: &Stage, id: Uuid) -> Vec<String> {
    let mails = stage.app.store.list_mails(id).await.unwrap();
    mails.iter().map(|mail| mail.content.message_id.split('.').next().unwrap().to_owned()).collect()
}

/// Whether it stands there, alone or at the beginning of a word: within a token or a key any three letters come up one day.
pub(crate) fn stands_in(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| !text[..at].ends_with(|before: char| before.is_ascii_alphanumeric()))
}

/// A page that shows these words.
#[track_caller]
pub(crate) fn shows(page: &Page, texts: &[&str]) {
    let told = page.text.replace("&#x2f;", "/");
    for text in texts {
        assert!(told.contains(text), "{} {} does not show “{text}”:\n{}", page.status, page.url, page.text);
    }
}

/// A page on which none of these stands.
#[track_caller]
pub(crate) fn hides(page: &Page, texts: &[&str]) {
    for text in texts {
        assert!(!stands_in(&page.text, text), "{} shows “{text}”:\n{}", page.url, page.text);
    }
}

/// What the doctor says at a check of the present configuration.
pub(crate) async fn doctor_says(stage: &Stage, check: &str) -> Verdict {
    let text = std::fs::read_to_string(stage.write_configuration()).unwrap();
    let config = config::from_toml(&text, std::iter::empty()).unwrap();
    let clock: SharedClock = Arc::clone(&stage.clock) as _;
    let surroundings = Surroundings::default();
    let patient = Patient { config: &config, clock: &clock, surroundings: &surroundings, test_mail: None };
    let outcomes = doctor::examine(patient, |_| {}).await.unwrap();
    outcomes.into_iter().find(|outcome| outcome.check.id == check).unwrap().verdict
}
