//! What is kept of a subscription, in short words for assertions.

use seatkey::domain::{charge::Charge, subscription::Subscription};
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
