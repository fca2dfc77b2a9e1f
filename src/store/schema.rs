//! Whether the schema is the one that this program needs.

use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::MigratorTrait as _;

use super::{Result, Store, StoreError};

impl Store {
    /// The migrations of this program that the database does not have. A newer database has all of them, and more: it is
    /// used by two versions side by side.
    ///
    /// # Errors
    /// [`StoreError`], also where there is no schema at all.
    pub async fn list_missing_migrations(&self) -> Result<Vec<String>> {
        let sql = "SELECT version FROM seaql_migrations";
        let rows = self.db.query_all_raw(Statement::from_string(self.db.get_database_backend(), sql)).await?;
        let done = rows.iter().map(|row| row.try_get("", "version")).collect::<std::result::Result<Vec<String>, _>>();
        let done = done.map_err(StoreError::from)?;
        let needed = seatkey_migrations::Migrator::migrations().into_iter().map(|one| one.name().to_owned());
        Ok(needed.filter(|name| !done.contains(name)).collect())
    }
}
