//! The sections of the page: each a table with a head.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::facts::{
    CallFact, FindingFact, JobFact, KeyFact, MailFact, Newest, NoteFact, PersonFact, SlotFact, SubscriptionFacts,
    TrailFact, WebhookFact,
};
use crate::pages::{
    console::{
        mails::without_keys,
        table::{Cell, Column, Row, Table},
        trace::trace_path,
    },
    words::{self, Tone},
};

/// A section.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) count: String,
    pub(super) remark: &'static str,
    pub(super) note: String,
    pub(super) table: Table,
}

type Columns = &'static [Column];

fn section(id: &'static str, name: &'static str, columns: Columns, rows: Vec<Row>, empty: &'static str) -> Section {
    let count = rows.len().to_string();
    let table = Table { caption: name.to_owned(), columns: columns.to_vec(), rows, empty };
    Section { id, name, count, remark: "", note: String::new(), table }
}

impl Section {
    fn remark(self, remark: &'static str) -> Self {
        Self { remark, ..self }
    }

    /// Says that older rows are left out.
    fn cut(self, is_cut: bool) -> Self {
        if is_cut {
            Self { count: format!("{}+", self.count), remark: "the newest 50; there are more", ..self }
        } else {
            self
        }
    }

    fn note(self, note: String) -> Self {
        Self { note, ..self }
    }
}

fn newest<T>(
    (id, name): (&'static str, &'static str),
    columns: Columns,
    facts: &Newest<T>,
    row: impl FnMut(&T) -> Row,
    empty: &'static str,
) -> Section {
    section(id, name, columns, facts.rows.iter().map(row).collect(), empty).cut(facts.is_cut)
}

/// All of them, in the order of the page. `shown`: amounts may be told.
pub(super) fn sections(facts: &SubscriptionFacts<'_>, shown: bool) -> Vec<Section> {
    let mut sections = Vec::new();
    if !facts.findings.is_empty() {
        let rows = facts.findings.iter().map(|one| finding(one, shown)).collect();
        let columns = const {
            &[Column::text("What"), Column::text("What was found"), Column::text("What to do"), Column::text("Since")]
        };
        sections.push(section("needs", "Needs a person", columns, rows, ""));
    }
    let people = facts.people.iter().map(person).collect();
    sections.push(section("people", "People", PEOPLE, people, "Nobody is known yet."));
    sections.push(super::charges::section_of(facts, shown));
    sections.push(newest(("slots", "Usage events"), SLOTS, &facts.slots, slot, "Nothing was sent to Microsoft yet."));
    let sees_keys = facts.keys.rows.iter().any(|key| key.compact.is_some());
    sections.push(newest(
        ("keys", "License keys"),
        if sees_keys { KEYS } else { KEYS.split_last().map_or(KEYS, |(_, rest)| rest) },
        &facts.keys,
        |one| key(one, facts.now),
        "No key was signed yet.",
    ));
    let mail = |one: &MailFact| mail(one, facts.roles.include(crate::domain::staff::Role::Support));
    sections.push(newest(("mails", "Mails"), MAILS, &facts.mails, mail, "Nothing was mailed yet."));
    sections.push(newest(("webhooks", "Webhooks"), WEBHOOKS, &facts.webhooks, webhook, "Microsoft has sent none."));
    sections.push(newest(
        ("attempts", "Attempts at Microsoft"),
        CALLS,
        &facts.calls,
        call,
        "Nothing was changed at Microsoft yet.",
    ));
    sections.push(newest(("jobs", "Jobs"), JOBS, &facts.jobs, job, "There is no job."));
    let notes = newest(("notes", "Notes"), NOTES, &facts.notes, note, "Nobody has written one yet.");
    sections.push(if facts.notes.is_cut { notes } else { notes.remark("only staff see them") });
    sections.push(newest(("audit", "Audit trail"), TRAIL, &facts.trail, trail, "Nothing has happened yet."));
    sections
}

pub(super) fn of_charges(columns: Vec<Column>, rows: Vec<Row>, is_cut: bool, note: String) -> Section {
    let section = section("charges", "Order and charges", &[], rows, "There are no charges.").cut(is_cut).note(note);
    Section { table: Table { columns, ..section.table }, ..section }
}

