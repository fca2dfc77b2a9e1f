//! Subscriptions as lists: newest first, filtered, a page at a time.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store,
    ranges::{Sorted, newest},
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
        let words =
            [(Column::Stage, filter.stage), (Column::OfferId, filter.offer_id), (Column::PlanId, filter.plan_id)];
        let words = words.into_iter().filter_map(|(column, word)| Some((column, word?)));
        let either = |tenant| Column::BeneficiaryTenantId.eq(tenant).or(Column::PurchaserTenantId.eq(tenant));
        let mut these = Condition::all().add_option(filter.tenant_id.map(either));
        let mut range = Vec::new();
        match filter {
            // An index has a stage alone, an offer, a plan, and both of these.
            SubscriptionFilter { stage: None, tenant_id: None, .. }
            | SubscriptionFilter { offer_id: None, plan_id: None, tenant_id: None, .. } => {
                range.extend(words.map(|(column, word)| (Expr::col(column), word)));
            }
            _ => these = words.fold(these, |these, (column, word)| these.add(column.eq(word))),
        }
        let sorted = [
            Sorted::instant(Expr::col(Column::CreatedAt), after.map(|place| place.micros)),
            Sorted::id(Expr::col(Column::Id), after.map(|place| place.id)),
        ];
        let rows = newest(Entity::find().filter(these), &range, &sorted).limit(limit).all(self.connection()).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Purchases that were seen at `seen_before` or earlier and that nobody has configured yet, oldest first: the one whose
    /// deadline is nearest.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_unconfigured(&self, seen_before: OffsetDateTime, limit: u64) -> Result<Vec<Subscription>> {
        let rows = unconfigured(seen_before, limit).all(self.connection()).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// How many these are; more than `at_most` are not counted.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn count_unconfigured(&self, seen_before: OffsetDateTime, at_most: u64) -> Result<u64> {
        let some = unconfigured(seen_before, at_most).select_only().column(Column::Id);
        Ok(some.into_tuple::<Uuid>().all(self.connection()).await?.len() as u64)
    }
}

fn unconfigured(seen_before: OffsetDateTime, limit: u64) -> Select<Entity> {
    let these = Column::Stage.eq("awaiting_enrolment").and(Column::CreatedAt.lte(to_micros(seen_before)));
    Entity::find().filter(these).order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).limit(limit)
}
