//! Subscriptions as lists: newest first, filtered, a page at a time.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    subscriptions::{
        entity::{Column, Entity},
        from_row,
    },
};
use crate::{clock::to_micros, domain::subscription::Subscription};

/// What is looked for; nothing = all of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SubscriptionFilter<'a> {
    /// The word of a stage.
    pub stage: Option<&'a str>,
    /// The offer.
    pub offer_id: Option<&'a str>,
    /// The plan.
    pub plan_id: Option<&'a str>,
    /// The tenant that uses it or pays for it.
    pub tenant_id: Option<Uuid>,
}

/// A place in a list that is sorted by (time, id): the next page begins behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    micros: i64,
    id: Uuid,
}

impl Place {
    /// The place of a row.
    #[must_use]
    pub fn of(at: OffsetDateTime, id: Uuid) -> Self {
        Self { micros: to_micros(at), id }
    }

    /// Reads what [`std::fmt::Display`] has written; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('_')?;
        Some(Self { micros: micros.parse().ok()?, id: Uuid::parse_str(id).ok()? })
    }

    /// What lies behind it, newest first.
    pub(super) fn behind(self, time: impl ColumnTrait, id: impl ColumnTrait) -> Condition {
        let earlier = time.lt(self.micros);
        let same = time.eq(self.micros).and(id.lt(self.id));
        // The first condition is what an index is entered with.
        Condition::all().add(time.lte(self.micros)).add(Condition::any().add(earlier).add(same))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.micros, self.id)
    }
}

impl Store {
    /// The newest ones behind a place.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_subscriptions(
        &self,
        filter: SubscriptionFilter<'_>,
        after: Option<Place>,
        limit: u64,
    ) -> Result<Vec<Subscription>> {
        let rows = Entity::find()
            .filter(these(filter, after))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(limit)
            .all(self.connection())
            .await?;
        rows.into_iter().map(from_row).collect()
    }

    /// How many lie behind a place; more than `at_most` are not counted.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn count_subscriptions(&self, filter: SubscriptionFilter<'_>, after: Place, at_most: u64) -> Result<u64> {
        let some = Entity::find().select_only().column(Column::Id).filter(these(filter, Some(after))).limit(at_most);
        Ok(some.into_tuple::<Uuid>().all(self.connection()).await?.len() as u64)
    }
}

fn these(filter: SubscriptionFilter<'_>, after: Option<Place>) -> Condition {
    let mut these = Condition::all();
    for (column, value) in
        [(Column::Stage, filter.stage), (Column::OfferId, filter.offer_id), (Column::PlanId, filter.plan_id)]
    {
        these = these.add_option(value.map(|value| column.eq(value)));
    }
    if let Some(tenant) = filter.tenant_id {
        let either = Column::BeneficiaryTenantId.eq(tenant).or(Column::PurchaserTenantId.eq(tenant));
        these = these.add(either);
    }
    if let Some(place) = after {
        these = these.add(place.behind(Column::CreatedAt, Column::Id));
    }
    these
}
