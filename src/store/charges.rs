//! The ledger of charges. Unique by (subscription, reason, term start, dimension, cause): a step that runs twice writes
//! once. A charge never changes but in its state, and every state is kept.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::ExprTrait};
use time::{Date, OffsetDateTime, macros::format_description};
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{from_micros, new_id, to_micros},
    domain::{
        charge::{Charge, Reason, State},
        money::{Amount, Quantity},
        pricing::{Item, Line},
        proration::Part,
    },
};

const TABLE: &str = "charge";

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "charge")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub quote_id: Uuid,
        pub reason: String,
        pub term_start: String,
        pub position: i32,
        pub description: String,
        pub dimension: String,
        pub quantity_millionths: i64,
        pub unit_price: String,
        pub amount_minor: i64,
        pub currency: String,
        pub reportable_from: i64,
        pub state: String,
        pub created_at: i64,
        pub users: Option<i32>,
        pub from_users: Option<i32>,
        pub part_days: Option<i32>,
        pub part_of_days: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod history {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "charge_history")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub charge_id: Uuid,
        pub state: String,
        pub reason: String,
        pub at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Charges that are about to be written, with one cause.
#[derive(Debug, Clone, Copy)]
pub struct NewCharges<'a> {
    /// The subscription.
    pub subscription_id: Uuid,
    /// The frozen quote or change that they point at.
    pub cause_id: Uuid,
    /// Why they exist.
    pub reason: Reason,
    /// The first day of the term that they are for.
    pub term_start: Date,
    /// Dimension, quantity, price and amount of each.
    pub lines: &'a [Line],
    /// The part of the term; extras are never prorated.
    pub part: Part,
    /// Users in total that they pay for.
    pub users: Option<u32>,
    /// Users before, of an upgrade.
    pub from_users: Option<u32>,
    /// The time from which they may be reported.
    pub reportable_from: OffsetDateTime,
    /// Held or due.
    pub state: State,
}

async fn list(reader: &impl Reader, subscription_id: Uuid) -> Result<Vec<Charge>> {
    let rows = entity::Entity::find()
        .filter(entity::Column::SubscriptionId.eq(subscription_id))
        .order_by_asc(entity::Column::CreatedAt)
        .order_by_asc(entity::Column::Position)
        .order_by_asc(entity::Column::Id)
        .all(reader.connection())
        .await?;
    rows.into_iter().map(from_row).collect()
}

impl Store {
    /// The ledger of a subscription, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_charges(&self, subscription_id: Uuid) -> Result<Vec<Charge>> {
        list(self, subscription_id).await
    }
}

impl Tx {
    /// The ledger of a subscription, oldest first, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_charges(&self, subscription_id: Uuid) -> Result<Vec<Charge>> {
        list(self, subscription_id).await
    }

    /// Writes charges.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when they have been written before.
    pub async fn insert_charges(&self, new: NewCharges<'_>, now: OffsetDateTime) -> Result<()> {
        let rows: Vec<entity::ActiveModel> =
            new.lines.iter().enumerate().map(|(position, line)| to_row(&new, position, line, now)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let written = rows.iter().map(|row| history_row(*row.id.as_ref(), new.state, new.reason.as_str(), now));
        let written: Vec<history::ActiveModel> = written.collect();
        entity::Entity::insert_many(rows).exec_without_returning(self.connection()).await?;
        history::Entity::insert_many(written).exec_without_returning(self.connection()).await?;
        Ok(())
    }

    /// Moves charges from one state to another; those that are in a third state by now stay there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_charges(
        &self,
        ids: &[Uuid],
        (from, to): (State, State),
        reason: &str,
        now: OffsetDateTime,
    ) -> Result<()> {
        for id in ids {
            let row = entity::ActiveModel { state: Set(to.as_str().to_owned()), ..Default::default() };
            let this = entity::Column::Id.eq(*id).and(entity::Column::State.eq(from.as_str()));
            let moved = entity::Entity::update_many().set(row).filter(this).exec(self.connection()).await?;
            if moved.rows_affected == 1 {
                let step = history_row(*id, to, reason, now);
                history::Entity::insert(step).exec_without_returning(self.connection()).await?;
            }
        }
        Ok(())
    }
}

fn to_row(new: &NewCharges<'_>, position: usize, line: &Line, now: OffsetDateTime) -> entity::ActiveModel {
    let part = (!matches!(line.item, Item::Extra { .. })).then_some(new.part);
    let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    entity::ActiveModel {
        id: Set(new_id(now)),
        subscription_id: Set(new.subscription_id),
        quote_id: Set(new.cause_id),
        reason: Set(new.reason.as_str().to_owned()),
        term_start: Set(new.term_start.to_string()),
        position: Set(i32::try_from(position).unwrap_or(i32::MAX)),
        description: Set(line.item.description()),
        dimension: Set(line.dimension.to_string()),
        quantity_millionths: Set(line.quantity.millionths()),
        unit_price: Set(line.unit_price.to_string()),
        amount_minor: Set(line.amount.minor),
        currency: Set(line.amount.currency.code().to_owned()),
        reportable_from: Set(to_micros(new.reportable_from)),
        state: Set(new.state.as_str().to_owned()),
        created_at: Set(to_micros(now)),
        users: Set(new.users.map(small)),
        from_users: Set(new.from_users.map(small)),
        part_days: Set(part.map(|part| small(part.days))),
        part_of_days: Set(part.map(|part| small(part.of_days))),
    }
}

fn history_row(charge_id: Uuid, state: State, reason: &str, now: OffsetDateTime) -> history::ActiveModel {
    history::ActiveModel {
        id: Set(new_id(now)),
        charge_id: Set(charge_id),
        state: Set(state.as_str().to_owned()),
        reason: Set(reason.to_owned()),
        at: Set(to_micros(now)),
    }
}

fn from_row(row: entity::Model) -> Result<Charge> {
    let wrong = |column, what: &dyn std::fmt::Display| StoreError::inconsistent(TABLE, column, row.id, what);
    let currency = row.currency.parse().map_err(|error| wrong("currency", &error))?;
    let count = |column, value: Option<i32>| {
        value.map(|value| u32::try_from(value).map_err(|_| wrong(column, &value))).transpose()
    };
    let part = count("part_days", row.part_days)?.zip(count("part_of_days", row.part_of_days)?);
    Ok(Charge {
        id: row.id,
        cause_id: row.quote_id,
        reason: Reason::from_word(&row.reason).ok_or_else(|| wrong("reason", &row.reason))?,
        term_start: Date::parse(&row.term_start, format_description!("[year]-[month]-[day]"))
            .map_err(|_| wrong("term_start", &row.term_start))?,
        quantity: Quantity::from_millionths(row.quantity_millionths)
            .ok_or_else(|| wrong("quantity_millionths", &row.quantity_millionths))?,
        unit_price: row.unit_price.parse().map_err(|error| wrong("unit_price", &error))?,
        amount: Amount { minor: row.amount_minor, currency },
        reportable_from: from_micros(row.reportable_from),
        users: count("users", row.users)?,
        from_users: count("from_users", row.from_users)?,
        part: part.map(|(days, of_days)| Part { days, of_days }),
        state: State::from_word(&row.state).ok_or_else(|| wrong("state", &row.state))?,
        description: row.description,
        dimension: row.dimension,
    })
}
