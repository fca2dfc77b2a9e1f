//! A room with rows: filters that stand in the address, a table, the next page, and the same rows as a file.

use serde::Serialize;

use super::{
    frame::ConsoleFrame,
    samples,
    table::{Cell, Column, Table},
};
use crate::pages::{Page, words::Tone};

/// A filter that a list has.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Filter {
    /// Its name in the address.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What can be chosen; nothing = any text.
    pub choices: &'static [&'static str],
}

/// A filter that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name in the address.
    pub name: &'static str,
    /// What is filtered by.
    pub value: String,
}

/// What a list is made of.
#[derive(Debug, Clone)]
pub struct ListFacts {
    /// The head of the page.
    pub title: &'static str,
    /// The address without filters.
    pub path: &'static str,
    /// The filters that there are.
    pub filters: &'static [Filter],
    /// Those that are set.
    pub chosen: Vec<Chosen>,
    /// The rows.
    pub table: Table,
    /// Where the next page begins.
    pub next: Option<String>,
    /// Whether this is not the first page.
    pub is_later: bool,
    /// Whether this person may have the rows as a file.
    pub has_file: bool,
    /// What must be known about the rows.
    pub note: Option<&'static str>,
    /// What the viewer may add here; its form is at the address with `/new` behind it.
    pub addition: Option<&'static str>,
    /// Another view of the same things: its address, and its name.
    pub beside: Option<(&'static str, &'static str)>,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct List {
    frame: ConsoleFrame,
    title: &'static str,
    path: &'static str,
    filters: Vec<FilterView>,
    chosen: Vec<ChosenView>,
    table: Table,
    /// Empty = nothing needs to be said.
    note: &'static str,
    /// Empty = nothing can be added.
    addition: &'static str,
    beside: Option<(&'static str, &'static str)>,
    csv: String,
    first: String,
    next: String,
}

#[derive(Debug, Clone, Serialize)]
struct FilterView {
    name: &'static str,
    label: &'static str,
    choices: &'static [&'static str],
    value: String,
}

#[derive(Debug, Clone, Serialize)]
struct ChosenView {
    name: &'static str,
    value: String,
    /// The address without it.
    without: String,
}

impl List {
    /// The page.
    #[must_use]
    pub fn new(frame: ConsoleFrame, facts: ListFacts) -> Self {
        let ListFacts { title, path, filters, chosen, table, next, is_later, has_file, note, addition, beside } = facts;
        let value = |name: &str| chosen.iter().find(|one| one.name == name).map_or("", |one| one.value.as_str());
        let view = |filter: &Filter| FilterView {
            name: filter.name,
            label: filter.label,
            choices: filter.choices,
            value: value(filter.name).to_owned(),
        };
        let without = |name: &str| {
            let others: Vec<&Chosen> = chosen.iter().filter(|one| one.name != name).collect();
            address(path, &others, None)
        };
        let all: Vec<&Chosen> = chosen.iter().collect();
        Self {
            title,
            path,
            filters: filters.iter().map(view).collect(),
            note: note.unwrap_or_default(),
            addition: addition.unwrap_or_default(),
            beside,
            csv: if has_file { address(&format!("{path}.csv"), &all, None) } else { String::new() },
            first: if is_later { address(path, &all, None) } else { String::new() },
            next: next.map(|after| address(path, &all, Some(&after))).unwrap_or_default(),
            chosen: chosen
                .iter()
                .map(|one| ChosenView { name: one.name, value: one.value.clone(), without: without(one.name) })
                .collect(),
            table,
            frame,
        }
    }
}

fn address(path: &str, chosen: &[&Chosen], after: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(chosen.iter().map(|one| (one.name, one.value.as_str())));
    query.extend_pairs(after.map(|after| ("after", after)));
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

impl Page for List {
    const TEMPLATE: &'static str = "console/list.html";

    fn samples() -> Vec<Self> {
        let filters: &[Filter] = &[
            Filter { name: "state", label: "State", choices: &["held", "due"] },
            Filter { name: "offer", label: "Offer", choices: &[] },
        ];
        let rows = vec![vec![
            Cell::subscription(samples::ID, samples::HOSTILE),
            Cell::text("2,100.00 EUR"),
            Cell::state("held", Tone::Calm),
            Cell::at(samples::NOW),
            Cell::id(samples::ID),
            Cell::Long { text: samples::HOSTILE.to_owned() },
        ]];
        let columns = vec![
            Column::text("Subscription"),
            Column::number("Amount"),
            Column::text("State"),
            Column::text("Since"),
            Column::text("Id"),
            Column::text("Body"),
        ];
        let facts = |rows, chosen, next: Option<String>| ListFacts {
            title: "Ledger",
            path: "/console/ledger",
            filters,
            chosen,
            table: Table {
                caption: "Charges".to_owned(),
                columns: columns.clone(),
                rows,
                empty: "There is no such charge.",
            },
            is_later: true,
            has_file: next.is_some(),
            note: next.as_ref().map(|_| "counted every hour anew"),
            addition: next.as_ref().map(|_| "Grant a trial"),
            beside: next.as_ref().map(|_| ("/console/trials/conversion", "Conversion")),
            next,
        };
        let chosen = vec![Chosen { name: "state", value: samples::HOSTILE.to_owned() }];
        vec![
            Self::new(samples::frame(), facts(rows, chosen, Some("a b".to_owned()))),
            Self::new(samples::frame(), facts(Vec::new(), Vec::new(), None)),
        ]
    }
}
