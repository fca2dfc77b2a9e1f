//! What the reporter knows about itself, in one row: whether it is locked, which day it has compared with Microsoft, when it
//! last succeeded.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::OnConflict,
};
use time::{Date, OffsetDateTime, macros::format_description};

use super::{Reader, Result, Store, StoreError, Tx};
use crate::clock::{from_micros, to_micros};

const TABLE: &str = "reporter";
const ONLY_ROW: i32 = 1;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reporter")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub locked_at: Option<i64>,
        pub lock_reason: Option<String>,
        pub confirmed_day: Option<String>,
        pub checked_at: Option<i64>,
        pub reconciled_at: Option<i64>,
        pub last_success_at: Option<i64>,
        pub digested_at: Option<i64>,
        pub chain_sealed: bool,
        pub restored_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The reporter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reporter {
    /// Since when nothing is reported, and why.
    pub lock: Option<(OffsetDateTime, String)>,
    /// The last day on which Microsoft's sums and the ledger were seen to agree.
    pub confirmed_day: Option<Date>,
    /// When it was last looked whether Microsoft has what the ledger does not know.
    pub checked_at: Option<OffsetDateTime>,
    /// When everything was last compared.
    pub reconciled_at: Option<OffsetDateTime>,
    /// When Microsoft last accepted something, or there was nothing to report.
    pub last_success_at: Option<OffsetDateTime>,
    /// When the heads of all chains were last written down.
    pub digested_at: Option<OffsetDateTime>,
    /// When a restored database was last taken into use.
    pub restored_at: Option<OffsetDateTime>,
}

async fn get(reader: &impl Reader) -> Result<Reporter> {
    let row = entity::Entity::find_by_id(ONLY_ROW).one(reader.connection()).await?.unwrap_or_default();
    let day = |text: &String| {
        let parsed = Date::parse(text, format_description!("[year]-[month]-[day]"));
        parsed.map_err(|_| StoreError::inconsistent(TABLE, "confirmed_day", ONLY_ROW, text))
    };
    Ok(Reporter {
        lock: row.locked_at.map(|at| (from_micros(at), row.lock_reason.unwrap_or_default())),
        confirmed_day: row.confirmed_day.as_ref().map(day).transpose()?,
        checked_at: row.checked_at.map(from_micros),
        reconciled_at: row.reconciled_at.map(from_micros),
        last_success_at: row.last_success_at.map(from_micros),
        digested_at: row.digested_at.map(from_micros),
        restored_at: row.restored_at.map(from_micros),
    })
}

/// Whether rows from before there was a hash chain have their place in it.
pub(super) async fn is_sealed(store: &Store) -> Result<bool> {
    let row = entity::Entity::find_by_id(ONLY_ROW).one(store.connection()).await?;
    Ok(row.is_some_and(|row| row.chain_sealed))
}

impl Store {
    /// How it stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_reporter(&self) -> Result<Reporter> {
        get(self).await
    }
}

impl Tx {
    /// How it stands, as this transaction sees it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn get_reporter(&self) -> Result<Reporter> {
        get(self).await
    }

    /// Locks it: nothing is reported any more. A lock that is there already keeps its time and reason.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_reporter(&self, reason: &str, now: OffsetDateTime) -> Result<()> {
        self.make_row().await?;
        let row = entity::ActiveModel {
            locked_at: Set(Some(to_micros(now))),
            lock_reason: Set(Some(reason.to_owned())),
            ..Default::default()
        };
        let free = entity::Entity::update_many().set(row).filter(entity::Column::LockedAt.is_null());
        free.exec(self.connection()).await?;
        Ok(())
    }

    /// Unlocks it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unlock_reporter(&self) -> Result<()> {
        let row = entity::ActiveModel { locked_at: Set(None), lock_reason: Set(None), ..Default::default() };
        entity::Entity::update_many().set(row).exec(self.connection()).await?;
        Ok(())
    }

    /// Notes times; what is `None` stays as it is. The lock is not touched.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_reporter(&self, noted: &Reporter) -> Result<()> {
        self.make_row().await?;
        let set = |at: Option<OffsetDateTime>| at.map_or(NotSet, |at| Set(Some(to_micros(at))));
        let row = entity::ActiveModel {
            // An update has to have something to set.
            id: Set(ONLY_ROW),
            confirmed_day: noted.confirmed_day.map_or(NotSet, |day| Set(Some(day.to_string()))),
            checked_at: set(noted.checked_at),
            reconciled_at: set(noted.reconciled_at),
            last_success_at: set(noted.last_success_at),
            digested_at: set(noted.digested_at),
            restored_at: set(noted.restored_at),
            ..Default::default()
        };
        let this = entity::Column::Id.eq(ONLY_ROW);
        entity::Entity::update_many().set(row).filter(this).exec(self.connection()).await?;
        Ok(())
    }

    /// Notes that rows from before there was a hash chain have their place in it.
    pub(super) async fn note_sealed(&self) -> Result<()> {
        self.make_row().await?;
        let row = entity::ActiveModel { chain_sealed: Set(true), ..Default::default() };
        entity::Entity::update_many().set(row).exec(self.connection()).await?;
        Ok(())
    }

    async fn make_row(&self) -> Result<()> {
        let row = entity::ActiveModel { id: Set(ONLY_ROW), ..Default::default() };
        let once = OnConflict::column(entity::Column::Id).do_nothing().to_owned();
        entity::Entity::insert(row).on_conflict(once).exec_without_returning(self.connection()).await?;
        Ok(())
    }
}
