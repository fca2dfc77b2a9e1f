//! What Microsoft has in a daily sum and no event of the ledger stands for: adopted after a restore, or acknowledged by a
//! person. Unique by (subscription, dimension, plan, day, cause); append-only.

use rust_decimal::Decimal;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{ExprTrait, OnConflict},
};
use time::{Date, OffsetDateTime, macros::format_description};
use uuid::Uuid;

use super::{Reader, Result, Store, StoreError, Tx};
use crate::{
    clock::{new_id, to_micros},
    domain::usage_sums::Place,
};

const TABLE: &str = "adopted_usage";

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "adopted_usage")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub subscription_id: Uuid,
        pub dimension: String,
        pub plan_id: String,
        pub day: String,
        pub quantity: String,
        pub cause: String,
        pub reason: String,
        pub created_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A part of a daily sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedUsage {
    /// The resource.
    pub subscription_id: Uuid,
    /// Dimension, plan and day.
    pub place: Place,
    /// How many units.
    pub quantity: Decimal,
    /// What makes it one and the same when it is adopted twice: the charge that it is, or the sum that was seen.
    pub cause: String,
    /// Why it is known, in words.
    pub reason: String,
}

impl Store {
    /// What was adopted for these resources, from a day on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_adopted_usage(&self, subscription_ids: &[Uuid], since: Date) -> Result<Vec<AdoptedUsage>> {
        list(self, subscription_ids, since).await
    }
}

impl Tx {
    /// The same, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_adopted_usage(&self, subscription_ids: &[Uuid], since: Date) -> Result<Vec<AdoptedUsage>> {
        list(self, subscription_ids, since).await
    }

    /// Adopts a part of a sum, once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn adopt_usage(&self, adopted: &AdoptedUsage, now: OffsetDateTime) -> Result<()> {
        use entity::Column;
        let row = entity::ActiveModel {
            id: Set(new_id(now)),
            subscription_id: Set(adopted.subscription_id),
            dimension: Set(adopted.place.dimension.clone()),
            plan_id: Set(adopted.place.plan_id.clone()),
            day: Set(adopted.place.day.to_string()),
            quantity: Set(adopted.quantity.to_string()),
            cause: Set(adopted.cause.clone()),
            reason: Set(adopted.reason.clone()),
            created_at: Set(to_micros(now)),
        };
        let key = [Column::SubscriptionId, Column::Dimension, Column::PlanId, Column::Day, Column::Cause];
        let once = OnConflict::columns(key).do_nothing().to_owned();
        entity::Entity::insert(row).on_conflict(once).exec_without_returning(self.connection()).await?;
        Ok(())
    }
}

async fn list(reader: &impl Reader, subscription_ids: &[Uuid], since: Date) -> Result<Vec<AdoptedUsage>> {
    use entity::Column;
    // Days are ISO text, which sorts.
    let these = Column::SubscriptionId.is_in(subscription_ids.iter().copied()).and(Column::Day.gte(since.to_string()));
    let rows = entity::Entity::find().filter(these).all(reader.connection()).await?;
    rows.into_iter().map(from_row).collect()
}

fn from_row(row: entity::Model) -> Result<AdoptedUsage> {
    let wrong = |column, what: &str| StoreError::inconsistent(TABLE, column, row.id, what);
    let day = Date::parse(&row.day, format_description!("[year]-[month]-[day]"));
    Ok(AdoptedUsage {
        subscription_id: row.subscription_id,
        quantity: row.quantity.parse().map_err(|_| wrong("quantity", &row.quantity))?,
        place: Place { day: day.map_err(|_| wrong("day", &row.day))?, dimension: row.dimension, plan_id: row.plan_id },
        cause: row.cause,
        reason: row.reason,
    })
}