fn finding(one: &FindingFact, shown: bool) -> Row {
    let detail = if one.names_prices && !shown {
        "The figures are amounts, which nobody is shown in a reseller deal.".to_owned()
    } else {
        words::sentence(&one.detail)
    };
    vec![Cell::state(one.what, Tone::Bad), Cell::text(detail), Cell::text(one.next_step), Cell::at(one.at)]
}

const PEOPLE: Columns = &[
    Column::text("Role"),
    Column::text("Name"),
    Column::text("E-mail"),
    Column::text("Tenant"),
    Column::text("Object id"),
];

fn person(one: &PersonFact) -> Row {
    let id = |id: Option<uuid::Uuid>| id.map_or_else(|| Cell::text("none"), Cell::id);
    vec![Cell::text(one.role), Cell::text(&one.name), Cell::text(&one.email), id(one.tenant_id), id(one.object_id)]
}

const SLOTS: Columns = &[
    Column::text("Slot"),
    Column::text("Dimension"),
    Column::number("Quantity"),
    Column::number("Sent"),
    Column::text("State"),
    Column::text("Answered"),
    Column::text("Last answer"),
    Column::text("Bytes"),
];

fn slot(one: &SlotFact) -> Row {
    let (state, tone) = match (one.is_open, one.in_doubt) {
        (true, true) => ("in doubt", Tone::Warn),
        (true, false) => ("on its way", Tone::Calm),
        (false, true) => ("closed in doubt", Tone::Bad),
        (false, false) => ("closed", Tone::Good),
    };
    vec![
        Cell::at(one.hour),
        Cell::text(&one.dimension),
        Cell::text(&one.quantity),
        Cell::text(format!("{}×", one.attempts)),
        Cell::state(state, tone),
        Cell::maybe_at(one.answered_at),
        Cell::text(&one.answer),
        Cell::Long { text: one.body.clone() },
    ]
}

const KEYS: Columns = &[
    Column::number("seq"),
    Column::text("Kind"),
    Column::number("Users"),
    Column::text("Valid from"),
    Column::text("Ends"),
    Column::text("State"),
    Column::text("Signing key"),
    Column::text("License"),
    Column::text("Key"),
];

fn key(one: &KeyFact, now: OffsetDateTime) -> Row {
    let kind = if one.is_provisional { "provisional" } else { "full" };
    let kind = if one.is_trial { format!("{kind}, trial") } else { kind.to_owned() };
    let (state, tone) = match (one.is_revoked, one.expires_at > now) {
        (true, _) => ("revoked", Tone::Bad),
        (false, true) => ("valid", Tone::Good),
        (false, false) => ("ended", Tone::Calm),
    };
    let mut row = vec![
        Cell::text(one.seq.to_string()),
        Cell::text(kind),
        Cell::text(one.users.map(words::count).unwrap_or_default()),
        Cell::maybe_at(one.valid_from),
        Cell::at(one.expires_at),
        Cell::state(state, tone),
        Cell::Id { text: one.signing_key.clone(), href: String::new() },
        Cell::Id { text: one.license_id.clone(), href: String::new() },
    ];
    row.extend(one.compact.clone().map(|text| Cell::Long { text }));
    row
}

const MAILS: Columns = &[
    Column::text("When"),
    Column::text("Subject"),
    Column::text("To"),
    Column::text("State"),
    Column::text("Sent"),
    Column::text("Text"),
];

fn mail(one: &MailFact, with_keys: bool) -> Row {
    let state = match (one.sent_at, one.error.as_str()) {
        (Some(_), _) => Cell::state("taken by the mail server", Tone::Good),
        (None, "") => Cell::state("waits", Tone::Calm),
        (None, error) => Cell::state(format!("stuck: {error}"), Tone::Bad),
    };
    let text = if with_keys { one.text.clone() } else { without_keys(&one.text) };
    vec![
        Cell::at(one.at),
        Cell::text(&one.subject),
        Cell::text(one.recipients.join(", ")),
        state,
        Cell::maybe_at(one.sent_at),
        Cell::Long { text },
    ]
}

