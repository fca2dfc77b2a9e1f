//! The whole ledger: all charges, and what Microsoft gave back of them.

use super::{
    list::{Filters, Found, Rows, place},
    names::Names,
};
use crate::{
    app::{App, AppError},
    pages::console::{
        frame::Room,
        ledger::{COLUMNS, Whose, credit_row, row},
        list::Filter,
        table::Column,
    },
    store::{ChargeFilter, LedgerLine},
};

pub(super) struct Ledger;

impl Rows for Ledger {
    const ROOM: Room = Room::Ledger;
    const TITLE: &'static str = "Ledger";
    const PATH: &'static str = "/console/ledger";
    const COLUMNS: &'static [Column] = COLUMNS;
    const FILTERS: &'static [Filter] = &[
        Filter {
            name: "state",
            label: "State",
            choices: &[
                "held",
                "due",
                "sending",
                "accepted",
                "unknown",
                "conflict",
                "rejected",
                "expired",
                "written_off",
                "cancelled",
                "frozen",
                "credited",
            ],
        },
        Filter {
            name: "reason",
            label: "Reason",
            choices: &["enrolment", "renewal", "upgrade", "correction", "credit"],
        },
        Filter { name: "currency", label: "Currency", choices: &[] },
        Filter { name: "subscription", label: "Subscription id", choices: &[] },
    ];
    const EMPTY: &'static str = "There is no such line.";

    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let Some(after) = place(after) else { return Ok(Found::default()) };
        let filter = ChargeFilter {
            state: filters.get("state"),
            reason: filters.get("reason"),
            currency: filters.get("currency"),
            subscription_id: filters.id("subscription"),
        };
        let found = app.store.list_newest_lines(filter, after, limit).await?;
        let names = Names::read(app, found.iter().map(|(id, _)| *id)).await?;
        let organisations = app.store.list_organisations(found.iter().map(|(id, _)| *id)).await?;
        let shown = found.iter().map(|(id, line)| {
            let organisation = organisations.get(id).map_or("", String::as_str);
            let whose = Whose { id: *id, subscription: names.get(*id), organisation };
            match line {
                LedgerLine::Charge(charge) => row(charge, whose),
                LedgerLine::Credit(credit) => credit_row(credit, whose),
            }
        });
        Ok(Found::page(shown.collect(), found.last().map(|(_, line)| line.id()), limit))
    }
}
