//! The mails about custom trials: the key of a prospect, what comes before its end, and reminders to whoever granted it.
//! Each Message-ID follows from its grant and its cause.

use time::OffsetDateTime;

use super::{App, AppError, welcome_mail::license_file_name};
use crate::{
    domain::{
        catalog::Offer,
        quote_json::Amounts,
        time::utc_day,
        trial_grant::{TrialGrant, TrialLicense},
    },
    mail::is_mailbox,
    pages::{
        mail::{
            Language, Mail as _, Rendered,
            trial::{NoticeOf, Prospect, TrialKey, TrialKeyEnds, TrialReminder},
        },
        purchase::Purchase,
    },
    store::{Attachment, NewMail, Tx},
};

/// Queues a mail, once for its cause; none where nobody has a mailbox.
pub(super) async fn queue_trial_mail(tx: &Tx, mail: Option<NewMail>, now: OffsetDateTime) -> Result<(), AppError> {
    if let Some(mail) = mail {
        tx.queue_mail(&mail, now).await?;
    }
    Ok(())
}

/// The prospect's key.
pub(super) fn key_mail(app: &App, grant: &TrialGrant) -> Result<Option<NewMail>, AppError> {
    let Some(license) = &grant.license else { return Ok(None) };
    let (offer, _) = app.find_plan(&grant.offer_id, &grant.plan_id)?;
    let purchase = purchase(app, grant)?;
    let rendered = TrialKey::new(&prospect(&purchase, grant, license)).render(&app.templates, &language(app, grant))?;
    let attachment = Attachment { name: license_file_name(&offer.id), text: license.key.clone() };
    let mail = mail(app, grant, offer, (&format!("trial_key.{}.1", grant.id), rendered));
    Ok(to(&grant.contact.email, NewMail { attachments: vec![attachment], ..mail }))
}

/// To the prospect, so many days before the key ends.
pub(super) fn key_ends_mail(app: &App, grant: &TrialGrant, days: u32) -> Result<Option<NewMail>, AppError> {
    let Some(license) = &grant.license else { return Ok(None) };
    let (offer, _) = app.find_plan(&grant.offer_id, &grant.plan_id)?;
    let purchase = purchase(app, grant)?;
    let words = TrialKeyEnds::new(&prospect(&purchase, grant, license), days);
    let rendered = words.render(&app.templates, &language(app, grant))?;
    let mail = mail(app, grant, offer, (&format!("trial_key_ends.{}.{days}", grant.id), rendered));
    Ok(to(&grant.contact.email, mail))
}

/// To whoever granted it, so many days before something of it ends. Their language is not known.
pub(super) fn notice_mail(
    app: &App,
    grant: &TrialGrant,
    of: NoticeOf,
    (days, ends_at): (u32, OffsetDateTime),
) -> Result<Option<NewMail>, AppError> {
    let (offer, _) = app.find_plan(&grant.offer_id, &grant.plan_id)?;
    let page_url = format!("{}/console/trials/{}", app.issuer(), grant.id);
    let reminder = TrialReminder::new(&purchase(app, grant)?, grant, of, (days, ends_at), &page_url);
    let rendered = reminder.render(&app.templates, &Language::ENGLISH)?;
    let cause = format!("trial_reminder.{}.{}.{}.{days}", grant.id, of.as_str(), utc_day(ends_at));
    Ok(to(&grant.granted_by.email, mail(app, grant, offer, (&cause, rendered))))
}

fn to(address: &str, mail: NewMail) -> Option<NewMail> {
    is_mailbox(address).then(|| NewMail { recipients: vec![address.to_owned()], ..mail })
}

fn mail(app: &App, grant: &TrialGrant, offer: &Offer, (cause, rendered): (&str, Rendered)) -> NewMail {
    let host = app.public_url.host_str().unwrap_or("localhost");
    NewMail {
        subscription_id: grant.subscription_id,
        message_id: format!("{cause}@{host}"),
        recipients: Vec::new(),
        subject: rendered.subject,
        text_body: rendered.text,
        html_body: rendered.html,
        attachments: Vec::new(),
        reply_to: offer.support_email.clone(),
    }
}

fn language(app: &App, grant: &TrialGrant) -> Language {
    Language::from_tag(&grant.contact.language, &app.templates).unwrap_or_default()
}

/// Nobody has bought anything: the organisation stands where the subscription would.
fn purchase<'a>(app: &'a App, grant: &'a TrialGrant) -> Result<Purchase<'a>, AppError> {
    let (offer, plan) = app.find_plan(&grant.offer_id, &grant.plan_id)?;
    let organisation = match (&grant.domain, &grant.tenant_id) {
        _ if !grant.contact.organisation.is_empty() => grant.contact.organisation.as_str(),
        (Some(domain), _) => domain,
        _ => "",
    };
    Ok(Purchase {
        id: grant.id,
        name: organisation,
        organisation,
        offer,
        plan,
        amounts: Amounts::Shown,
        bought: None,
        activated: None,
    })
}

fn prospect<'a>(purchase: &'a Purchase<'a>, grant: &'a TrialGrant, license: &'a TrialLicense) -> Prospect<'a> {
    Prospect {
        purchase,
        person: &grant.contact.name,
        users: grant.users,
        key: &license.key,
        ends_at: license.ends_at,
        days: grant.days,
        is_bound: grant.tenant_id.is_some(),
    }
}
