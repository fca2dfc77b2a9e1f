//! A job as a row.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    mails::mail_path,
    table::{Cell, Column, Row, subscription_path},
};
use crate::pages::words::Tone;

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::text("Kind"),
    Column::text("Subject"),
    Column::text("Subject id"),
    Column::text("State"),
    Column::text("Runs at"),
    Column::number("Attempts"),
    Column::text("Last error"),
    Column::text("Since"),
    Column::text("Job id"),
];

/// What a job is about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// Nobody: the installation.
    Nobody,
    /// A subscription, with its name.
    Subscription(&'a str),
    /// A mail.
    Mail,
    /// Something that has no page of its own.
    Other,
}

/// What is told of a job.
#[derive(Debug, Clone, Copy)]
pub struct JobFacts<'a> {
    /// Its id.
    pub id: Uuid,
    /// What there is to do.
    pub kind: &'a str,
    /// With what.
    pub subject: (Uuid, Subject<'a>),
    /// The word of the table.
    pub state: &'a str,
    /// Whether somebody is at it now.
    pub is_claimed: bool,
    /// When it runs, or ran last.
    pub run_at: OffsetDateTime,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_error: Option<&'a str>,
    /// When its cause happened.
    pub created_at: OffsetDateTime,
}

/// The row.
#[must_use]
pub fn row(facts: &JobFacts<'_>, now: OffsetDateTime) -> Row {
    let (state, tone) = match facts.state {
        "done" => ("done", Tone::Good),
        "dead" => ("given up", Tone::Bad),
        _ if facts.is_claimed => ("running", Tone::Calm),
        _ if facts.last_error.is_some() => ("tries again", Tone::Warn),
        _ if facts.run_at > now => ("waits for its time", Tone::Calm),
        _ => ("due", Tone::Warn),
    };
    let (id, subject) = facts.subject;
    let (told, href) = match subject {
        Subject::Nobody => (Cell::text("the installation"), None),
        Subject::Subscription(name) => (Cell::subscription(id, name), Some(subscription_path(id))),
        Subject::Mail => (Cell::Link { text: "mail".to_owned(), href: mail_path(id) }, Some(mail_path(id))),
        Subject::Other => (Cell::text(""), Some(String::new())),
    };
    vec![
        Cell::text(facts.kind.replace('_', " ")),
        told,
        href.map_or_else(|| Cell::text(""), |href| Cell::Id { text: id.to_string(), href }),
        Cell::state(state, tone),
        Cell::at(facts.run_at),
        Cell::text(facts.attempts.to_string()),
        Cell::text(facts.last_error.unwrap_or_default()),
        Cell::at(facts.created_at),
        Cell::id(facts.id),
    ]
}
