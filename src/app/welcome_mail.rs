//! The mail with the first license key, made from the final figures.

use super::{App, AppError};
use crate::{
    domain::{
        enrolment::FrozenQuote, pricing::Line, pricing::PricedPlan, proration::FirstTerm, quote_json::Amounts,
        subscription::Subscription,
    },
    pages::{
        mail::{Language, Mail as _, Welcome, welcome::KeyMail},
        purchase::{Priced, Purchase},
    },
    store::{Attachment, Enrolment, LicenseKey, NewMail},
};

/// An enrolment that has come to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Activated<'a> {
    pub(super) subscription: &'a Subscription,
    pub(super) enrolment: &'a Enrolment,
    pub(super) frozen: &'a FrozenQuote,
    pub(super) first: &'a FirstTerm,
}

/// The welcome mail, to buyer and technical contact; its Message-ID follows from the subscription.
pub(super) fn welcome_mail(
    app: &App,
    activated: Activated<'_>,
    charges: &[Line],
    key: &LicenseKey,
    provisional: bool,
) -> Result<NewMail, AppError> {
    let Activated { subscription, enrolment, frozen, first } = activated;
    let microsoft = &subscription.microsoft;
    let (offer, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    let purchase = Purchase {
        id: microsoft.id,
        name: &microsoft.name,
        organisation: &enrolment.organisation,
        offer,
        plan,
        amounts: if frozen.reseller_deal { Amounts::Hidden } else { Amounts::Shown },
        bought: None,
        activated: Some(first.term.start),
    };
    let page_url = format!("{}/subscriptions/{}", app.issuer(), microsoft.id);
    let key_mail = KeyMail {
        key: &key.compact,
        expires: key.expires_at,
        provisional,
        test: microsoft.is_test,
        page_url: &page_url,
        buyer_email: &enrolment.buyer_email,
        technical_contact: &enrolment.technical_contact,
    };
    let welcome = match (&frozen.prices, &frozen.quote) {
        (Some(prices), Some(quote)) => {
            let plan = PricedPlan::new(plan, &prices.list).map_err(|error| AppError::Internal(error.to_string()))?;
            let priced = Priced::charged(&plan, quote, &frozen.extras, first, charges.to_vec())?;
            Welcome::new(&purchase, &priced, &key_mail)
        }
        _ => Welcome::billed_by_microsoft(&purchase, subscription.users, first.term, &key_mail),
    };
    let language = Language::from_tag(&enrolment.language, &app.templates).unwrap_or_default();
    let rendered = welcome.render(&app.templates, &language)?;
    let host = app.public_url.host_str().unwrap_or("localhost");
    Ok(NewMail {
        subscription_id: Some(microsoft.id),
        message_id: format!("welcome.{}@{host}", microsoft.id),
        recipients: recipients(enrolment),
        subject: rendered.subject,
        text_body: rendered.text,
        html_body: rendered.html,
        attachments: vec![Attachment { name: license_file_name(&offer.id), text: key.compact.clone() }],
        reply_to: offer.support_email.clone(),
    })
}

/// The name of a license file for download and mail.
#[must_use]
pub fn license_file_name(offer_id: &str) -> String {
    let safe: String = offer_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("{safe}.lic")
}

fn recipients(enrolment: &Enrolment) -> Vec<String> {
    let mut all = vec![enrolment.buyer_email.clone(), enrolment.technical_contact.clone()];
    all.dedup();
    all
}
