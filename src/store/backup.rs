//! A copy of a SQLite database in one state, made while others write.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};

use secrecy::ExposeSecret as _;

use super::{Access, Result, Store, StoreError};

/// So many findings of SQLite's own check are told.
const MOST_FINDINGS: usize = 20;

impl Store {
    /// Opens a database that is there already: a missing SQLite file is an error, not a new database.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when it cannot be opened, [`StoreError::Refused`] when it does not let us in.
    pub async fn connect_existing(access: impl Into<Access>) -> Result<Self> {
        let access = access.into();
        let url = access.url.expose_secret();
        let sqlite = url.starts_with("sqlite:") && !url.contains('?');
        if sqlite { Self::connect(&format!("{url}?mode=rw")).await } else { Self::connect(access).await }
    }

    /// The same, with the path of a SQLite file.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`].
    pub async fn connect_file(file: &Path) -> Result<Self> {
        let path = percent_encoding::utf8_percent_encode(name_of(file)?, percent_encoding::NON_ALPHANUMERIC);
        Self::connect_existing(&format!("sqlite://{path}")).await
    }

    /// The file of a SQLite database; `None` = it is in memory, or not SQLite.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_file(&self) -> Result<Option<PathBuf>> {
        if self.db.get_database_backend() != DatabaseBackend::Sqlite {
            return Ok(None);
        }
        let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let row = self.db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sql)).await?;
        let file: Option<String> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(file.filter(|file| !file.is_empty()).map(PathBuf::from))
    }

    /// The size of a SQLite database with everything that is committed, in bytes: a copy is no larger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_bytes(&self) -> Result<u64> {
        let sql = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        let row = self.db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sql)).await?;
        let bytes: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or(0))
    }

    /// Writes a copy of a SQLite database, as it stands when it begins, into a file that is missing or empty. It runs as a
    /// reader: writers go on meanwhile. SQLite does not flush the copy; that is up to the caller.
    ///
    /// # Errors
    /// [`StoreError`]; the file is then of no use.
    pub async fn copy_into(&self, file: &Path) -> Result<()> {
        let name = name_of(file)?.into();
        let statement = Statement::from_sql_and_values(DatabaseBackend::Sqlite, "VACUUM INTO ?", [name]);
        Ok(self.db.execute_raw(statement).await.map(drop)?)
    }

    /// What SQLite finds wrong with its own file and with references between rows; empty when all is well.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_damage(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for sql in [
            "SELECT integrity_check FROM pragma_integrity_check() WHERE integrity_check <> 'ok'",
            "SELECT 'a row of ' || \"table\" || ' refers to one that is missing' FROM pragma_foreign_key_check()",
        ] {
            let statement = Statement::from_string(DatabaseBackend::Sqlite, sql);
            for row in self.db.query_all_raw(statement).await?.into_iter().take(MOST_FINDINGS) {
                found.push(row.try_get_by_index::<String>(0)?);
            }
        }
        Ok(found)
    }
}

fn name_of(file: &Path) -> Result<&str> {
    file.to_str().ok_or_else(|| StoreError::Unreachable("the name of the file is not UTF-8".to_owned()))
}
