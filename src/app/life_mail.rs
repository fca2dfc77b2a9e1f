//! The mails of a subscription's life: rendered when their cause happens, one for each cause.

use super::{App, AppError, welcome_mail::license_file_name};
use crate::{
    domain::{quote_json::Amounts, subscription::Subscription, time::utc_day},
    mail::is_mailbox,
    pages::{
        mail::{
            Language,
            life::{About, LifeEvent, LifeMail, NewKey},
        },
        purchase::Purchase,
    },
    store::{Attachment, Enrolment, LicenseKey, NewMail},
};

/// What a mail is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter<'a> {
    pub(super) subscription: &'a Subscription,
    /// Who ordered; without an order the purchaser is written to.
    pub(super) enrolment: Option<&'a Enrolment>,
    /// A newer key that goes with it.
    pub(super) key: Option<&'a LicenseKey>,
    /// What makes this mail one and the same when its cause is met twice.
    pub(super) cause: &'a str,
}

/// The mail, or none when nobody has a mailbox.
pub(super) fn life_mail(app: &App, letter: Letter<'_>, event: &LifeEvent<'_>) -> Result<Option<NewMail>, AppError> {
    let Letter { subscription, enrolment, key, cause } = letter;
    let recipients = recipients(subscription, enrolment);
    if recipients.is_empty() {
        return Ok(None);
    }
    let microsoft = &subscription.microsoft;
    // A plan that Microsoft changed to and the catalog does not have: a finding tells the publisher, nobody has the words.
    let Some((offer, plan)) = app.catalog.find_plan(&microsoft.offer_id, &microsoft.plan_id) else { return Ok(None) };
    let purchase = Purchase {
        id: microsoft.id,
        name: &microsoft.name,
        organisation: enrolment.map_or("", |enrolment| enrolment.organisation.as_str()),
        offer,
        plan,
        amounts: if microsoft.is_reseller_deal() { Amounts::Hidden } else { Amounts::Shown },
        bought: Some(utc_day(subscription.seen_at)),
        activated: subscription.stage.enrolled().map(|enrolled| utc_day(enrolled.activated_at)),
    };
    let page_url = format!("{}/subscriptions/{}", app.issuer(), microsoft.id);
    let provisional =
        key.and_then(|key| super::issue_key::claims_of(key).ok()).is_some_and(|claims| claims.provisional);
    let about = About {
        purchase: &purchase,
        users: subscription.users,
        segment: subscription.segment.as_deref(),
        term: subscription.term,
        page_url: &page_url,
        buyer_email: enrolment.map_or(&microsoft.purchaser.email, |enrolment| &enrolment.buyer_email),
        technical_contact: enrolment.map_or("", |enrolment| &enrolment.technical_contact),
        key: key.map(|key| NewKey { compact: &key.compact, expires: key.expires_at, provisional }),
        now: app.clock.now(),
    };
    let language = enrolment.and_then(|enrolment| Language::from_tag(&enrolment.language, &app.templates));
    let language = language.unwrap_or_default();
    let rendered = LifeMail::new(&about, event, &language).render(&app.templates)?;
    let host = app.public_url.host_str().unwrap_or("localhost");
    let attachment = |key: &LicenseKey| Attachment { name: license_file_name(&offer.id), text: key.compact.clone() };
    Ok(Some(NewMail {
        subscription_id: Some(microsoft.id),
        message_id: format!("{}.{}.{cause}@{host}", event.name(), microsoft.id),
        recipients,
        subject: rendered.subject,
        text_body: rendered.text,
        html_body: rendered.html,
        attachments: key.map(attachment).into_iter().collect(),
        reply_to: offer.support_email.clone(),
    }))
}

/// Buyer and technical contact; before an order, whoever Microsoft names as the purchaser.
fn recipients(subscription: &Subscription, enrolment: Option<&Enrolment>) -> Vec<String> {
    let mut all = match enrolment {
        Some(enrolment) => vec![enrolment.buyer_email.clone(), enrolment.technical_contact.clone()],
        None => vec![subscription.microsoft.purchaser.email.clone()],
    };
    all.dedup();
    all.retain(|address| is_mailbox(address));
    all
}
