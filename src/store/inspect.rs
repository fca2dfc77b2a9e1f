//! The database as a check finds it: opened without making or changing anything.

use std::sync::Arc;

use sea_orm::{ConnectionTrait as _, Database, DatabaseBackend, Statement};
use secrecy::ExposeSecret as _;
use time::OffsetDateTime;

use super::{
    Access, BUSY_TIMEOUT, Reader as _, Result, Store, StoreError,
    patience::{Failures, Watched},
};
use crate::{clock::from_micros, meters};

/// A setting of the database that decides whether a commit outlives a power failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as the database's documentation has it.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Store {
    /// Opens a database for being looked at: a file that is missing is not made, and no setting of a file is changed.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`], [`StoreError::Refused`].
    pub async fn open(access: impl Into<Access>) -> Result<Self> {
        let access = access.into();
        let url = access.url.expose_secret();
        let sqlite = url.starts_with("sqlite:");
        let existing = match url.contains('?') {
            true => url.replace("mode=rwc", "mode=rw"),
            false if sqlite && !url.contains(":memory:") => format!("{url}?mode=rw"),
            false => url.to_owned(),
        };
        let mut options = access.options(existing).await?;
        options.max_connections(2).acquire_timeout(BUSY_TIMEOUT).connect_timeout(BUSY_TIMEOUT);
        if sqlite {
            options.map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(BUSY_TIMEOUT));
        }
        let db = Database::connect(options).await.map_err(StoreError::not_opened)?;
        let db = Watched::new(db, Arc::default(), Failures::default());
        Ok(Self { writer: db.clone(), db, begin_seconds: meters::seconds(), renewal: access.renewal() })
    }

    /// Whether it is PostgreSQL, with a host and a clock of its own.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.connection().get_database_backend() == DatabaseBackend::Postgres
    }

    /// Whether it takes writes. Where it does not, the connections that there are now are given up: the address may lead to
    /// another server by now.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] where it does not.
    pub async fn check_writable(&self) -> Result<()> {
        if !self.is_postgres() {
            return Ok(());
        }
        let rows = self.rows("SELECT current_setting('transaction_read_only') AS value").await?;
        let value: Option<String> = rows.first().map(|row| row.try_get("", "value")).transpose()?;
        if value.as_deref() == Some("on") {
            self.db.give_up();
            return Err(StoreError::ReadOnly("transaction_read_only is on".to_owned()));
        }
        Ok(())
    }

    /// Writes, and makes a table, in a transaction that is rolled back.
    ///
    /// # Errors
    /// [`StoreError`] says which right is missing.
    pub async fn try_rights(&self) -> Result<()> {
        let tx = self.begin().await?;
        tx.connection().execute_unprepared("UPDATE job SET state = state WHERE 1 = 0").await?;
        tx.connection().execute_unprepared("CREATE TABLE seatkey_doctor (id BIGINT NOT NULL)").await?;
        Ok(())
    }

    /// The settings that decide whether a commit is durable.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_durability(&self) -> Result<Vec<Setting>> {
        let sql = if self.is_postgres() {
            "SELECT name, setting AS value FROM pg_settings \
             WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes') ORDER BY name"
        } else {
            "SELECT 'journal_mode' AS name, journal_mode AS value FROM pragma_journal_mode"
        };
        let rows = self.rows(sql).await?;
        let setting = |row: &sea_orm::QueryResult| {
            Ok::<_, sea_orm::DbErr>(Setting { name: row.try_get("", "name")?, value: row.try_get("", "value")? })
        };
        Ok(rows.iter().map(setting).collect::<std::result::Result<_, _>>()?)
    }

    /// What time it is where the database runs, for a comparison with ours and for nothing else; `None` where that is this
    /// machine.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_database_time(&self) -> Result<Option<OffsetDateTime>> {
        if !self.is_postgres() {
            return Ok(None);
        }
        let rows = self.rows("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS at").await?;
        let micros: Option<i64> = rows.first().map(|row| row.try_get("", "at")).transpose()?;
        Ok(micros.map(from_micros))
    }

    async fn rows(&self, sql: &str) -> Result<Vec<sea_orm::QueryResult>> {
        let statement = Statement::from_string(self.connection().get_database_backend(), sql);
        self.admitted(|| self.connection().query_all_raw(statement.clone())).await
    }
}
