//! A mail as a row, and one mail as it was sent.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    frame::ConsoleFrame,
    samples,
    table::{Cell, Column, Row, subscription_path},
};
use crate::pages::{Page, words::Tone};

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::text("When"),
    Column::text("Subject"),
    Column::text("Recipients"),
    Column::text("State"),
    Column::text("Sent at"),
    Column::text("Error"),
    Column::text("Subscription"),
    Column::text("Subscription id"),
    Column::text("Mail id"),
];
/// What stands for a license key where somebody may not see it.
const HIDDEN_KEY: &str = "(license key: visible to Support)";
/// Each part of a key has more letters; words of a text that only look like a key have fewer.
const SHORTEST_PART: usize = 20;

/// What is told of a mail.
#[derive(Debug, Clone, Copy)]
pub struct MailFacts<'a> {
    /// Its id.
    pub id: Uuid,
    /// Whose it is, with the name.
    pub subscription: Option<(Uuid, &'a str)>,
    /// Who gets it.
    pub recipients: &'a [String],
    /// The subject line.
    pub subject: &'a str,
    /// The word of the table.
    pub state: &'a str,
    /// What the mail server said last, where it refused.
    pub last_error: Option<&'a str>,
    /// When its cause happened.
    pub created_at: OffsetDateTime,
}

/// The page of a mail.
#[must_use]
pub fn mail_path(id: Uuid) -> String {
    format!("/console/mails/{id}")
}

fn state_told(facts: &MailFacts<'_>) -> (&'static str, Tone) {
    match (facts.state, facts.last_error) {
        ("sent", _) => ("sent", Tone::Good),
        ("erased", _) => ("erased", Tone::Calm),
        (_, Some(_)) => ("refused, tried again", Tone::Bad),
        (_, None) => ("queued", Tone::Warn),
    }
}

/// The row.
#[must_use]
pub fn row(facts: &MailFacts<'_>, sent_at: Option<OffsetDateTime>) -> Row {
    let (state, tone) = state_told(facts);
    let id = facts.subscription.map(|(id, _)| id);
    vec![
        Cell::at(facts.created_at),
        Cell::Link { text: facts.subject.to_owned(), href: mail_path(facts.id) },
        Cell::text(facts.recipients.join(", ")),
        Cell::state(state, tone),
        Cell::maybe_at(sent_at),
        Cell::text(facts.last_error.unwrap_or_default()),
        facts.subscription.map_or_else(|| Cell::text(""), |(id, name)| Cell::subscription(id, name)),
        id.map_or_else(|| Cell::text(""), |id| Cell::Id { text: id.to_string(), href: subscription_path(id) }),
        Cell::Id { text: facts.id.to_string(), href: mail_path(facts.id) },
    ]
}

/// A text without the license keys in it: they are secrets of the customer.
#[must_use]
pub fn without_keys(text: &str) -> String {
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_inner) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|letter| !is_inner(letter)).unwrap_or(from.len()));
        out.push_str(before);
        // A full stop behind it ends the sentence.
        let (bare, stops) = run.split_at(run.trim_end_matches('.').len());
        out.push_str(if is_key(bare) { HIDDEN_KEY } else { bare });
        out.push_str(stops);
        rest = after;
    }
    out + rest
}

/// A compact JWS: three parts, of which the first is a JSON object in base64url.
fn is_key(run: &str) -> bool {
    let parts: Vec<&str> = run.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return false };
    header.starts_with("eyJ") && [header, claims, signature].iter().all(|part| part.len() >= SHORTEST_PART)
}

/// One mail.
#[derive(Debug, Clone, Serialize)]
pub struct MailPage {
    frame: ConsoleFrame,
    title: String,
    state: Cell,
    at: Cell,
    subscription: Option<Cell>,
    subscription_id: Option<Cell>,
    recipients: String,
    reply_to: String,
    message_id: String,
    error: String,
    attachments: Vec<AttachmentView>,
    text: String,
    hides_keys: bool,
}

