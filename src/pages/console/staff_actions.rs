//! An entry of the audit log as a row.

use time::OffsetDateTime;
use uuid::Uuid;

use super::table::{Cell, Column, Row, subscription_path};

/// The columns.
pub const COLUMNS: &[Column] = &[
    Column::text("When"),
    Column::text("Who"),
    Column::text("Action"),
    Column::text("Subscription"),
    Column::text("Detail"),
    Column::text("Actor"),
    Column::text("Subscription id"),
    Column::number("Entry"),
    Column::text("Hash"),
];

/// What is told of an entry.
#[derive(Debug, Clone, Copy)]
pub struct EntryFacts<'a> {
    /// When.
    pub at: OffsetDateTime,
    /// The name of who it was; empty = it is not known.
    pub name: &'a str,
    /// The word of the log.
    pub actor: &'a str,
    /// What happened.
    pub action: &'a str,
    /// Where, with the name of the subscription.
    pub subscription: Option<(Uuid, &'a str)>,
    /// The facts, as JSON.
    pub detail: &'a str,
    /// Its place in the chain of its subscription.
    pub position: Option<i64>,
    /// Its hash.
    pub hash: Option<&'a str>,
}

/// The row.
#[must_use]
pub fn row(facts: &EntryFacts<'_>) -> Row {
    let id = facts.subscription.map(|(id, _)| id);
    // A buyer is an id; at the command line people say who they are.
    let who = match (facts.name, facts.actor.split_once(':')) {
        ("", Some(("buyer", _))) => "buyer",
        ("", _) => facts.actor,
        (name, _) => name,
    };
    let short = |text: &str| Cell::Id { text: text.to_owned(), href: String::new() };
    vec![
        Cell::at(facts.at),
        Cell::text(who),
        Cell::text(facts.action.replace('_', " ")),
        facts.subscription.map_or_else(|| Cell::text("the installation"), |(id, name)| Cell::subscription(id, name)),
        Cell::Long { text: facts.detail.to_owned() },
        short(facts.actor),
        id.map_or_else(|| Cell::text(""), |id| Cell::Id { text: id.to_string(), href: subscription_path(id) }),
        Cell::text(facts.position.map(|position| position.to_string()).unwrap_or_default()),
        facts.hash.map_or_else(|| Cell::text(""), short),
    ]
}
