//! What can go wrong with a database, in the words of those who have to decide what to do.

use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};

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
    /// A newer program has migrated; the name of its last step.
    #[error(
        "a newer Seatkey has brought the database up to date (this one does not know \"{0}\"): run that version, or a newer one"
    )]
    Newer(String),
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
            // What a statement is refused for may pass as well: a full disk, a lock of somebody else.
            Self::Conflict(_) | Self::Busy(_) | Self::Unreachable(_) | Self::Database(_) => true,
            Self::NotFound { .. } | Self::Newer(_) | Self::Inconsistent { .. } => false,
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
            DbErr::Conn(RuntimeErr::SqlxError(error))
            | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error)) => Self::of_driver(error, text),
            DbErr::Conn(_) => Self::Unreachable(text),
            _ => Self::Database(text),
        }
    }
}

impl StoreError {
    /// Tells a server that is away, full or standing by from one that refuses a statement.
    fn of_driver(error: &SqlxError, text: String) -> Self {
        match error {
            SqlxError::PoolTimedOut => Self::Busy(text),
            SqlxError::Io(_)
            | SqlxError::Tls(_)
            | SqlxError::Protocol(_)
            | SqlxError::PoolClosed
            | SqlxError::WorkerCrashed => Self::Unreachable(text),
            SqlxError::Database(refused) => match refused.code().as_deref().map(of_code) {
                Some(Some(Outage::Busy)) => Self::Busy(text),
                Some(Some(Outage::Away)) => Self::Unreachable(text),
                _ => Self::Database(text),
            },
            _ => Self::Database(text),
        }
    }
}

enum Outage {
    /// It is there, and has too much to do.
    Busy,
    /// It is not there, or not the one that takes writes.
    Away,
}

/// PostgreSQL's five characters, by its appendix of error codes; SQLite's numbers, whose last byte is the kind.
fn of_code(code: &str) -> Option<Outage> {
    const SQLITE_BUSY: u32 = 5;
    const SQLITE_LOCKED: u32 = 6;
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => return Some(Outage::Busy),
        // read_only_sql_transaction: a standby that was not promoted yet
        "25006" => return Some(Outage::Away),
        _ => {}
    }
    match code.get(..2) {
        // insufficient_resources: too many connections, no memory, a full disk
        Some("53") if code.len() == 5 => Some(Outage::Busy),
        // connection_exception; operator_intervention: it stops, starts, or was told to cancel
        Some("08" | "57") if code.len() == 5 => Some(Outage::Away),
        _ => match code.parse::<u32>().ok().map(|number| number & 0xff) {
            Some(SQLITE_BUSY | SQLITE_LOCKED) if code.len() < 5 => Some(Outage::Busy),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases() {
        let table = [
            ("08006", "away"),
            ("57P01", "away"),
            ("57P03", "away"),
            ("25006", "away"),
            ("53300", "busy"),
            ("40001", "busy"),
            ("40P01", "busy"),
            ("5", "busy"),
            ("517", "busy"),
            ("6", "busy"),
            ("262", "busy"),
            // A broken rule, a missing table, a full SQLite disk, a read-only file.
            ("23514", "refused"),
            ("42P01", "refused"),
            ("13", "refused"),
            ("8", "refused"),
        ];
        for (code, expected) in table {
            let told = match of_code(code) {
                Some(Outage::Busy) => "busy",
                Some(Outage::Away) => "away",
                None => "refused",
            };
            assert_eq!(told, expected, "{code}");
        }
    }
}
