//! Mail: the server that takes it, and what is kept of it.

mod header;
pub(super) mod mailbox;
mod mime;
pub(super) mod smtp;
pub(super) mod tls;

use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{terms, world::World};

/// How many mails are kept, and how many bytes of them in all.
const LIMIT: usize = 5_000;
const BYTES: usize = 256 << 20;

/// One received mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Counts up from 1.
    pub id: u64,
    /// By the simulator's clock.
    pub received_at: OffsetDateTime,
    /// Whether it came over STARTTLS.
    pub encrypted: bool,
    /// The envelope's sender.
    pub sender: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// The decoded subject.
    pub subject: String,
    /// All headers of the message, decoded, in their order.
    pub headers: Vec<(String, String)>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML.
    pub html: Option<String>,
    /// Everything else.
    pub attachments: Vec<Attachment>,
    /// As it came over the wire.
    pub raw: Vec<u8>,
}

/// A file in a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file name, made up where there is none.
    pub name: String,
    /// The media type without parameters.
    pub content_type: String,
    /// The decoded bytes.
    pub content: Vec<u8>,
}

impl Mail {
    /// The first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// For the control interface and the pages; the attachments' bytes (base64) only when asked for.
    pub(super) fn to_json(&self, with_content: bool) -> Value {
        let attachment = |attachment: &Attachment| {
            let content = with_content.then(|| STANDARD.encode(&attachment.content));
            json!({
                "name": attachment.name, "contentType": attachment.content_type, "size": attachment.content.len(),
                "content": content,
            })
        };
        json!({
            "id": self.id, "receivedAt": terms::readable(self.received_at), "encrypted": self.encrypted,
            "sender": self.sender, "recipients": self.recipients, "subject": self.subject, "headers": self.headers,
            "text": self.text, "html": self.html,
            "attachments": self.attachments.iter().map(attachment).collect::<Vec<_>>(),
        })
    }
}

/// What the mail server was told about a mail before and after its text.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) encrypted: bool,
    pub(super) raw: Vec<u8>,
}

/// The kept mails, oldest first.
#[derive(Debug, Default)]
pub(super) struct Mails {
    count: u64,
    bytes: usize,
    kept: VecDeque<Mail>,
}

impl Mails {
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Mail> {
        self.kept.iter()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Mail> {
        let id: u64 = id.parse().ok()?;
        self.kept.iter().find(|mail| mail.id == id)
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }

    fn add(&mut self, now: OffsetDateTime, envelope: Envelope, content: mime::Content) {
        self.count = self.count.saturating_add(1);
        self.bytes = self.bytes.saturating_add(envelope.raw.len());
        self.kept.push_back(Mail {
            id: self.count,
            received_at: now,
            encrypted: envelope.encrypted,
            sender: envelope.sender,
            recipients: envelope.recipients,
            subject: content.subject(),
            headers: content.headers,
            text: content.text,
            html: content.html,
            attachments: content.attachments,
            raw: envelope.raw,
        });
        while self.kept.len() > LIMIT || self.bytes > BYTES {
            let Some(gone) = self.kept.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(gone.raw.len());
        }
    }
}

impl World {
    /// The kept mails, oldest first (the last 5,000).
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.state().mails.iter().cloned().collect()
    }

    /// Forgets all mail.
    pub fn clear_mails(&self) {
        self.state().mails.clear();
    }

    pub(super) fn receive(&self, envelope: Envelope) {
        let content = mime::parse(&envelope.raw);
        let now = self.now();
        self.state().mails.add(now, envelope, content);
    }
}
