//! How far the comparison of everything with Microsoft is. One row: whoever claims the job goes on where the last one was.

use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use time::OffsetDateTime;

use super::{Reader, Result, Store};
use crate::clock::{from_micros, to_micros};

const ONLY_ROW: i32 = 1;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sweep")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub continuation: Option<String>,
        pub started_at: Option<i64>,
        pub finished_at: Option<i64>,
        pub seen: i64,
        pub changed: i64,
        pub failed: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A comparison of everything with Microsoft.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sweep {
    /// The token of the next page; `None` = from the beginning.
    pub continuation: Option<String>,
    /// When it began; `None` = none is under way.
    pub started_at: Option<OffsetDateTime>,
    /// When the last one came to its end.
    pub finished_at: Option<OffsetDateTime>,
    /// Subscriptions in the listing.
    pub seen: u32,
    /// Those that differed and were brought to where Microsoft is.
    pub changed: u32,
    /// Those that could not be compared this time.
    pub failed: u32,
}

impl Store {
    /// How far it is.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn get_sweep(&self) -> Result<Sweep> {
        let row = entity::Entity::find_by_id(ONLY_ROW).one(self.connection()).await?;
        let count = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
        Ok(row.map_or_else(Sweep::default, |row| Sweep {
            continuation: row.continuation,
            started_at: row.started_at.map(from_micros),
            finished_at: row.finished_at.map(from_micros),
            seen: count(row.seen),
            changed: count(row.changed),
            failed: count(row.failed),
        }))
    }

    /// Keeps how far it is.
    ///
    /// # Errors
    /// [`StoreError`](super::StoreError).
    pub async fn record_sweep(&self, sweep: &Sweep) -> Result<()> {
        use entity::Column;
        let row = entity::ActiveModel {
            id: Set(ONLY_ROW),
            continuation: Set(sweep.continuation.clone()),
            started_at: Set(sweep.started_at.map(to_micros)),
            finished_at: Set(sweep.finished_at.map(to_micros)),
            seen: Set(sweep.seen.into()),
            changed: Set(sweep.changed.into()),
            failed: Set(sweep.failed.into()),
        };
        let columns = [
            Column::Continuation,
            Column::StartedAt,
            Column::FinishedAt,
            Column::Seen,
            Column::Changed,
            Column::Failed,
        ];
        let anew = OnConflict::column(Column::Id).update_columns(columns).to_owned();
        entity::Entity::insert(row).on_conflict(anew).exec_without_returning(self.connection()).await?;
        Ok(())
    }
}
