//! Who gets the mails, and in which language: a form as it was typed, the errors at their fields.

use serde::Serialize;

use super::{Page, frame::Frame, purchase::Purchase, samples};

/// The answers as they were typed, right or wrong.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ContactAnswers {
    /// The buyer's mailbox.
    pub email: String,
    /// The technical contact's mailbox.
    pub technical_contact: String,
    /// The tag of the language.
    pub language: String,
}

/// What is wrong at which field, in sentences; empty = nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContactErrors {
    /// At the buyer's mailbox.
    pub email: String,
    /// At the technical contact's.
    pub technical_contact: String,
    /// At the language.
    pub language: String,
}

#[derive(Debug, Clone, Serialize)]
struct Choice {
    tag: String,
    name: String,
    chosen: bool,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct ContactsForm {
    frame: Frame,
    title: &'static str,
    path: String,
    answers: ContactAnswers,
    errors: ContactErrors,
    languages: Vec<Choice>,
}

impl ContactsForm {
    /// The form; `languages` are the tags that there are mails in.
    #[must_use]
    pub fn new(
        frame: Frame,
        purchase: &Purchase<'_>,
        answers: &ContactAnswers,
        errors: &ContactErrors,
        languages: &[String],
    ) -> Self {
        let choice = |tag: &String| Choice {
            tag: tag.clone(),
            name: own_name(tag).to_owned(),
            chosen: *tag == answers.language,
        };
        Self {
            frame,
            title: "Contacts and language",
            path: purchase.path(),
            answers: answers.clone(),
            errors: errors.clone(),
            languages: languages.iter().map(choice).collect(),
        }
    }
}

/// What a language calls itself; one that is not known here is shown by its tag.
fn own_name(tag: &str) -> &str {
    match tag {
        "cs" => "Čeština",
        "da" => "Dansk",
        "de" => "Deutsch",
        "en" => "English",
        "es" => "Español",
        "fr" => "Français",
        "it" => "Italiano",
        "ja" => "日本語",
        "nl" => "Nederlands",
        "pl" => "Polski",
        "pt" => "Português",
        "sv" => "Svenska",
        other => other,
    }
}

impl Page for ContactsForm {
    const TEMPLATE: &'static str = "contacts.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        let languages = ["de".to_owned(), "en".to_owned(), "x-klingon".to_owned()];
        samples::each_deal(|deal| {
            let answers = ContactAnswers {
                email: samples::HOSTILE.to_owned(),
                technical_contact: "jo.brandt@contoso.example".to_owned(),
                language: "en".to_owned(),
            };
            let wrong = ContactErrors {
                email: "This is not an e-mail address; it looks like name@company.example.".to_owned(),
                technical_contact: "Enter an e-mail address.".to_owned(),
                language: "Choose one of these.".to_owned(),
            };
            for errors in [ContactErrors::default(), wrong] {
                pages.push(Self::new(deal.frame.clone(), &deal.purchase, &answers, &errors, &languages));
            }
        });
        pages
    }
}
