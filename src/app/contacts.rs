//! Who gets the mails, in which language; the key once more; and another license when a key has leaked.

use serde_json::json;
use uuid::Uuid;

use super::{
    App, AppError, Deed,
    converge::{queue, write_subscription},
    issue_key::{Ahead, Replaced, replace_license, sign_ahead},
    life_mail::Letter,
};
use crate::{
    domain::{license::Claims, subscription::Stage},
    mail::is_mailbox,
    pages::mail::life::LifeEvent,
    store::StoreError,
};

/// A key that says something else once it is signed is signed again, so often.
const TRIES: u32 = 3;

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
pub async fn change_contacts(app: &App, deed: impl Into<Deed>, id: Uuid, contacts: Contacts) -> Result<(), AppError> {
    let deed = deed.into();
    for (field, address) in [("email", &contacts.buyer_email), ("technical_contact", &contacts.technical_contact)] {
        if !is_mailbox(address) {
            return Err(AppError::NoMailbox(field));
        }
    }
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let before = tx.get_enrolment(id).await?;
    let mut enrolment = before.clone();
    enrolment.buyer_email = contacts.buyer_email;
    enrolment.technical_contact = contacts.technical_contact;
    enrolment.language = contacts.language;
    tx.update_contacts(&enrolment).await?;
    // The addresses themselves are personal data and stay out of the log.
    let facts = json!({
        "language": { "before": before.language, "after": enrolment.language },
        "email_changed": before.buyer_email != enrolment.buyer_email,
        "technical_contact_changed": before.technical_contact != enrolment.technical_contact,
    });
    deed.record(&tx, id, "contacts_changed", facts, now).await?;
    Ok(tx.commit().await?)
}

/// Mails the newest key once more; at most once an hour. Says whether there is one.
///
/// # Errors
/// [`AppError`].
pub async fn resend_key(app: &App, deed: impl Into<Deed>, id: Uuid) -> Result<bool, AppError> {
    let deed = deed.into();
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = tx.get_subscription(id).await?;
    let enrolment = tx.get_enrolment(id).await?;
    let Some(key) = tx.find_newest_key(id).await? else { return Ok(false) };
    let cause = format!("{}.{}", key.seq, now.unix_timestamp() / 3_600);
    let letter = Letter { subscription: &subscription, enrolment: Some(&enrolment), key: Some(&key), cause: &cause };
    queue(app, &tx, letter, &LifeEvent::KeyAgain, now).await?;
    deed.record(&tx, id, "key_resent", json!({ "seq": key.seq }), now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(true)
}

/// Replaces the license whose newest key has the number `leaked_seq`: it is revoked, the new key is mailed. Where that one
/// is not the newest any more (a double click, a second tab), nothing is changed. Says whether it was replaced now.
///
/// # Errors
/// [`AppError`].
pub async fn rotate_license(app: &App, deed: impl Into<Deed>, id: Uuid, leaked_seq: u32) -> Result<bool, AppError> {
    let deed = deed.into();
    // A vault signs between two transactions: the first one finds out what, and writes nothing.
    let mut ahead = None;
    for _ in 0..TRIES {
        match rotate_once(app, &deed, id, leaked_seq, ahead.as_ref()).await? {
            Rotated::Now => return Ok(true),
            Rotated::Not => return Ok(false),
            Rotated::Unsigned(claims) => ahead = Some(sign_ahead(app, *claims).await?),
        }
    }
    Err(StoreError::Conflict("subscription").into())
}

enum Rotated {
    Now,
    Not,
    Unsigned(Box<Claims>),
}

async fn rotate_once(
    app: &App,
    deed: &Deed,
    id: Uuid,
    leaked_seq: u32,
    ahead: Option<&Ahead>,
) -> Result<Rotated, AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let mut subscription = tx.get_subscription(id).await?;
    let enrolment = tx.get_enrolment(id).await?;
    let newest = tx.find_newest_key(id).await?.filter(|newest| newest.seq == leaked_seq);
    let Some(newest) = newest else { return Ok(Rotated::Not) };
    if matches!(subscription.stage, Stage::Ended { .. }) || tx.find_revocation(&newest.license_id).await?.is_some() {
        return Ok(Rotated::Not);
    }
    // An end in the same moment must not leave the new license alive.
    write_subscription(app, &tx, &mut subscription, now).await?;
    let key = match replace_license(app, &tx, (&subscription, &enrolment), ahead, now).await? {
        None => return Ok(Rotated::Not),
        Some(Replaced::Unsigned(claims)) => return Ok(Rotated::Unsigned(claims)),
        Some(Replaced::By(key)) => key,
    };
    let cause = key.seq.to_string();
    let letter = Letter { subscription: &subscription, enrolment: Some(&enrolment), key: Some(&key), cause: &cause };
    queue(app, &tx, letter, &LifeEvent::KeyReplaced, now).await?;
    let facts = json!({ "seq": key.seq, "before": newest.license_id, "after": key.license_id });
    deed.record(&tx, id, "license_rotated", facts, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Rotated::Now)
}
