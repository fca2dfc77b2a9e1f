//! How busy the connections of this process are.

use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use sea_orm::{ConnectionTrait as _, DatabaseBackend};

use super::Store;

/// The connections of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolFigures {
    /// Those that somebody works with now.
    pub in_use: u64,
    /// Those that rest.
    pub idle: u64,
    /// So many there may be.
    pub limit: u64,
}

impl Store {
    /// How the connections stand; that of SQLite's one writer is not among them.
    #[must_use]
    pub fn pool_figures(&self) -> PoolFigures {
        let (size, idle, limit) = match self.db.get_database_backend() {
            DatabaseBackend::Sqlite => {
                let pool = self.db.inner().get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            _ => {
                let pool = self.db.inner().get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        let (size, idle) = (u64::from(size), idle as u64);
        PoolFigures { in_use: size.saturating_sub(idle), idle, limit: limit.into() }
    }

    /// How long writers have waited for a connection and, on SQLite, for each other.
    #[must_use]
    pub fn begin_seconds(&self) -> Histogram {
        self.begin_seconds.clone()
    }
    /// What went wrong with the database since the start of this process, by reason: `unreachable`, `read_only`, `full` (the
    /// server takes no more connections, or has no room), `in_use` (the connections of this process are), `locked`.
    #[must_use]
    pub fn failures(&self) -> Family<[(&'static str, &'static str); 1], Counter> {
        self.db.failures()
    }
}
