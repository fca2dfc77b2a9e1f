//! What can go wrong with a database, in the words of those who have to decide what to do.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row that must be there is not.
    #[error("{table} {id} does not exist")]
    NotFound {
        /// The table.
        table: &'static str,
        /// The key.
        id: String,
    },
    /// Somebody else was faster: the row's version has moved, or the unique key is taken.
    #[error("somebody else changed {0} at the same time")]
    Conflict(&'static str),
    /// The database is locked or overloaded; trying again can help.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// A stored value that this version cannot have written.
    #[error("the column {column} of {table} {row} holds what it must not: {what}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What was found.
        what: String,
    },
    /// Everything else.
    #[error("the database refused: {0}")]
    Database(String),
}

impl StoreError {
    /// Whether the same call can succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            // A statement can also fail because a server is failing over; the library does not tell these apart.
            Self::Conflict(_) | Self::Busy(_) | Self::Unreachable(_) | Self::Database(_) => true,
            Self::NotFound { .. } | Self::Inconsistent { .. } => false,
        }
    }

    /// The database did not open. The address may hold a password and is left out.
    #[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
    pub(super) fn unreachable(error: DbErr) -> Self {
        Self::Unreachable(error.to_string())
    }

    pub(super) fn inconsistent(
        table: &'static str,
        column: &'static str,
        row: impl std::fmt::Display,
        what: impl std::fmt::Display,
    ) -> Self {
        Self::Inconsistent { table, column, row: row.to_string(), what: what.to_string() }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
            return Self::Conflict("a row with a unique key");
        }
        let text = error.to_string();
        match &error {
            DbErr::ConnectionAcquire(_) => Self::Busy(text),
            DbErr::Conn(RuntimeErr::SqlxError(_)) => Self::Unreachable(text),
            _ if text.contains("database is locked") || text.contains("deadlock detected") => Self::Busy(text),
            _ => Self::Database(text),
        }
    }
}