const WEBHOOKS: Columns = &[
    Column::text("Received"),
    Column::text("Action"),
    Column::text("Operation"),
    Column::text("What came of it"),
    Column::text("Acted upon"),
    Column::text("Raw body"),
    Column::text("Verified claims"),
];

fn webhook(one: &WebhookFact) -> Row {
    let outcome = if one.outcome.is_empty() {
        Cell::state("waits", Tone::Calm)
    } else {
        Cell::text(words::sentence(&one.outcome))
    };
    vec![
        Cell::at(one.at),
        Cell::text(&one.action),
        Cell::Id { text: one.operation_id.clone(), href: String::new() },
        outcome,
        Cell::maybe_at(one.handled_at),
        Cell::Long { text: one.body.clone() },
        Cell::Long { text: one.claims.clone() },
    ]
}

const CALLS: Columns = &[
    Column::text("When"),
    Column::text("Call"),
    Column::text("Answer"),
    Column::text("Answered"),
    Column::text("Request id"),
    Column::text("Correlation id"),
];

fn call(one: &CallFact) -> Row {
    let answer = match one.outcome.as_deref() {
        None => Cell::state("no answer is known", Tone::Bad),
        Some(outcome) if outcome.starts_with("accepted") => Cell::state(outcome, Tone::Good),
        Some(outcome) => Cell::text(outcome),
    };
    let id = |text: &str| Cell::Id { text: text.to_owned(), href: trace_path(text) };
    let (request, correlation) = one.ids.as_ref().map_or(("", ""), |(request, other)| (request, other));
    vec![
        Cell::at(one.at),
        Cell::text(one.operation.replace('_', " ")),
        answer,
        Cell::maybe_at(one.answered_at),
        id(request),
        id(correlation),
    ]
}

const JOBS: Columns = &[
    Column::text("Job"),
    Column::text("State"),
    Column::text("Runs, or ran"),
    Column::number("Tried"),
    Column::text("Why it failed"),
    Column::text("Id"),
];

fn job(one: &JobFact) -> Row {
    let state = match one.state.as_str() {
        "dead" => Cell::state("given up", Tone::Bad),
        "done" => Cell::state("done", Tone::Good),
        _ if one.error.is_empty() => Cell::state("waits", Tone::Calm),
        _ => Cell::state("tries again", Tone::Warn),
    };
    vec![
        Cell::text(one.kind.replace('_', " ")),
        state,
        Cell::at(one.run_at),
        Cell::text(one.attempts.to_string()),
        Cell::text(&one.error),
        Cell::id(one.id),
    ]
}

const NOTES: Columns = &[Column::text("When"), Column::text("Who"), Column::text("Note")];

fn note(one: &NoteFact) -> Row {
    vec![Cell::at(one.at), Cell::text(&one.who), Cell::Lines { text: one.text.clone() }]
}

const TRAIL: Columns = &[
    Column::text("When"),
    Column::text("Who"),
    Column::text("What"),
    Column::text("Facts"),
    Column::text("Place, hash"),
];

fn trail(one: &TrailFact) -> Row {
    vec![
        Cell::at(one.at),
        Cell::noted(&one.who, &one.class),
        Cell::text(one.action.replace('_', " ")),
        Cell::text(told(&one.detail)),
        Cell::text(&one.place),
    ]
}

/// `from: 150, to: 300`
fn told(detail: &str) -> String {
    match serde_json::from_str(detail) {
        Ok(Value::Object(facts)) => {
            let facts = facts.iter().map(|(name, value)| format!("{}: {}", name.replace('_', " "), plain(value)));
            facts.collect::<Vec<_>>().join(", ")
        }
        _ => detail.to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(" and "),
        Value::Object(facts) => {
            let facts = facts.iter().map(|(name, value)| format!("{name} {}", plain(value)));
            format!("({})", facts.collect::<Vec<_>>().join(", "))
        }
        Value::Number(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_an_entry_are_told_in_words() {
        let detail = r#"{"after":{"tenant":"t"},"before":null,"from":150,"parties":["beneficiary","purchaser"]}"#;
        assert_eq!(told(detail), "after: (tenant t), before: –, from: 150, parties: beneficiary and purchaser");
        assert_eq!(told("no JSON"), "no JSON");
    }
}
