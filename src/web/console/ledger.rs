//! All charges.

use super::{
    list::{Filters, Found, Rows, place},
    names::Names,
};
use crate::{
    app::{App, AppError},
    pages::console::{
        frame::Room,
        ledger::{COLUMNS, row},
        list::Filter,
        table::Column,
    },
    store::ChargeFilter,
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
            ],
        },
        Filter { name: "reason", label: "Reason", choices: &["enrolment", "renewal", "upgrade", "correction"] },
        Filter { name: "currency", label: "Currency", choices: &[] },
        Filter { name: "subscription", label: "Subscription id", choices: &[] },
    ];
    const EMPTY: &'static str = "There is no such charge.";

    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let Some(after) = place(after) else { return Ok(Found::default()) };
        let filter = ChargeFilter {
            state: filters.get("state"),
            reason: filters.get("reason"),
            currency: filters.get("currency"),
            subscription_id: filters.id("subscription"),
        };
        let found = app.store.list_newest_charges(filter, after, limit).await?;
        let names = Names::read(app, found.iter().map(|(id, _)| *id)).await?;
        let organisations = app.store.list_organisations(found.iter().map(|(id, _)| *id)).await?;
        let shown = found
            .iter()
            .map(|(id, charge)| row(charge, (*id, names.get(*id)), organisations.get(id).map_or("", String::as_str)));
        Ok(Found::page(shown.collect(), found.last().map(|(_, charge)| charge.id), limit))
    }
}
