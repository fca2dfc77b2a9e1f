//! What one request, webhook or job has led to.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{frame::ConsoleFrame, samples, table::subscription_path};
use crate::{
    domain::time::utc_day,
    pages::{
        Page,
        words::{self, Tone},
    },
};

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

/// A line as it is shown.
#[derive(Debug, Clone, Serialize)]
struct Line {
    /// To the millisecond: most of a trace is within one second.
    time: String,
    iso: String,
    step: String,
    tone: Tone,
    name: String,
    outcome: String,
    is_long: bool,
    about: String,
    href: String,
    ids: Vec<String>,
}

/// The lines of a day.
#[derive(Debug, Clone, Serialize)]
struct Day {
    name: String,
    lines: Vec<Line>,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct TracePage {
    frame: ConsoleFrame,
    title: &'static str,
    id: String,
    lead: String,
    days: Vec<Day>,
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
        let days = lines.chunk_by(|one, next| utc_day(one.at) == utc_day(next.at)).filter_map(day).collect();
        Self { frame, title: "Trace", id: id.to_owned(), lead, days }
    }
}

fn day(lines: &[LineFacts<'_>]) -> Option<Day> {
    Some(Day { name: words::day(utc_day(lines.first()?.at)), lines: lines.iter().map(told).collect() })
}

fn told(line: &LineFacts<'_>) -> Line {
    let tone = match line.kind {
        "dead" => Tone::Bad,
        "waiting" => Tone::Warn,
        _ if line.outcome.starts_with("failed") || line.outcome.starts_with("dead") => Tone::Bad,
        // An answer begins with its status.
        "call" if !line.outcome.starts_with('2') => Tone::Warn,
        _ => Tone::Calm,
    };
    let time = line.at.to_offset(time::UtcOffset::UTC).time();
    let of_day = format!("{:02}:{:02}:{:02}.{:03}", time.hour(), time.minute(), time.second(), time.millisecond());
    Line {
        iso: format!("{}T{of_day}Z", words::iso(utc_day(line.at))),
        time: of_day,
        step: line.kind.to_owned(),
        tone,
        name: line.name.to_owned(),
        outcome: line.outcome.to_owned(),
        // The charges of a batch are a long list.
        is_long: line.outcome.chars().count() > MAX_SHOWN,
        about: line.subscription.or(line.subject).map(|id| id.to_string()).unwrap_or_default(),
        href: line.subscription.map(subscription_path).unwrap_or_default(),
        ids: line.references.into_iter().flatten().map(str::to_owned).collect(),
    }
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
            LineFacts { kind: "dead", at: samples::NOW + time::Duration::DAY, ..line },
            LineFacts { kind: "waiting", ..line },
        ];
        vec![
            Self::new(samples::frame(), samples::HOSTILE, &lines),
            Self::new(samples::frame(), samples::HOSTILE, &[]),
            Self::new(samples::frame(), "", &[]),
        ]
    }
}
