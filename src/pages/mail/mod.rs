//! Mails: a subject, a text and an HTML body. The words stand once in `templates/mail/<language>/<name>/`, the two
//! layouts in `templates/mail/base.*`; the values come from here and have no language.
//!
//! Owns: the values of each mail, the languages. Does not own: who gets a mail and when (`app`). Invariants: a mail of a
//! reseller deal holds no amount; a text from outside never begins another line.

pub mod ask;
mod language;
mod letter;
pub mod life;
mod life_samples;
mod life_values;
#[cfg(test)]
mod tests;
pub mod trial;
mod values;
pub mod welcome;

use serde::Serialize;

use crate::templates::{TemplateError, Templates};

pub use ask::Ask;
pub use language::Language;
pub use life::{About, LifeEvent, LifeMail, NewKey, RefusedChange};
pub use trial::{TrialKey, TrialKeyEnds, TrialReminder};
pub use welcome::Welcome;

/// Longer subjects are cut by most programs.
const MAX_SUBJECT: usize = 120;

/// What a mail says.
pub trait Mail: Serialize + Sized {
    /// The directory of its words within the language.
    const NAME: &'static str;

    /// Examples of every form that it can take.
    fn samples() -> Vec<Self>;

    /// The finished mail.
    ///
    /// # Errors
    /// [`TemplateError`], only with a template that was not checked.
    fn render(&self, templates: &Templates, language: &Language) -> Result<Rendered, TemplateError> {
        Rendered::new(templates, Self::NAME, language, self)
    }
}

/// A mail ready to be sent.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// One line of at most 120 characters.
    pub subject: String,
    /// Plain text in lines of 72 columns.
    pub text: String,
    /// The same as HTML, without remote parts.
    pub html: String,
}

/// The context of the layouts: they find the words by language and name.
#[derive(Serialize)]
struct Context<'a, T> {
    language: &'a Language,
    name: &'a str,
    #[serde(flatten)]
    values: &'a T,
}

impl Rendered {
    fn new(
        templates: &Templates,
        name: &str,
        language: &Language,
        values: &impl Serialize,
    ) -> Result<Self, TemplateError> {
        let context = Context { language, name, values };
        let subject = templates.render("mail/subject.txt", &context)?;
        let text = tidied(&templates.render("mail/base.txt", &context)?);
        Ok(Self { subject: header(&subject), text, html: templates.render("mail/base.html", &context)? })
    }
}

/// A line break in a subject would begin another header.
fn header(subject: &str) -> String {
    let line = values::in_one_line(subject);
    match line.char_indices().nth(MAX_SUBJECT - 1) {
        Some((cut, last)) if cut + last.len_utf8() < line.len() => format!("{}…", &line[..cut]),
        _ => line,
    }
}

/// At most two blank lines in a row: parts of the template that do not apply leave theirs behind.
fn tidied(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.trim().lines().map(str::trim_end) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank <= 2 {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    tidy
}

/// Renders every mail in every language with all samples.
///
/// # Errors
/// The first template that cannot be rendered, by its name.
pub(super) fn check(templates: &Templates) -> Result<(), TemplateError> {
    for language in Language::all(templates) {
        try_mail::<Welcome>(templates, &language)?;
        try_mail::<Ask>(templates, &language)?;
        try_mail::<TrialKey>(templates, &language)?;
        try_mail::<TrialKeyEnds>(templates, &language)?;
        try_mail::<TrialReminder>(templates, &language)?;
        life_samples::tried(templates, &language)?;
    }
    Ok(())
}

fn try_mail<M: Mail>(templates: &Templates, language: &Language) -> Result<(), TemplateError> {
    let samples = M::samples();
    if samples.is_empty() {
        return Err(TemplateError::Untried { name: format!("mail/{}/{}", language.as_str(), M::NAME) });
    }
    samples.iter().try_for_each(|mail| mail.render(templates, language).map(drop))
}
