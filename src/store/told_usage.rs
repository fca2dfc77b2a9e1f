//! What Microsoft was told or may have been told, for whoever compares the ledger with Microsoft's daily sums.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx, charges, usage_events};
use crate::{
    clock::{from_micros, to_micros},
    domain::{charge::State, money::Quantity, time::utc_day, usage_sums::Place},
};

/// The newest event of a charge. Microsoft certainly does not have the earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldUsage {
    /// The event.
    pub id: Uuid,
    /// The charge.
    pub charge_id: Uuid,
    /// The resource.
    pub subscription_id: Uuid,
    /// Dimension, plan and day.
    pub place: Place,
    /// How much.
    pub quantity: Quantity,
    /// Where the charge stands now.
    pub state: State,
    /// Since when.
    pub since: OffsetDateTime,
    /// Whether the event is still being sent.
    pub is_open: bool,
}

impl Store {
    /// The newest event of each charge of these resources, of hours from a day on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_told_usage(&self, subscription_ids: &[Uuid], since: Date) -> Result<Vec<ToldUsage>> {
        list(self, subscription_ids, since).await
    }

    /// Resources that have events of hours from a day on, in the order of their ids, behind `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_told_subscriptions(&self, since: Date, after: Option<Uuid>, limit: u64) -> Result<Vec<Uuid>> {
        use usage_events::entity::{Column, Entity};
        let mut these = Column::Hour.gte(to_micros(since.midnight().assume_utc()));
        if let Some(after) = after {
            these = these.and(Column::SubscriptionId.gt(after));
        }
        let ids = Entity::find()
            .select_only()
            .column(Column::SubscriptionId)
            .filter(these)
            .group_by(Column::SubscriptionId)
            .order_by_asc(Column::SubscriptionId)
            .limit(limit)
            .into_tuple()
            .all(self.connection())
            .await?;
        Ok(ids)
    }
}

impl Store {
    /// Resources with charges that are neither settled nor dropped, in the order of their ids, behind `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_subscriptions_with_open_charges(&self, after: Option<Uuid>, limit: u64) -> Result<Vec<Uuid>> {
        use charges::entity::{Column, Entity};
        let open = State::ALL.into_iter().filter(|state| state.is_open()).map(State::as_str);
        let mut these = Column::State.is_in(open).and(Expr::cust(charges::NOT_ACCEPTED));
        if let Some(after) = after {
            these = these.and(Column::SubscriptionId.gt(after));
        }
        let ids = Entity::find()
            .select_only()
            .column(Column::SubscriptionId)
            .filter(these)
            .group_by(Column::SubscriptionId)
            .order_by_asc(Column::SubscriptionId)
            .limit(limit)
            .into_tuple()
            .all(self.connection())
            .await?;
        Ok(ids)
    }
}

impl Tx {
    /// Open events that may have been recorded, as far as anybody can tell now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn doubt_usage_events(&self, ids: &[Uuid]) -> Result<()> {
        use usage_events::entity::{ActiveModel, Column, Entity};
        let row = ActiveModel { in_doubt: Set(true), ..Default::default() };
        let open = Column::Id.is_in(ids.iter().copied()).and(Column::State.eq(usage_events::OPEN));
        Entity::update_many().set(row).filter(open).exec(self.connection()).await?;
        Ok(())
    }

    /// The newest event of each charge of these resources, of hours from a day on, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_told_usage(&self, subscription_ids: &[Uuid], since: Date) -> Result<Vec<ToldUsage>> {
        list(self, subscription_ids, since).await
    }
}

async fn list(reader: &impl Reader, subscription_ids: &[Uuid], since: Date) -> Result<Vec<ToldUsage>> {
    use usage_events::entity::Column;
    let from = to_micros(since.midnight().assume_utc());
    let rows = usage_events::entity::Entity::find()
        .filter(Column::SubscriptionId.is_in(subscription_ids.iter().copied()).and(Column::Hour.gte(from)))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(reader.connection())
        .await?;
    // The last one of a charge stays.
    let newest: HashMap<Uuid, usage_events::entity::Model> = rows.into_iter().map(|row| (row.charge_id, row)).collect();
    let of_charges = charges::entity::Entity::find()
        .filter(
            charges::entity::Column::SubscriptionId.is_in(subscription_ids.iter().copied()).and(charges::is_charge()),
        )
        .order_by_asc(charges::entity::Column::Id);
    let mut told = Vec::with_capacity(newest.len());
    for charge in of_charges.all(reader.connection()).await? {
        let Some(event) = newest.get(&charge.id) else { continue };
        told.push(joined(event, &charges::from_row(charge)?)?);
    }
    Ok(told)
}

fn joined(event: &usage_events::entity::Model, charge: &crate::domain::charge::Charge) -> Result<ToldUsage> {
    let wrong = |column| StoreError::inconsistent("usage_event", column, event.id, "cannot be read");
    Ok(ToldUsage {
        id: event.id,
        charge_id: event.charge_id,
        subscription_id: event.subscription_id,
        place: Place {
            day: utc_day(from_micros(event.hour)),
            dimension: event.dimension.clone(),
            plan_id: plan_of(&event.body).ok_or_else(|| wrong("body"))?,
        },
        quantity: Quantity::from_millionths(event.quantity_millionths).ok_or_else(|| wrong("quantity_millionths"))?,
        state: charge.state,
        since: charge.since,
        is_open: event.state == usage_events::OPEN,
    })
}

/// The plan that was told: the bytes say it, whatever the subscription's is by now.
fn plan_of(body: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        plan_id: String,
    }
    serde_json::from_str::<Told>(body).ok().map(|told| told.plan_id)
}
