//! What the reporter asks the ledger: which charges are due, and whose hold is over.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, SimpleExpr},
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Reader, Result, Store, StoreError, Tx,
    charges::{
        NOT_ACCEPTED, TABLE,
        entity::{ActiveModel, Column, Entity},
    },
};
use crate::{
    clock::{from_micros, to_micros},
    domain::{charge::State, money::Quantity, usage::WINDOW},
};

/// What the reporter has to know of a due charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCharge {
    /// Its id.
    pub id: Uuid,
    /// The resource.
    pub subscription_id: Uuid,
    /// The dimension that it is reported under.
    pub dimension: String,
    /// How much.
    pub quantity: Quantity,
    /// The plan; none = the subscription's.
    pub plan_id: Option<String>,
    /// The time from which it may be reported.
    pub reportable_from: OffsetDateTime,
}

fn waiting(state: State, now: OffsetDateTime) -> SimpleExpr {
    let now = to_micros(now);
    let in_state = Column::State.eq(state.as_str()).and(Expr::cust(NOT_ACCEPTED));
    in_state.and(Column::ReportableFrom.lte(now)).and(Column::TryAt.lte(now))
}

impl Store {
    /// Due charges: first those whose own hour Microsoft still takes, the nearest deadline in front; then the older ones,
    /// which take an hour of now and have all day.
    ///
    /// # Errors
    /// [`StoreError`].
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

    async fn list_waiting(&self, filter: SimpleExpr, limit: u64) -> Result<Vec<DueCharge>> {
        let rows: Vec<(Uuid, Uuid, String, i64, Option<String>, i64)> = Entity::find()
            .select_only()
            .columns([Column::Id, Column::SubscriptionId, Column::Dimension])
            .columns([Column::QuantityMillionths, Column::PlanId, Column::ReportableFrom])
            .filter(filter)
            .order_by_asc(Column::ReportableFrom)
            .order_by_asc(Column::Id)
            .limit(limit)
            .into_tuple()
            .all(self.connection())
            .await?;
        let due = |(id, subscription_id, dimension, millionths, plan_id, reportable_from): (_, _, _, _, _, i64)| {
            let wrong = || StoreError::inconsistent(TABLE, "quantity_millionths", id, millionths);
            let quantity = Quantity::from_millionths(millionths).ok_or_else(wrong)?;
            let reportable_from = from_micros(reportable_from);
            Ok(DueCharge { id, subscription_id, dimension, quantity, plan_id, reportable_from })
        };
        rows.into_iter().map(due).collect()
    }

    /// Subscriptions with charges whose hold is over.
    ///
    /// # Errors
    /// [`StoreError`].
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
    /// [`StoreError`].
    pub async fn put_off_charges(&self, ids: &[Uuid], until: OffsetDateTime) -> Result<()> {
        self.put_off(Column::Id.is_in(ids.iter().copied()), until).await
    }

    /// The same for everything that is held of these subscriptions.
    ///
    /// # Errors
    /// [`StoreError`].
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
