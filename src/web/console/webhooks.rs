//! The inbox.

use super::{
    list::{Filters, Found, Rows, place},
    names::Names,
};
use crate::{
    app::{App, AppError},
    pages::console::{
        frame::Room,
        list::Filter,
        table::Column,
        webhooks::{COLUMNS, WebhookFacts, row},
    },
    store::WebhookFilter,
};

pub(super) struct Webhooks;

impl Rows for Webhooks {
    const ROOM: Room = Room::Webhooks;
    const TITLE: &'static str = "Webhooks";
    const PATH: &'static str = "/console/webhooks";
    const COLUMNS: &'static [Column] = COLUMNS;
    const FILTERS: &'static [Filter] = &[
        Filter {
            name: "action",
            label: "Action",
            choices: &["ChangePlan", "ChangeQuantity", "Renew", "Suspend", "Unsubscribe", "Reinstate"],
        },
        Filter { name: "handled", label: "Handled", choices: &["yes", "no"] },
        Filter { name: "subscription", label: "Subscription id", choices: &[] },
    ];
    const EMPTY: &'static str = "There is no such webhook.";

    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let Some(after) = place(after) else { return Ok(Found::default()) };
        let filter = WebhookFilter {
            action: filters.get("action"),
            is_handled: filters.get("handled").map(|word| word == "yes"),
            subscription_id: filters.id("subscription"),
        };
        let found = app.store.list_newest_webhooks(filter, after, limit).await?;
        let names = Names::read(app, found.iter().filter_map(|one| one.subscription_id)).await?;
        let shown = found.iter().map(|one| {
            row(&WebhookFacts {
                id: one.id,
                received_at: one.received_at,
                action: &one.action,
                subscription: names.with_id(one.subscription_id),
                operation_id: &one.operation_id,
                handled_at: one.handled_at,
                outcome: one.outcome.as_deref(),
                refusal: one.refusal.as_deref(),
                body: &one.body,
            })
        });
        Ok(Found::page(shown.collect(), found.last().map(|one| one.id), limit))
    }
}
