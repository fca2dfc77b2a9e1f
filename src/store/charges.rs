//! The ledger of charges. Unique by (subscription, reason, term start, dimension): a step that runs twice writes once.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{from_micros, new_id, to_micros},
    domain::{
        money::{Amount, Quantity, UnitPrice},
        pricing::Line,
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
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A charge that is about to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewCharge<'a> {
    /// The subscription.
    pub subscription_id: Uuid,
    /// The frozen quote that it points at.
    pub quote_id: Uuid,
    /// Why it exists: `enrolment`.
    pub reason: &'a str,
    /// The first day of the term that it is for.
    pub term_start: Date,
    /// Its place among the lines of its cause.
    pub position: usize,
    /// Dimension, quantity, price and amount.
    pub line: &'a Line,
    /// The time from which it may be reported.
    pub reportable_from: OffsetDateTime,
}

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its id.
    pub id: Uuid,
    /// Why it exists.
    pub reason: String,
    /// What it is for, in the words of the invoice.
    pub description: String,
    /// What it is reported in.
    pub dimension: String,
    /// How much of it.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: UnitPrice,
    /// Quantity × price.
    pub amount: Amount,
    /// The time from which it may be reported.
    pub reportable_from: OffsetDateTime,
    /// Where it stands: `held`.
    pub state: String,
}

impl Store {
    /// The ledger of a subscription, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_charges(&self, subscription_id: Uuid) -> Result<Vec<Charge>> {
        let rows = entity::Entity::find()
            .filter(entity::Column::SubscriptionId.eq(subscription_id))
            .order_by_asc(entity::Column::CreatedAt)
            .order_by_asc(entity::Column::Position)
            .all(self.connection())
            .await?;
        rows.into_iter().map(from_row).collect()
    }
}

impl Tx {
    /// Writes a held charge.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it has been written before.
    pub async fn insert_charge(&self, charge: NewCharge<'_>, now: OffsetDateTime) -> Result<()> {
        let line = charge.line;
        let row = entity::ActiveModel {
            id: Set(new_id(now)),
            subscription_id: Set(charge.subscription_id),
            quote_id: Set(charge.quote_id),
            reason: Set(charge.reason.to_owned()),
            term_start: Set(charge.term_start.to_string()),
            position: Set(i32::try_from(charge.position).unwrap_or(i32::MAX)),
            description: Set(line.item.description()),
            dimension: Set(line.dimension.to_string()),
            quantity_millionths: Set(line.quantity.millionths()),
            unit_price: Set(line.unit_price.to_string()),
            amount_minor: Set(line.amount.minor),
            currency: Set(line.amount.currency.code().to_owned()),
            reportable_from: Set(to_micros(charge.reportable_from)),
            state: Set("held".to_owned()),
            created_at: Set(to_micros(now)),
        };
        entity::Entity::insert(row).exec_without_returning(self.connection()).await?;
        Ok(())
    }
}

fn from_row(row: entity::Model) -> Result<Charge> {
    let wrong = |column, what: &dyn std::fmt::Display| StoreError::inconsistent(TABLE, column, row.id, what);
    let currency = row.currency.parse().map_err(|error| wrong("currency", &error))?;
    Ok(Charge {
        id: row.id,
        quantity: Quantity::from_millionths(row.quantity_millionths)
            .ok_or_else(|| wrong("quantity_millionths", &row.quantity_millionths))?,
        unit_price: row.unit_price.parse().map_err(|error| wrong("unit_price", &error))?,
        amount: Amount { minor: row.amount_minor, currency },
        reportable_from: from_micros(row.reportable_from),
        reason: row.reason,
        description: row.description,
        dimension: row.dimension,
        state: row.state,
    })
}
