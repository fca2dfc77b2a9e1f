//! What the reporter asks the ledger: which charges are due, and whose hold is over.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{ExprTrait, SimpleExpr},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, Tx, charges};
use crate::{
    clock::to_micros,
    domain::{
        charge::{Charge, State},
        usage::WINDOW,
    },
};

use charges::entity::{ActiveModel, Column, Entity};

/// A charge with its subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCharge {
    /// The resource.
    pub subscription_id: Uuid,
    /// The charge.
    pub charge: Charge,
}

fn waiting(state: State, now: OffsetDateTime) -> SimpleExpr {
    let now = to_micros(now);
    Column::State.eq(state.as_str()).and(Column::ReportableFrom.lte(now)).and(Column::TryAt.lte(now))
}

impl Store {
    /// Due charges: first those whose own hour Microsoft still takes, the nearest deadline in front; then the older ones,
    /// which take an hour of now and have all day.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_due_charges(&self, limit: u64, now: OffsetDateTime) -> Result<Vec<DueCharge>> {
        let opened = to_micros(now - WINDOW);
        let open = Column::ReportableFrom.gt(opened);
        let mut due = self.list_waiting(waiting(State::Due, now).and(open), limit).await?;
        let room = limit.saturating_sub(due.len() as u64);
        if room > 0 {
            let late = Column::ReportableFrom.lte(opened);
            due.extend(self.list_waiting(waiting(State::Due, now).and(late), room).await?);
        }
        Ok(due)
    }

    /// A charge by its id, with its subscription.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn find_charge(&self, id: Uuid) -> Result<Option<DueCharge>> {
        Entity::find_by_id(id).one(self.connection()).await?.map(charges::of_subscription).transpose()
    }

    async fn list_waiting(&self, filter: SimpleExpr, limit: u64) -> Result<Vec<DueCharge>> {
        let rows = Entity::find()
            .filter(filter)
            .order_by_asc(Column::ReportableFrom)
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(self.connection())
            .await?;
        rows.into_iter().map(charges::of_subscription).collect()
    }

    /// Subscriptions with charges whose hold is over.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn list_subscriptions_with_ended_holds(&self, limit: u64, now: OffsetDateTime) -> Result<Vec<Uuid>> {
        let ids = Entity::find()
            .select_only()
            .column(Column::SubscriptionId)
            .filter(waiting(State::Held, now))
            .group_by(Column::SubscriptionId)
            .limit(limit)
            .into_tuple()
            .all(self.connection())
            .await?;
        Ok(ids)
    }
}

impl Tx {
    /// Nobody looks at these charges before `until`; where they stand does not change.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn put_off_charges(&self, ids: &[Uuid], until: OffsetDateTime) -> Result<()> {
        self.put_off(Column::Id.is_in(ids.iter().copied()), until).await
    }

    /// The same for everything that is held of these subscriptions.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn put_off_holds(&self, subscription_ids: &[Uuid], until: OffsetDateTime) -> Result<()> {
        let held = Column::State.eq(State::Held.as_str());
        self.put_off(held.and(Column::SubscriptionId.is_in(subscription_ids.iter().copied())), until).await
    }

    async fn put_off(&self, these: SimpleExpr, until: OffsetDateTime) -> Result<()> {
        let row = ActiveModel { try_at: Set(to_micros(until)), ..Default::default() };
        Entity::update_many().set(row).filter(these).exec(self.connection()).await?;
        Ok(())
    }
}
