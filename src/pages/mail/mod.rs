//! Mails: a subject, a text and an HTML body from one context. The wording stands in `templates/mail/<language>/`, the
//! values come from here.

pub mod ask;
pub mod life;
pub mod welcome;

use serde::Serialize;

use crate::templates::{TemplateError, Templates};

pub use ask::Ask;
pub use welcome::Welcome;

/// The languages that there are mails in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
}

impl Language {
    pub fn of(_tag: &str) -> Self {
        Self::English
    }
    pub fn as_str(self) -> &'static str {
        self.path()
    }
    fn path(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }
}

/// What a mail says.
pub trait Mail: Serialize + Sized {
    /// The directory of its templates within the language.
    const NAME: &'static str;

    /// Examples of every form that it can take.
    fn samples() -> Vec<Self>;

    /// The finished mail.
    ///
    /// # Errors
    /// [`TemplateError`], only with a template that was not checked.
    fn render(&self, templates: &Templates, language: Language) -> Result<Rendered, TemplateError> {
        let part = |file: &str| templates.render(&format!("mail/{}/{}/{file}", language.path(), Self::NAME), self);
        // A line break in a subject would begin another header.
        let subject = part("subject.txt")?.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Rendered { subject, text: tidied(&part("body.txt")?), html: part("body.html")? })
    }
}

/// A mail ready to be sent.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Plain text in lines of 72 columns.
    pub text: String,
    /// The same as HTML, without remote parts.
    pub html: String,
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
    try_mail::<Welcome>(templates)?;
    try_mail::<Ask>(templates)
}

fn try_mail<M: Mail>(templates: &Templates) -> Result<(), TemplateError> {
    let samples = M::samples();
    if samples.is_empty() {
        return Err(TemplateError::Untried { name: format!("mail/*/{}", M::NAME) });
    }
    samples.iter().try_for_each(|mail| mail.render(templates, Language::English).map(drop))
}
