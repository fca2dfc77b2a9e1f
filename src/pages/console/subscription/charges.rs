//! What was ordered, and what became of each charge. In a reseller deal without prices and amounts.

use super::{
    facts::SubscriptionFacts,
    sections::{Section, of_charges},
};
use crate::{
    domain::{charge::State, explanation::ExplainedCharge, money::grouped},
    pages::{
        console::{
            decision::decision_path,
            table::{Cell, Column, Row},
        },
        words::{self, Tone},
    },
};

/// Older charges are in the ledger's list.
const AT_MOST: usize = 50;

pub(super) fn section_of(facts: &SubscriptionFacts<'_>, shown: bool) -> Section {
    let all: Vec<&ExplainedCharge> = facts.explanation.months.iter().flat_map(|month| &month.charges).collect();
    let is_cut = all.len() > AT_MOST;
    let rows = all.iter().rev().take(AT_MOST).map(|charge| row(charge, shown)).collect();
    of_charges(columns(shown), rows, is_cut, order(facts, shown))
}

fn columns(shown: bool) -> Vec<Column> {
    let mut columns =
        vec![Column::text("Charge"), Column::text("State"), Column::text("Dimension"), Column::number("Quantity")];
    if shown {
        columns.extend([Column::number("Unit price"), Column::number("Amount")]);
    }
    columns.extend([
        Column::text("Reportable from"),
        Column::text("Slot"),
        Column::text("Usage event"),
        Column::text("Id"),
    ]);
    columns
}

fn row(charge: &ExplainedCharge, shown: bool) -> Row {
    let mut note = format!("{}. {}", reason(charge), charge.standing);
    for credit in &charge.credits {
        note += &format!(". {}, entered {}", credit.words, words::instant(credit.at));
    }
    let mut row = vec![
        Cell::noted(&charge.words, note),
        Cell::state(charge.state.as_str().replace('_', " "), tone(charge.state)),
        Cell::text(&charge.dimension),
        Cell::text(grouped(&words::quantity(charge.quantity))),
    ];
    if shown {
        let price = charge.unit_price.map(|price| format!("{} {}", grouped(&price.to_string()), charge.currency));
        row.extend([
            Cell::text(price.unwrap_or_default()),
            Cell::text(charge.amount.map(words::money).unwrap_or_default()),
        ]);
    }
    let slot = charge.slot.map(|slot| words::instant(slot.hour)).unwrap_or_default();
    let sent = if charge.attempts > 0 { format!("sent {}×", charge.attempts) } else { String::new() };
    row.extend([
        Cell::at(charge.reportable_from),
        Cell::noted(slot, sent),
        charge.usage_event_id.map_or_else(|| Cell::text(""), Cell::id),
        Cell::Id { text: charge.id.to_string(), href: decision_path(charge.id) },
    ]);
    row
}

fn reason(charge: &ExplainedCharge) -> String {
    let mut letters = charge.reason.as_str().chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// How a state of a charge is told.
pub(super) fn tone(state: State) -> Tone {
    match state {
        State::Accepted => Tone::Good,
        State::Held | State::Due | State::Sending | State::Cancelled | State::WrittenOff => Tone::Calm,
        State::Expired => Tone::Warn,
        State::Unknown | State::Conflict | State::Rejected | State::Frozen => Tone::Bad,
    }
}

/// What was ordered.
fn order(facts: &SubscriptionFacts<'_>, shown: bool) -> String {
    let Some((at, quote)) = facts.order else { return String::new() };
    let at = words::instant(at);
    let Some(quote) = quote else { return format!("Ordered on {at}; Microsoft bills this plan.") };
    let users = words::users(quote.users);
    let segment = &quote.segment.name;
    if !shown {
        return format!(
            "Ordered on {at}: {users} in {segment}. The reseller sets the prices; amounts are shown to nobody."
        );
    }
    let unused = match quote.unused_included_users {
        0 => String::new(),
        unused => format!(" {} more cost nothing.", words::users(unused)),
    };
    let noun = quote.term_unit.noun();
    let total = words::money(quote.total);
    format!("Ordered on {at}: {users}, of which {segment} was the cheapest, {total} for a full {noun}.{unused}")
}
