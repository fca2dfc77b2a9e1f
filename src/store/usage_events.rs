//! Charges in their slots. A row is written before its first byte is sent; slot, quantity and bytes never change. Unique by
//! (resource, dimension, hour), as at Microsoft.
//!
//! Whoever sends an event owns it for a while. An owner that never came back leaves the event in doubt: it may have been
//! sent.

use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, IntoActiveModel as _, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, IntoValueTuple as _, SimpleExpr},
};
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx, given};
use crate::{
    clock::{from_micros, new_id, to_micros},
    domain::{money::Quantity, usage::Slot},
};

const TABLE: &str = "usage_event";
/// Its outcome is not known yet.
pub(super) const OPEN: &str = "open";
/// Its outcome is known, or nobody sends it any more.
pub(super) const CLOSED: &str = "closed";

/// Those that an index holds; it is gone by when it is said in the same words.
pub(super) fn is_open() -> SimpleExpr {
    Expr::cust("state = 'open'")
}

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "usage_event")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub charge_id: Uuid,
        pub subscription_id: Uuid,
        pub dimension: String,
        pub hour: i64,
        pub effective_start: i64,
        pub quantity_millionths: i64,
        pub body: String,
        pub created_at: i64,
        pub state: String,
        pub owner: Option<Uuid>,
        pub in_doubt: bool,
        pub attempts: i32,
        pub next_attempt_at: i64,
        pub answered_at: Option<i64>,
        pub last_answer: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What of an event is hashed: everything that never changes.
#[derive(Serialize)]
pub(super) struct Content<'a> {
    id: Uuid,
    charge_id: Uuid,
    subscription_id: Uuid,
    dimension: &'a str,
    hour: i64,
    effective_start: i64,
    quantity_millionths: i64,
    body: &'a str,
    created_at: i64,
}

/// See [`Content`].
pub(super) fn content(row: &entity::Model) -> Content<'_> {
    Content {
        id: row.id,
        charge_id: row.charge_id,
        subscription_id: row.subscription_id,
        dimension: &row.dimension,
        hour: row.hour,
        effective_start: row.effective_start,
        quantity_millionths: row.quantity_millionths,
        body: &row.body,
        created_at: row.created_at,
    }
}

/// A charge that takes a slot.
#[derive(Debug, Clone)]
pub struct NewUsageEvent {
    /// The charge.
    pub charge_id: Uuid,
    /// Its subscription: the resource.
    pub subscription_id: Uuid,
    /// The dimension.
    pub dimension: String,
    /// The slot.
    pub slot: Slot,
    /// How much.
    pub quantity: Quantity,
    /// The bytes, for every attempt.
    pub body: String,
}

/// A charge in its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageEvent {
    /// Its id.
    pub id: Uuid,
    /// The charge.
    pub charge_id: Uuid,
    /// The resource.
    pub subscription_id: Uuid,
    /// The dimension.
    pub dimension: String,
    /// The slot.
    pub slot: Slot,
    /// How much.
    pub quantity: Quantity,
    /// The bytes.
    pub body: String,
    /// Whether an earlier attempt may have been recorded.
    pub in_doubt: bool,
    /// Which attempt this is, counted from 1.
    pub attempts: u32,
}

/// What is kept of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Settled<'a> {
    /// The events, each with Microsoft's words.
    pub answers: &'a [(Uuid, &'a str)],
    /// Who sent them.
    pub owner: Uuid,
    /// Whether it holds whatever others have done meanwhile: Microsoft has it. All else is judged by what the sender knew.
    pub is_proven: bool,
    /// When the same bytes are sent again; `None` = never.
    pub again_at: Option<OffsetDateTime>,
    /// Whether an attempt so far may have been recorded.
    pub in_doubt: bool,
}

impl Tx {
    /// Puts due charges into slots, owned by `owner` until `until`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a charge is not due any more, or a slot is taken.
    pub async fn insert_usage_events(
        &self,
        new: Vec<NewUsageEvent>,
        (owner, until): (Uuid, OffsetDateTime),
        now: OffsetDateTime,
    ) -> Result<Vec<UsageEvent>> {
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<entity::Model> = new.into_iter().map(|event| to_row(event, (owner, until), now)).collect();
        self.put_into_slots(&rows, now).await?;
        let written = rows.iter().map(|row| row.clone().into_active_model().reset_all());
        entity::Entity::insert_many(written).exec_without_returning(self.connection()).await?;
        rows.into_iter().map(from_row).collect()
    }

