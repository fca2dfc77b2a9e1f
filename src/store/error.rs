//! What can go wrong with a database, in the words of those who have to decide what to do.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlErr, SqlxError};

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
    /// The database takes no writes: a standby that was not promoted yet, or one that was told so.
    #[error("the database is read-only: {0}")]
    ReadOnly(String),
    /// The server is there and does not let us in: a wrong password, a token that it does not take, an unknown user.
    #[error("the database refuses our credential: {0}")]
    Refused(String),
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
            Self::Conflict(_)
            | Self::Busy(_)
            | Self::Unreachable(_)
            | Self::ReadOnly(_)
            | Self::Refused(_)
            | Self::Database(_) => true,
            Self::NotFound { .. } | Self::Newer(_) | Self::Inconsistent { .. } => false,
        }
    }

    /// Whether it is the database that is not to be had, whatever was asked for.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Unreachable(_) | Self::ReadOnly(_) | Self::Refused(_))
    }

    /// The database did not open. The address may hold a password and is left out.
    pub(super) fn not_opened(error: DbErr) -> Self {
        let text = error.to_string();
        match Self::from(error) {
            refused @ Self::Refused(_) => refused,
            _ => Self::Unreachable(text),
        }
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
        match outage_of(&error) {
            Some(Outage::InUse) => Self::Busy("all connections of this process are in use".to_owned()),
            Some(Outage::Locked | Outage::Full) => Self::Busy(text),
            Some(Outage::Away) => Self::Unreachable(text),
            Some(Outage::ReadOnly) => Self::ReadOnly(text),
            Some(Outage::Shut) => Self::Refused(words_of(&error).unwrap_or(text)),
            None => Self::Database(text),
        }
    }
}

/// What stands in the way of every statement, not only of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outage {
    /// Others work on the same rows.
    Locked,
    /// The server is there, and takes no more connections, or has no room.
    Full,
    /// The connections of this process are all in use.
    InUse,
    /// It is not there.
    Away,
    /// It is there, and takes no writes.
    ReadOnly,
    /// It does not let us in.
    Shut,
}

impl Outage {
    /// The word of the metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Full => "full",
            Self::InUse => "in_use",
            Self::Away => "unreachable",
            Self::ReadOnly => "read_only",
            Self::Shut => "credential",
        }
    }
}

/// Tells a server that is away, full or standing by from one that refuses a statement.
pub(super) fn outage_of(error: &DbErr) -> Option<Outage> {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Some(Outage::InUse),
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => Some(Outage::Away),
        _ => match driver_error(error) {
            Some(error) => of_driver(error),
            None if matches!(error, DbErr::Conn(_)) => Some(Outage::Away),
            None => None,
        },
    }
}

/// What the driver says of it.
fn driver_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn of_driver(error: &SqlxError) -> Option<Outage> {
    match error {
        SqlxError::PoolTimedOut => Some(Outage::InUse),
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => Some(Outage::Away),
        SqlxError::Database(refused) => refused.code().as_deref().and_then(of_code),
        _ => None,
    }
}

/// The server's own words.
fn words_of(error: &DbErr) -> Option<String> {
    Some(driver_error(error)?.as_database_error()?.message().to_owned())
}

/// PostgreSQL's five characters, by its appendix of error codes; SQLite's numbers, whose last byte is the kind.
fn of_code(code: &str) -> Option<Outage> {
    const SQLITE_BUSY: u32 = 5;
    const SQLITE_LOCKED: u32 = 6;
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => return Some(Outage::Locked),
        // read_only_sql_transaction: a standby that was not promoted yet
        "25006" => return Some(Outage::ReadOnly),
        _ => {}
    }
    match code.get(..2) {
        // insufficient_resources: too many connections, no memory, a full disk
        Some("53") if code.len() == 5 => Some(Outage::Full),
        // connection_exception; operator_intervention: it stops, starts, or was told to cancel
        Some("08" | "57") if code.len() == 5 => Some(Outage::Away),
        // invalid_authorization_specification: an unknown user, a wrong password, a token that is over
        Some("28") if code.len() == 5 => Some(Outage::Shut),
        _ => match code.parse::<u32>().ok().map(|number| number & 0xff) {
            Some(SQLITE_BUSY | SQLITE_LOCKED) if code.len() < 5 => Some(Outage::Locked),
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
            ("08006", "unreachable"),
            ("57P01", "unreachable"),
            ("57P03", "unreachable"),
            ("25006", "read_only"),
            ("28P01", "credential"),
            ("28000", "credential"),
            ("53300", "full"),
            ("40001", "locked"),
            ("40P01", "locked"),
            ("5", "locked"),
            ("28", "refused"),
            ("517", "locked"),
            ("6", "locked"),
            ("262", "locked"),
            // A broken rule, a missing table, a full SQLite disk, a read-only file.
            ("23514", "refused"),
            ("42P01", "refused"),
            ("13", "refused"),
            ("8", "refused"),
        ];
        for (code, expected) in table {
            let told = of_code(code).map_or("refused", Outage::word);
            assert_eq!(told, expected, "{code}");
        }
    }
}
