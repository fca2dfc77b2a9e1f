//! The schema: brought up to date by one process at a time, all or nothing, and never used by a program that is older.

use sea_orm::{ConnectionTrait as _, DbErr, EntityTrait, QueryOrder, QuerySelect, sea_query::LockType};
use sea_orm_migration::{MigratorTrait as _, SchemaManager, seaql_migrations};
use seatkey_migrations::Migrator;

use super::{Reader as _, Result, Store, StoreError, seal, search_old};

/// Two processes that make the table of the lock at the same moment can get in each other's way.
const TRIES: u32 = 5;

/// One row that whoever migrates holds.
mod lock {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "schema_lock")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl Store {
    /// Brings the schema up to date. Of several processes that start at once one does it, and the others wait for it. All steps
    /// are one transaction: a process that dies in it leaves the schema as it was. Rows from before there was a hash chain or
    /// a search get their place in it, once.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where a newer program has migrated; [`StoreError`] when a step fails, and nothing is changed then.
    pub async fn migrate(&self) -> Result<()> {
        if !self.list_missing_steps().await?.is_empty() {
            self.make_lock().await?;
            let tx = self.with_crash_points().begin().await?;
            let row = lock::Entity::find_by_id(1).lock(LockType::Update).one(tx.connection()).await?;
            row.ok_or_else(|| StoreError::NotFound { table: "schema_lock", id: "1".to_owned() })?;
            // Whoever had the lock before may have done it; then nothing is missing any more.
            Migrator::up(tx.tx.inner(), None).await?;
            tx.tx.commit().await?;
        }
        seal::seal_old_rows(self).await?;
        search_old::write_old_terms(self).await
    }

    /// The steps that this program knows and the database has not gone yet, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Newer`] where the database has gone steps that this program does not know.
    pub async fn list_missing_steps(&self) -> Result<Vec<String>> {
        let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
        let manager = SchemaManager::new(self.db.inner());
        if !self.admitted(|| manager.has_table("seaql_migrations")).await? {
            return Ok(known);
        }
        use seaql_migrations::{Column, Entity};
        let applied = Entity::find().select_only().column(Column::Version).order_by_asc(Column::Version);
        let applied: Vec<String> = applied.into_tuple().all(&self.db).await?;
        if let Some(newer) = applied.iter().rfind(|version| !known.contains(version)) {
            return Err(StoreError::Newer(newer.clone()));
        }
        Ok(known.into_iter().filter(|name| !applied.contains(name)).collect())
    }

    /// In a build for tests the process may be killed behind each statement.
    #[cfg(feature = "crash-points")]
    fn with_crash_points(&self) -> Self {
        let mut store = self.clone();
        store.writer.inner_mut().set_metric_callback(|_| crate::crash::statement_point());
        store
    }

    #[cfg(not(feature = "crash-points"))]
    fn with_crash_points(&self) -> &Self {
        self
    }

    async fn make_lock(&self) -> Result<()> {
        for _ in 1..TRIES {
            if self.try_make_lock().await.is_ok() {
                return Ok(());
            }
        }
        Ok(self.try_make_lock().await?)
    }

    async fn try_make_lock(&self) -> std::result::Result<(), DbErr> {
        let make = "CREATE TABLE IF NOT EXISTS schema_lock (id INTEGER NOT NULL PRIMARY KEY)";
        self.writer.execute_unprepared(make).await?;
        let fill = "INSERT INTO schema_lock (id) VALUES (1) ON CONFLICT DO NOTHING";
        self.writer.execute_unprepared(fill).await?;
        Ok(())
    }
}
