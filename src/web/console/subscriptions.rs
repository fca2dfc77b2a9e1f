//! All subscriptions.

use uuid::Uuid;

use super::list::{Filters, Found, Rows};
use crate::{
    app::{App, AppError},
    pages::console::{
        frame::Room,
        list::Filter,
        subscriptions::{COLUMNS, row},
    },
    store::{Place, SubscriptionFilter},
};

pub(super) struct Subscriptions;

impl Rows for Subscriptions {
    const ROOM: Room = Room::Subscriptions;
    const TITLE: &'static str = "Subscriptions";
    const PATH: &'static str = "/console/subscriptions";
    const COLUMNS: &'static [crate::pages::console::table::Column] = COLUMNS;
    const FILTERS: &'static [Filter] = &[
        Filter {
            name: "stage",
            label: "Stage",
            choices: &["awaiting_enrolment", "activating", "active", "suspended", "ended"],
        },
        Filter { name: "offer", label: "Offer id", choices: &[] },
        Filter { name: "plan", label: "Plan id", choices: &[] },
        Filter { name: "tenant", label: "Tenant id", choices: &[] },
    ];
    const EMPTY: &'static str = "There is no such subscription.";

    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let filter = SubscriptionFilter {
            stage: filters.get("stage"),
            offer_id: filters.get("offer"),
            plan_id: filters.get("plan"),
            tenant_id: filters.id("tenant"),
        };
        let Some(after) = after.map(Place::parse).map_or(Some(None), |place| place.map(Some)) else {
            return Ok(Found::default());
        };
        let found = app.store.list_subscriptions(filter, after, limit).await?;
        let organisations = app.store.list_organisations(found.iter().map(|one| one.microsoft.id)).await?;
        let name = |id: &Uuid| organisations.get(id).map_or("", String::as_str);
        let rows = found.iter().map(|one| row(one, name(&one.microsoft.id))).collect();
        Ok(Found::page(rows, found.last().map(|last| Place::of(last.seen_at, last.microsoft.id)), limit))
    }
}