#[derive(Debug, Clone, Serialize)]
struct AttachmentView {
    name: String,
    text: String,
}

/// What a mail says.
#[derive(Debug, Clone, Copy)]
pub struct MailText<'a> {
    /// The plain part.
    pub text: &'a str,
    /// Attached files: names and texts.
    pub attachments: &'a [(&'a str, &'a str)],
    /// Where answers go.
    pub reply_to: &'a str,
    /// The Message-ID without brackets.
    pub message_id: &'a str,
}

impl MailPage {
    /// The page; keys are shown to those alone who may see them.
    #[must_use]
    pub fn new(frame: ConsoleFrame, facts: &MailFacts<'_>, said: &MailText<'_>, may_see_keys: bool) -> Self {
        let shown = |text: &str| if may_see_keys { text.to_owned() } else { without_keys(text) };
        let text = shown(said.text);
        let attachment = |(name, text): &(&str, &str)| AttachmentView { name: (*name).to_owned(), text: shown(text) };
        let attachments: Vec<AttachmentView> = said.attachments.iter().map(attachment).collect();
        let hides_keys = text != said.text || attachments.iter().any(|one| one.text.contains(HIDDEN_KEY));
        let (state, tone) = state_told(facts);
        let id = facts.subscription.map(|(id, _)| id);
        Self {
            frame,
            title: facts.subject.to_owned(),
            state: Cell::state(state, tone),
            at: Cell::at(facts.created_at),
            subscription: facts.subscription.map(|(id, name)| Cell::subscription(id, name)),
            subscription_id: id.map(|id| Cell::Id { text: id.to_string(), href: subscription_path(id) }),
            recipients: facts.recipients.join(", "),
            reply_to: said.reply_to.to_owned(),
            message_id: said.message_id.to_owned(),
            error: facts.last_error.unwrap_or_default().to_owned(),
            attachments,
            text,
            hides_keys,
        }
    }
}

impl Page for MailPage {
    const TEMPLATE: &'static str = "console/mail.html";

    fn samples() -> Vec<Self> {
        let recipients = [samples::HOSTILE.to_owned()];
        let text = format!("{}\n\n{}\n", samples::HOSTILE, samples::KEY);
        let attachments = [(samples::HOSTILE, samples::KEY)];
        let sample = |state, last_error, subscription, may_see_keys| {
            let facts = MailFacts {
                id: samples::ID,
                subscription,
                recipients: &recipients,
                subject: samples::HOSTILE,
                state,
                last_error,
                created_at: samples::NOW,
            };
            let said = MailText {
                text: &text,
                attachments: &attachments,
                reply_to: samples::HOSTILE,
                message_id: "welcome.1@licenses.example",
            };
            Self::new(samples::frame(), &facts, &said, may_see_keys)
        };
        vec![
            sample("sent", None, Some((samples::ID, samples::HOSTILE)), true),
            sample("queued", Some(samples::HOSTILE), None, false),
            sample("erased", None, Some((samples::ID, "")), false),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_and_nothing_else() {
        let key = samples::KEY.trim();
        for (before, after) in [("", ""), ("Your key:\n\n", "\n\nBye."), ("(", ")."), ("<b>", "</b>"), ("", ".")] {
            let hidden = without_keys(&format!("{before}{key}{after}"));
            assert!(!hidden.contains("eyJ") && hidden.contains(HIDDEN_KEY), "{hidden}");
            assert!(hidden.starts_with(before) && hidden.ends_with(after), "{hidden}");
        }
        for text in ["", "https://contoso.example/a.b.c?x=1.2.3", "eyJ.a.b", "Größe: 1.5 m", "a.b.c eyJhbGciOi"] {
            assert_eq!(without_keys(text), text);
        }
        assert_eq!(without_keys(&format!("{key} {key}")).matches(HIDDEN_KEY).count(), 2);
    }
}
