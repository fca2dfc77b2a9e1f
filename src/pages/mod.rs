//! What buyers and staff read: one typed struct per page and mail, made from values of the domain.
//!
//! Owns: the wording and the formatting of figures and dates. Does not own: which page is shown when (`web`), the markup
//! (`templates/`). Invariants: a page of a reseller deal holds no amount, so no template can show one; every template is
//! rendered with every sample before the service starts.

pub mod account;
pub mod account_actions;
mod account_samples;
mod account_words;
pub mod api_docs;
pub mod api_document;
pub mod change;
mod change_samples;
mod change_words;
pub mod charges;
pub mod colour;
pub mod confirm;
pub mod console;
pub mod contacts;
pub mod enrolment;
mod explained_samples;
pub mod frame;
pub mod invoices;
pub mod landing;
pub mod mail;
pub mod picture;
pub mod progress;
pub mod projection;
pub mod purchase;
pub mod review;
mod review_words;
mod samples;
pub mod seats;
pub mod subscriptions;
pub mod table;
pub mod timeline;
pub mod trouble;
mod trouble_words;
pub mod words;

use serde::Serialize;

pub use change_words::differences;
pub use words::sentence;

use crate::templates::{TemplateError, Templates};

/// A page, a part of one, or a mail.
pub trait Page: Serialize + Sized {
    /// The template that shows it.
    const TEMPLATE: &'static str;

    /// Examples of every form that it can take.
    fn samples() -> Vec<Self>;

    /// The finished text.
    ///
    /// # Errors
    /// [`TemplateError`], only with a template that was not checked.
    fn render(&self, templates: &Templates) -> Result<String, TemplateError> {
        templates.render(Self::TEMPLATE, self)
    }
}

/// Renders every template with all samples, so that a broken override is refused before a buyer meets it.
///
/// # Errors
/// The first template that cannot be rendered, by its name.
pub fn check(templates: &Templates) -> Result<(), TemplateError> {
    try_page::<landing::Landing>(templates)?;
    try_page::<trouble::Trouble>(templates)?;
    try_page::<subscriptions::Subscriptions>(templates)?;
    try_page::<enrolment::Enrolment>(templates)?;
    try_page::<projection::Projection>(templates)?;
    try_page::<review::Review>(templates)?;
    try_page::<progress::Progress>(templates)?;
    try_page::<account::Account>(templates)?;
    try_page::<change::ChangePreview>(templates)?;
    try_page::<change::ChangeReview>(templates)?;
    try_page::<confirm::Confirm>(templates)?;
    try_page::<contacts::ContactsForm>(templates)?;
    try_page::<seats::SeatsProgress>(templates)?;
    try_page::<api_docs::ApiDocs>(templates)?;
    try_page::<console::trouble::ConsoleTrouble>(templates)?;
    try_page::<console::decision::DecisionPage>(templates)?;
    try_page::<console::trials::TrialPage>(templates)?;
    try_page::<console::trials::NewTrial>(templates)?;
    try_page::<console::list::List>(templates)?;
    try_page::<console::subscription::SubscriptionPage>(templates)?;
    try_page::<console::change::ChangeOnBehalf>(templates)?;
    try_page::<console::today::Today>(templates)?;
    try_page::<console::mails::MailPage>(templates)?;
    try_page::<console::catalog::CatalogPage>(templates)?;
    try_page::<console::numbers::Numbers>(templates)?;
    try_page::<console::search::SearchPage>(templates)?;
    try_page::<console::trace::TracePage>(templates)?;
    mail::check(templates)
}

fn try_page<P: Page>(templates: &Templates) -> Result<(), TemplateError> {
    let samples = P::samples();
    if samples.is_empty() {
        return Err(TemplateError::Untried { name: P::TEMPLATE.to_owned() });
    }
    samples.iter().try_for_each(|sample| sample.render(templates).map(drop))
}

#[cfg(test)]
mod tests;
