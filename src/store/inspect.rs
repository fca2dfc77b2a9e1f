//! The database as a check finds it: opened without making or changing anything.

use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseBackend, Statement};
use time::OffsetDateTime;

use super::{BUSY_TIMEOUT, Reader as _, Result, Store, StoreError};
use crate::{
    clock::{from_micros, to_micros},
    meters,
};

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
    /// [`StoreError::Unreachable`].
    pub async fn open(url: &str) -> Result<Self> {
        let sqlite = url.starts_with("sqlite:");
        let existing = match url.contains('?') {
            true => url.replace("mode=rwc", "mode=rw"),
            false if sqlite && !url.contains(":memory:") => format!("{url}?mode=rw"),
            false => url.to_owned(),
        };
        let mut options = ConnectOptions::new(existing);
        options.max_connections(2).sqlx_logging(false).acquire_timeout(BUSY_TIMEOUT).connect_timeout(BUSY_TIMEOUT);
        if sqlite {
            options.map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(BUSY_TIMEOUT));
        }
        let db = Database::connect(options).await.map_err(StoreError::unreachable)?;
        Ok(Self { writer: db.clone(), db, begin_seconds: meters::seconds() })
    }

    /// Whether it is PostgreSQL, with a host and a clock of its own.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.connection().get_database_backend() == DatabaseBackend::Postgres
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

    /// Since when the oldest job waits that nobody works on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_oldest_due_job(&self, now: OffsetDateTime) -> Result<Option<OffsetDateTime>> {
        let sql = "SELECT MIN(run_at) AS oldest FROM job WHERE state = 'ready' AND run_at <= $1 AND lease_until <= $1";
        let statement =
            Statement::from_sql_and_values(self.connection().get_database_backend(), sql, [to_micros(now).into()]);
        let row = self.connection().query_one_raw(statement).await?;
        let oldest: Option<i64> = row.map(|row| row.try_get("", "oldest")).transpose()?.flatten();
        Ok(oldest.map(from_micros))
    }

    async fn rows(&self, sql: &str) -> Result<Vec<sea_orm::QueryResult>> {
        let statement = Statement::from_string(self.connection().get_database_backend(), sql);
        Ok(self.connection().query_all_raw(statement).await?)
    }
}
