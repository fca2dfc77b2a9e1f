//! The languages of the mails. A language is a directory `templates/mail/<tag>/`, so that one more needs no new program.

use std::borrow::Cow;

use serde::Serialize;

use crate::templates::Templates;

/// More wishes than any browser sends.
const MAX_WISHES: usize = 32;

/// A language that there are mails in, by its tag: `en`, `de`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Language(Cow<'static, str>);

impl Language {
    /// The language of whoever asks for none that there is.
    pub const ENGLISH: Self = Self(Cow::Borrowed("en"));

    /// The tag, as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every language whose words are there, in the order of the tags.
    #[must_use]
    pub fn all(templates: &Templates) -> Vec<Self> {
        let names = templates.names();
        let tags = names.iter().filter_map(|name| name.strip_prefix("mail/")?.strip_suffix("/words.txt"));
        tags.map(|tag| Self(Cow::Owned(tag.to_owned()))).collect()
    }

    /// The best language for a tag (`de`, `de-AT`) or the list of an `Accept-Language` header; `None` when none of them
    /// is there. A tag is shortened from its end until something fits (RFC 4647 §3.4).
    #[must_use]
    pub fn from_tag(tags: &str, templates: &Templates) -> Option<Self> {
        let all = Self::all(templates);
        let mut wishes: Vec<(f32, &str)> = tags.split(',').take(MAX_WISHES).filter_map(wish).collect();
        wishes.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        wishes.iter().find_map(|(_, tag)| shortened(tag).find_map(|tag| all.iter().find(|one| one.is(tag)))).cloned()
    }

    fn is(&self, tag: &str) -> bool {
        self.0.eq_ignore_ascii_case(tag)
    }
}

impl Default for Language {
    fn default() -> Self {
        Self::ENGLISH
    }
}

/// `de-AT;q=0.8`: the tag and how much it is wanted.
fn wish(text: &str) -> Option<(f32, &str)> {
    let (tag, parameter) = text.split_once(';').unwrap_or((text, "q=1"));
    let weight: f32 = parameter.trim().strip_prefix("q=")?.parse().ok()?;
    (weight > 0.0).then_some((weight, tag.trim()))
}

/// `de-AT`, `de`
fn shortened(tag: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(tag), |tag| tag.rsplit_once('-').map(|(shorter, _)| shorter))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    #[test]
    fn the_best_language_is_picked() {
        let templates = Templates::load(None).unwrap();
        let table = [
            ("de", Some("de")),
            ("de-AT", Some("de")),
            ("DE-ch-1996", Some("de")),
            ("en", Some("en")),
            ("fr, de;q=0.5, en;q=0.7", Some("en")),
            ("fr-FR,fr;q=0.9,de-DE;q=0.8,en;q=0.1", Some("de")),
            ("de;q=0, en;q=0.2", Some("en")),
            ("de;q=x, en", Some("en")),
            ("fr", None),
            ("d", None),
            ("*", None),
            ("", None),
        ];
        for (tags, expected) in table {
            let language = Language::from_tag(tags, &templates);
            assert_eq!(language.as_ref().map(Language::as_str), expected, "{tags}");
        }
    }
    /// Writes the German words as those of another language; `take` says which files.
    fn copied(tag: &str, take: impl Fn(&str) -> bool) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("seatkey-language-{}", uuid::Uuid::new_v4()));
        let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/mail/de");
        let names = Templates::load(None).unwrap().names();
        for name in names.iter().filter_map(|name| name.strip_prefix("mail/de/")).filter(|name| take(name)) {
            let path = directory.join("mail").join(tag).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(words.join(name), path).unwrap();
        }
        directory
    }

    #[test]
    fn another_language_is_a_directory() {
        let directory = copied("fr", |_| true);
        fs::write(directory.join("mail/fr/suspended/subject.txt"), "Abonnement {{ offer }} suspendu").unwrap();
        let templates = Templates::load(Some(&directory)).unwrap();
        super::super::check(&templates).unwrap();
        let language = Language::from_tag("fr-CH, de", &templates).unwrap();
        assert_eq!(language.as_str(), "fr");
        let mails = super::super::life_samples::samples(&language);
        let subjects: Vec<_> = mails.iter().map(|mail| mail.render(&templates).unwrap().subject).collect();
        assert!(subjects.iter().any(|subject| subject == "Abonnement KONNEKT suspendu"));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn half_a_language_is_refused_by_name() {
        // Without the words of the language itself its files replace nothing; the first of them is named.
        let table = [("words.txt", "mail/fr/ask/body.txt"), ("renewed/body.txt", "mail/fr/renewed/body.txt")];
        for (missing, named) in table {
            let directory = copied("fr", |name| name != missing);
            let result = Templates::load(Some(&directory)).and_then(|templates| super::super::check(&templates));
            let message = result.unwrap_err().to_string();
            assert!(message.contains(named), "{missing}: {message}");
            fs::remove_dir_all(directory).unwrap();
        }
    }
}
