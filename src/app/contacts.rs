//! Who gets the mails, in which language; the key once more; and another license when a key has leaked.

use uuid::Uuid;

use super::{
    App, AppError,
    change_users::actor,
    converge::{audit, queue, write_subscription},
    issue_key::replace_license,
    life_mail::Letter,
};
use crate::{
    domain::{policy::Identity, subscription::Stage},
    mail::is_mailbox,
    pages::mail::life::LifeEvent,
};

/// Who gets the mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contacts {
    /// The buyer's mailbox.
    pub buyer_email: String,
    /// The technical contact's mailbox.
    pub technical_contact: String,
    /// The language of mails, `en`.
    pub language: String,
}

/// Changes them.
///
/// # Errors
/// [`AppError::NoMailbox`] names the field; [`AppError::Store`].
pub async fn change_contacts(app: &App, who: Identity, id: Uuid, contacts: Contacts) -> Result<(), AppError> {
    for (field, address) in [("email", &contacts.buyer_email), ("technical_contact", &contacts.technical_contact)] {
        if !is_mailbox(address) {
            return Err(AppError::NoMailbox(field));
        }
    }
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut enrolment = tx.get_enrolment(id).await?;
    enrolment.buyer_email = contacts.buyer_email;
    enrolment.technical_contact = contacts.technical_contact;
    enrolment.language = contacts.language;
    tx.update_contacts(&enrolment).await?;
    // The addresses themselves are personal data and stay out of the log.
    let detail = serde_json::json!({ "language": enrolment.language });
    audit(&tx, id, &actor(who), "contacts_changed", &detail, now);
    Ok(tx.commit().await?)
}

/// Mails the newest key once more; at most once an hour.
///
/// # Errors
/// [`AppError`].
pub async fn resend_key(app: &App, who: Identity, id: Uuid) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(id).await?;
    let enrolment = tx.get_enrolment(id).await?;
    let Some(key) = tx.find_newest_key(id).await? else { return Ok(()) };
    let cause = format!("{}.{}", key.seq, now.unix_timestamp() / 3_600);
    let letter = Letter { subscription: &subscription, enrolment: Some(&enrolment), key: Some(&key), cause: &cause };
    queue(app, &tx, letter, &LifeEvent::KeyAgain, now).await?;
    audit(&tx, id, &actor(who), "key_resent", &serde_json::json!({ "seq": key.seq }), now);
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}

/// Replaces the license whose newest key has the number `leaked_seq`: it is revoked, the new key is mailed. Where that one
/// is not the newest any more (a double click, a second tab), nothing is changed.
///
/// # Errors
/// [`AppError`].
pub async fn rotate_license(app: &App, who: Identity, id: Uuid, leaked_seq: u32) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut subscription = tx.get_subscription(id).await?;
    let enrolment = tx.get_enrolment(id).await?;
    let newest = tx.find_newest_key(id).await?.filter(|newest| newest.seq == leaked_seq);
    let Some(newest) = newest else { return Ok(()) };
    if matches!(subscription.stage, Stage::Ended { .. }) || tx.find_revocation(&newest.license_id).await?.is_some() {
        return Ok(());
    }
    // An end in the same moment must not leave the new license alive.
    write_subscription(app, &tx, &mut subscription, now).await?;
    let Some(key) = replace_license(app, &tx, &subscription, &enrolment, now).await? else { return Ok(()) };
    let cause = key.seq.to_string();
    let letter = Letter { subscription: &subscription, enrolment: Some(&enrolment), key: Some(&key), cause: &cause };
    queue(app, &tx, letter, &LifeEvent::KeyReplaced, now).await?;
    audit(&tx, id, &actor(who), "license_rotated", &serde_json::json!({ "seq": key.seq }), now);
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}
