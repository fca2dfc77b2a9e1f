//! Who gets the mails, and in which language.

use std::rc::Rc;

use actix_web::HttpResponse;

use super::{
    account::back,
    purchase::Shown,
    refusal::{Refusal, form_again, ok},
    visit::Visit,
};
use crate::{
    app::{Contacts, change_contacts},
    domain::subscription::Stage,
    mail::is_mailbox,
    pages::{
        contacts::{ContactAnswers, ContactErrors, ContactsForm},
        mail::Language,
    },
    store::Enrolment,
};

/// `GET /subscriptions/{id}/contacts`
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::for_buyer(&visit).await?;
    let enrolment = enrolment(&shown)?;
    let answers = ContactAnswers {
        email: enrolment.buyer_email.clone(),
        technical_contact: enrolment.technical_contact.clone(),
        language: enrolment.language.clone(),
    };
    ok(&visit, &form(&visit, &shown, &answers, &ContactErrors::default()))
}

/// `POST /subscriptions/{id}/contacts`
pub(super) async fn change(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = Shown::for_buyer(&visit).await?;
    enrolment(&shown)?;
    let field = |name: &str| visit.field(name).to_owned();
    let answers = ContactAnswers {
        email: field("email"),
        technical_contact: field("technical_contact"),
        language: field("language"),
    };
    let errors = complaints(&answers, &languages(&visit));
    if errors != ContactErrors::default() {
        return form_again(&visit, &form(&visit, &shown, &answers, &errors));
    }
    let contacts = Contacts {
        buyer_email: answers.email,
        technical_contact: answers.technical_contact,
        language: answers.language,
    };
    change_contacts(&visit.app, shown.who(), shown.subscription.microsoft.id, contacts).await?;
    Ok(back(&shown, "contacts"))
}

/// The order; there is nobody to write to before one, and nothing to write after the end.
fn enrolment<'a>(shown: &'a Shown<'_>) -> Result<&'a Enrolment, Refusal> {
    let enrolment = shown.enrolment.as_ref().filter(|_| !matches!(shown.subscription.stage, Stage::Ended { .. }));
    enrolment.ok_or_else(|| Refusal::Elsewhere(shown.path()))
}

fn languages(visit: &Visit) -> Vec<String> {
    Language::all(&visit.app.templates).iter().map(|language| language.as_str().to_owned()).collect()
}

fn form(visit: &Visit, shown: &Shown<'_>, answers: &ContactAnswers, errors: &ContactErrors) -> ContactsForm {
    ContactsForm::new(shown.frame(visit), &shown.purchase(""), answers, errors, &languages(visit))
}

fn complaints(answers: &ContactAnswers, languages: &[String]) -> ContactErrors {
    let mailbox = |address: &str| match address {
        "" => "Enter an e-mail address.".to_owned(),
        address if !is_mailbox(address) => {
            "This is not an e-mail address; it looks like name@company.example.".to_owned()
        }
        _ => String::new(),
    };
    let known = languages.contains(&answers.language);
    ContactErrors {
        email: mailbox(&answers.email),
        technical_contact: mailbox(&answers.technical_contact),
        language: if known { String::new() } else { "Choose one of these.".to_owned() },
    }
}
