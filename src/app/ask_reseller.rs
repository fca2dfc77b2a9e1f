//! In a reseller deal only the purchaser's people may enrol or upgrade; the beneficiary's may ask, which mails the purchaser.

use super::{App, AppError, token_digest};
use crate::{
    domain::{quote_json::Amounts, subscription::Stage, subscription::Subscription, time::utc_day},
    mail::is_mailbox,
    pages::{
        mail::{Ask, Language, Mail as _, ask::Wish},
        purchase::Purchase,
    },
    store::{AuditEntry, NewMail, Session},
};

/// What became of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The purchaser gets a mail; one a day from each person.
    Mailed,
    /// Microsoft names no address of the purchaser.
    NoAddress,
}

/// Mails the purchaser what a beneficiary asks for.
///
/// # Errors
/// [`AppError`].
pub async fn ask_reseller(
    app: &App,
    asker: &Session,
    subscription: &Subscription,
    users: Option<u32>,
) -> Result<Asked, AppError> {
    let microsoft = &subscription.microsoft;
    if !is_mailbox(&microsoft.purchaser.email) {
        return Ok(Asked::NoAddress);
    }
    let mail = question(app, asker, subscription, users)?;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    if !tx.queue_mail(&mail, now).await? {
        // Asked before today: the purchaser has the mail.
        return Ok(Asked::Mailed);
    }
    let actor = format!("buyer:{}/{}", asker.identity.tenant_id, asker.identity.object_id);
    let detail = serde_json::json!({ "users": users }).to_string();
    let entry = AuditEntry { subscription_id: microsoft.id, actor: &actor, action: "reseller_asked", detail: &detail };
    tx.record_audit(entry, now);
    tx.commit().await?;
    app.wake.notify_one();
    Ok(Asked::Mailed)
}

fn question(app: &App, asker: &Session, subscription: &Subscription, users: Option<u32>) -> Result<NewMail, AppError> {
    let microsoft = &subscription.microsoft;
    let (offer, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let purchase = Purchase {
        id: microsoft.id,
        name: &microsoft.name,
        organisation: "",
        offer,
        plan,
        amounts: Amounts::Hidden,
        bought: None,
        activated: None,
    };
    let enrolled = !matches!(subscription.stage, Stage::AwaitingEnrolment);
    let wish = Wish { person: &asker.name, email: &asker.email, users, enrolled };
    let page_url = format!("{}/subscriptions/{}", app.issuer(), microsoft.id);
    let rendered = Ask::new(&purchase, &wish, &page_url).render(&app.templates, &Language::ENGLISH)?;
    let day = utc_day(app.clock.now());
    let cause = token_digest(&format!("{}/{}/{day}", asker.identity.tenant_id, asker.identity.object_id));
    let host = app.public_url.host_str().unwrap_or("localhost");
    Ok(NewMail {
        subscription_id: Some(microsoft.id),
        message_id: format!("ask.{}.{}@{host}", microsoft.id, &cause[..16]),
        recipients: vec![microsoft.purchaser.email.clone()],
        subject: rendered.subject,
        text_body: rendered.text,
        html_body: rendered.html,
        attachments: Vec::new(),
        reply_to: if is_mailbox(&asker.email) { asker.email.clone() } else { offer.support_email.clone() },
    })
}
