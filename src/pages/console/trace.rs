//! What one request, webhook or job has led to.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    frame::ConsoleFrame,
    samples,
    table::{Cell, Column, Row, Table, subscription_path},
};
use crate::pages::{
    Page,
    words::{self, Tone},
};

const COLUMNS: [Column; 6] = [
    Column::text("When"),
    Column::text("Step"),
    Column::text("What"),
    Column::text("Outcome"),
    Column::text("About"),
    Column::text("Ids"),
];

/// A longer outcome is folded.
const MAX_SHOWN: usize = 120;

/// The page of what an id belongs to; nothing where there is none.
#[must_use]
pub fn trace_path(id: &str) -> String {
    if id.is_empty() {
        return String::new();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("id", id).finish();
    format!("/console/trace?{query}")
}

/// A line.
#[derive(Debug, Clone, Copy)]
pub struct LineFacts<'a> {
    /// When.
    pub at: OffsetDateTime,
    /// The word of the step.
    pub kind: &'a str,
    /// Which route, action, job or operation.
    pub name: &'a str,
    /// The subscription, where it is about one.
    pub subscription: Option<Uuid>,
    /// What a job is about.
    pub subject: Option<Uuid>,
    /// What it is found by.
    pub references: [Option<&'a str>; 2],
    /// What came of it.
    pub outcome: &'a str,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct TracePage {
    frame: ConsoleFrame,
    title: &'static str,
    id: String,
    lead: String,
    table: Table,
}

impl TracePage {
    /// What is known of an id.
    #[must_use]
    pub fn new(frame: ConsoleFrame, id: &str, lines: &[LineFacts<'_>]) -> Self {
        let lead = match (id, lines) {
            ("", _) => "what one request, webhook or job has led to".to_owned(),
            (_, []) => "nothing is known of this id; traces are kept for 30 days".to_owned(),
            (_, lines) => words::counted(u32::try_from(lines.len()).unwrap_or(u32::MAX), "step"),
        };
        let table = Table {
            caption: "The steps, oldest first".to_owned(),
            columns: COLUMNS.to_vec(),
            rows: lines.iter().map(row).collect(),
            empty: "What is found: the request id of a page, a webhook or the API (it stands in the answer's x-request-id, and \
                    on pages that say that something failed), the id of an operation, and Microsoft's request and \
                    correlation ids.",
        };
        Self { frame, title: "Trace", id: id.to_owned(), lead, table }
    }
}

fn row(line: &LineFacts<'_>) -> Row {
    let tone = match line.kind {
        "dead" => Tone::Bad,
        "waiting" => Tone::Warn,
        _ if line.outcome.starts_with("failed") || line.outcome.starts_with("dead") => Tone::Bad,
        _ => Tone::Calm,
    };
    let about = match (line.subscription, line.subject) {
        (Some(id), _) => Cell::Id { text: id.to_string(), href: subscription_path(id) },
        (None, Some(id)) => Cell::id(id),
        (None, None) => Cell::text(""),
    };
    let ids = match line.references {
        [None, None] => Cell::text(""),
        [Some(only), None] | [None, Some(only)] => Cell::Id { text: only.to_owned(), href: String::new() },
        [Some(one), Some(other)] => Cell::noted(one, other),
    };
    // The charges of a batch are a long list.
    let outcome = match line.outcome.chars().count() {
        0..=MAX_SHOWN => Cell::text(line.outcome),
        _ => Cell::Long { text: line.outcome.to_owned() },
    };
    vec![Cell::at(line.at), Cell::state(line.kind, tone), Cell::text(line.name), outcome, about, ids]
}

impl Page for TracePage {
    const TEMPLATE: &'static str = "console/trace.html";

    fn samples() -> Vec<Self> {
        let line = LineFacts {
            at: samples::NOW,
            kind: "call",
            name: "activate",
            subscription: None,
            subject: None,
            references: [Some(samples::HOSTILE), None],
            outcome: samples::HOSTILE,
        };
        let lines = [
            LineFacts { kind: "request", name: "POST /webhook", references: [None, None], outcome: "", ..line },
            LineFacts { kind: "audit", subscription: Some(samples::ID), ..line },
            LineFacts { kind: "job", subject: Some(samples::ID), outcome: "failed: no answer", ..line },
            LineFacts { references: [Some(samples::HOSTILE), Some(samples::HOSTILE)], ..line },
            LineFacts { kind: "dead", ..line },
            LineFacts { kind: "waiting", ..line },
        ];
        vec![
            Self::new(samples::frame(), samples::HOSTILE, &lines),
            Self::new(samples::frame(), samples::HOSTILE, &[]),
            Self::new(samples::frame(), "", &[]),
        ]
    }
}
