//! What a search has found.

use serde::Serialize;
use uuid::Uuid;

use super::{
    frame::ConsoleFrame,
    samples,
    subscriptions::stage_told,
    table::{Cell, Column, Row, Table, subscription_path},
    trials::trial_path,
};
use crate::{
    domain::subscription::Subscription,
    pages::{Page, words},
};

const COLUMNS: [Column; 6] = [
    Column::text("Name"),
    Column::text("Organisation"),
    Column::text("What matched"),
    Column::text("Plan"),
    Column::text("State"),
    Column::text("Id"),
];
/// Of one hit no more terms are told.
const MAX_TOLD: usize = 3;

/// What was found.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// A subscription, with its organisation.
    Subscription(&'a Subscription, &'a str),
    /// A subscription that Microsoft has written about, and nothing else is known of.
    Unknown(Uuid),
    /// A trial without a purchase.
    Trial(Uuid),
}

/// How much of what there is is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    All,
    /// The first hits; there are more.
    First,
    /// What was found among the first of too many names.
    Partial,
}

/// Why there is no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing was asked for.
    Nothing,
    /// No word has enough letters.
    TooShort,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct SearchPage {
    frame: ConsoleFrame,
    title: &'static str,
    query: String,
    lead: String,
    table: Table,
}

/// A hit: what it is, and the terms that match, each with what it is.
pub type HitFacts<'a> = (Found<'a>, Vec<(&'static str, &'a str)>);

impl SearchPage {
    /// The hits.
    #[must_use]
    pub fn new(frame: ConsoleFrame, query: &str, hits: &[HitFacts<'_>], extent: Extent) -> Self {
        let count = words::counted(u32::try_from(hits.len()).unwrap_or(u32::MAX), "hit");
        let lead = match extent {
            Extent::All => count,
            Extent::First => format!("the first {count}; more letters find less"),
            Extent::Partial => {
                format!(
                    "{count} so far: each of these words stands in thousands of names; add a rarer one to look through all"
                )
            }
        };
        Self::with(frame, query, lead, hits.iter().map(row).collect())
    }

    /// Nothing was looked for.
    #[must_use]
    pub fn without_hits(frame: ConsoleFrame, query: &str, why: Why) -> Self {
        let lead = match why {
            Why::Nothing => "type what you know",
            Why::TooShort => "at least three letters of a word are needed",
        };
        Self::with(frame, query, lead.to_owned(), Vec::new())
    }

    fn with(frame: ConsoleFrame, query: &str, lead: String, rows: Vec<Row>) -> Self {
        let table = Table {
            caption: "What was found".to_owned(),
            columns: COLUMNS.to_vec(),
            rows,
            empty: "Nothing begins so. What is found: an organisation, a name, a tenant id, an e-mail address, the id of a \
                    subscription, a license, an operation or a request, each by its beginning; several words all together.",
        };
        Self { frame: frame.with_query(query), title: "Search", query: query.to_owned(), lead, table }
    }
}

fn row((found, matched): &HitFacts<'_>) -> Row {
    let told: Vec<String> = matched.iter().take(MAX_TOLD).map(|(kind, term)| format!("{kind} {term}")).collect();
    let told = Cell::text(told.join(", "));
    let id = |id: Uuid, href: String| Cell::Id { text: id.to_string(), href };
    match *found {
        Found::Subscription(subscription, organisation) => {
            let microsoft = &subscription.microsoft;
            let (state, tone) = stage_told(subscription.stage);
            vec![
                Cell::subscription(microsoft.id, &microsoft.name),
                Cell::text(organisation),
                told,
                Cell::text(&microsoft.plan_id),
                Cell::state(state, tone),
                id(microsoft.id, subscription_path(microsoft.id)),
            ]
        }
        Found::Unknown(unknown) => {
            let nothing = || Cell::text("");
            let name = Cell::text("a subscription that is not known here");
            vec![name, nothing(), told, nothing(), nothing(), Cell::id(unknown)]
        }
        Found::Trial(trial) => {
            let name = Cell::Link { text: "Trial without a purchase".to_owned(), href: trial_path(trial) };
            let nothing = || Cell::text("");
            vec![name, nothing(), told, nothing(), nothing(), id(trial, trial_path(trial))]
        }
    }
}

impl Page for SearchPage {
    const TEMPLATE: &'static str = "console/search.html";

    fn samples() -> Vec<Self> {
        let matched = || vec![("organisation", samples::HOSTILE)];
        let hits = [(Found::Trial(samples::ID), matched()), (Found::Unknown(samples::ID), matched())];
        vec![
            Self::new(samples::frame(), samples::HOSTILE, &hits, Extent::First),
            Self::new(samples::frame(), samples::HOSTILE, &hits, Extent::Partial),
            Self::new(samples::frame(), samples::HOSTILE, &[], Extent::All),
            Self::without_hits(samples::frame(), samples::HOSTILE, Why::TooShort),
            Self::without_hits(samples::frame(), "", Why::Nothing),
        ]
    }
}