    /// The hours that are taken, of these resources, from `since` on: (resource, dimension, hour).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_taken_slots(
        &self,
        subscription_ids: impl IntoIterator<Item = Uuid>,
        since: OffsetDateTime,
    ) -> Result<Vec<(Uuid, String, OffsetDateTime)>> {
        use entity::Column;
        let rows: Vec<(Uuid, String, i64)> = entity::Entity::find()
            .select_only()
            .columns([Column::SubscriptionId, Column::Dimension, Column::Hour])
            .filter(Column::SubscriptionId.is_in(subscription_ids).and(Column::Hour.gte(to_micros(since))))
            .into_tuple()
            .all(self.connection())
            .await?;
        Ok(rows.into_iter().map(|(id, dimension, hour)| (id, dimension, from_micros(hour))).collect())
    }

    /// Keeps what came of an attempt, and says for which events: those that are open, and still owned by the sender. Whoever
    /// was too slow may tell what is proven, but neither that it goes on, nor that it was certainly not accepted: whoever
    /// took over may have sent it, too.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settle_usage_events(&self, settled: Settled<'_>, now: OffsetDateTime) -> Result<Vec<Uuid>> {
        use entity::Column;
        if settled.answers.is_empty() {
            return Ok(Vec::new());
        }
        let row = entity::ActiveModel {
            state: Set(if settled.again_at.is_some() { OPEN } else { CLOSED }.to_owned()),
            owner: Set(None),
            in_doubt: Set(settled.in_doubt),
            next_attempt_at: Set(settled.again_at.map_or(0, to_micros)),
            answered_at: Set(Some(to_micros(now))),
            ..Default::default()
        };
        let mut these = Condition::all().add(Column::State.eq(OPEN));
        if !settled.is_proven {
            these = these.add(Column::Owner.eq(settled.owner));
        }
        let update = entity::Entity::update_many().set(row).col_expr(Column::LastAnswer, given::second()).filter(these);
        let answers = settled.answers.iter().map(|(id, answer)| (*id, *answer).into_value_tuple());
        let update = given::update_given(update, Column::Id, answers);
        let found: Vec<(Uuid,)> = given::exec_returning(self, update, [Column::Id]).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }
}

impl Store {
    /// Claims open events whose time for another attempt has come, those with the nearest deadline first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_usage_events(
        &self,
        (owner, until): (Uuid, OffsetDateTime),
        limit: u64,
        now: OffsetDateTime,
    ) -> Result<Vec<UsageEvent>> {
        use entity::Column;
        let due = || is_open().and(Column::NextAttemptAt.lte(to_micros(now)));
        let ids: Vec<Uuid> = entity::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(due())
            .order_by_asc(Column::EffectiveStart)
            .limit(limit)
            .into_tuple()
            .all(self.connection())
            .await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // Whoever had it and has not come back may have sent it.
        let lost = Expr::case(Expr::col(Column::Owner).is_not_null(), true).finally(Expr::col(Column::InDoubt));
        entity::Entity::update_many()
            .col_expr(Column::InDoubt, lost.into())
            .col_expr(Column::Owner, Expr::value(owner))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .col_expr(Column::NextAttemptAt, Expr::value(to_micros(until)))
            .filter(due().and(Column::Id.is_in(ids.iter().copied())))
            .exec(self.connection())
            .await?;
        let rows = entity::Entity::find()
            .filter(Column::Id.is_in(ids).and(Column::Owner.eq(owner)))
            .order_by_asc(Column::EffectiveStart)
            .all(self.connection())
            .await?;
        rows.into_iter().map(from_row).collect()
    }

    /// When the next open event is to be sent again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_next_attempt(&self) -> Result<Option<OffsetDateTime>> {
        use entity::Column;
        let at: Option<i64> = entity::Entity::find()
            .select_only()
            .column(Column::NextAttemptAt)
            .filter(is_open())
            .order_by_asc(Column::NextAttemptAt)
            .limit(1)
            .into_tuple()
            .one(self.connection())
            .await?;
        Ok(at.map(from_micros))
    }

    /// The events of these charges, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_usage_events(&self, subscription_id: Uuid) -> Result<Vec<UsageEvent>> {
        use entity::Column;
        let rows = entity::Entity::find()
            .filter(Column::SubscriptionId.eq(subscription_id))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .all(self.connection())
            .await?;
        rows.into_iter().map(from_row).collect()
    }
}

fn to_row(event: NewUsageEvent, (owner, until): (Uuid, OffsetDateTime), now: OffsetDateTime) -> entity::Model {
    entity::Model {
        id: new_id(now),
        charge_id: event.charge_id,
        subscription_id: event.subscription_id,
        dimension: event.dimension,
        hour: to_micros(event.slot.hour),
        effective_start: to_micros(event.slot.effective_start),
        quantity_millionths: event.quantity.millionths(),
        body: event.body,
        created_at: to_micros(now),
        state: OPEN.to_owned(),
        owner: Some(owner),
        in_doubt: false,
        attempts: 1,
        next_attempt_at: to_micros(until),
        answered_at: None,
        last_answer: None,
    }
}

pub(super) fn from_row(row: entity::Model) -> Result<UsageEvent> {
    let quantity = Quantity::from_millionths(row.quantity_millionths);
    let wrong = || StoreError::inconsistent(TABLE, "quantity_millionths", row.id, row.quantity_millionths);
    Ok(UsageEvent {
        id: row.id,
        charge_id: row.charge_id,
        subscription_id: row.subscription_id,
        dimension: row.dimension,
        slot: Slot { hour: from_micros(row.hour), effective_start: from_micros(row.effective_start) },
        quantity: quantity.ok_or_else(wrong)?,
        body: row.body,
        in_doubt: row.in_doubt,
        attempts: u32::try_from(row.attempts).unwrap_or(0),
    })
}
