//! SQL without Seatkey: prepared statements of sqlx on the same database, with the same settings.

use std::str::FromStr as _;

use sea_orm::sqlx::{
    PgPool, Row as _, SqlitePool,
    pool::PoolConnection,
    postgres::{PgPoolOptions, PgRow, Postgres},
    query, raw_sql,
    sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;

/// As many as the service opens. None is tried before it is used; the service does so after a rest only.
const MAX_CONNECTIONS: u32 = 8;

/// A value that is bound to a statement.
#[derive(Debug, Clone)]
pub(crate) enum Bind {
    /// A UUID.
    Id(Option<Uuid>),
    /// Text.
    Text(Option<String>),
    /// `INTEGER`
    Int(i32),
    /// `BIGINT`
    Big(Option<i64>),
    /// `BOOLEAN`
    Flag(bool),
}

/// An id that is there.
pub(crate) fn id(id: Uuid) -> Bind {
    Bind::Id(Some(id))
}

/// A text that is there.
pub(crate) fn text(text: impl Into<String>) -> Bind {
    Bind::Text(Some(text.into()))
}

/// A number that is there.
pub(crate) fn big(number: i64) -> Bind {
    Bind::Big(Some(number))
}

/// A statement with its values, made before the time is taken.
pub(crate) type Statement = (&'static str, Vec<Bind>);

/// Connections to one database.
#[derive(Clone)]
pub(crate) enum Bare {
    /// SQLite: WAL, `synchronous=FULL`, foreign keys.
    Sqlite(SqlitePool),
    /// PostgreSQL.
    Postgres(PgPool),
}

/// One connection that is kept.
pub(crate) enum Kept {
    /// SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// PostgreSQL.
    Postgres(PoolConnection<Postgres>),
}

/// The statement with its values.
macro_rules! bound {
    ($statement:expr) => {{
        let (sql, binds) = $statement;
        let mut query = query(*sql);
        for bind in binds {
            query = match bind {
                Bind::Id(id) => query.bind(*id),
                Bind::Text(text) => query.bind(text.as_deref()),
                Bind::Int(number) => query.bind(*number),
                Bind::Big(number) => query.bind(*number),
                Bind::Flag(flag) => query.bind(*flag),
            };
        }
        query
    }};
}

impl Bare {
    /// Connects to a database that exists.
    pub(crate) async fn connect(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url).unwrap().foreign_keys(true);
            let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
            let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS).test_before_acquire(false);
            Self::Sqlite(pool.connect_with(options).await.unwrap())
        } else {
            let pool = PgPoolOptions::new().max_connections(MAX_CONNECTIONS).test_before_acquire(false);
            Self::Postgres(pool.connect(url).await.unwrap())
        }
    }

    /// Asks for at most one row, and says whether there is one.
    pub(crate) async fn find(&self, statement: &Statement) -> bool {
        match self {
            Self::Sqlite(pool) => bound!(statement).fetch_optional(pool).await.unwrap().is_some(),
            Self::Postgres(pool) => bound!(statement).fetch_optional(pool).await.unwrap().is_some(),
        }
    }

    /// All rows, of PostgreSQL alone.
    pub(crate) async fn rows(&self, statement: &Statement) -> Vec<PgRow> {
        match self {
            Self::Sqlite(_) => Vec::new(),
            Self::Postgres(pool) => bound!(statement).fetch_all(pool).await.unwrap(),
        }
    }

    /// The first column of the only row, an id.
    pub(crate) async fn get_id(&self, statement: &Statement) -> Uuid {
        match self {
            Self::Sqlite(pool) => bound!(statement).fetch_one(pool).await.unwrap().get(0),
            Self::Postgres(pool) => bound!(statement).fetch_one(pool).await.unwrap().get(0),
        }
    }

    /// A connection that is kept for as long as the handle lives.
    pub(crate) async fn keep(&self) -> Kept {
        match self {
            Self::Sqlite(pool) => Kept::Sqlite(pool.acquire().await.unwrap()),
            Self::Postgres(pool) => Kept::Postgres(pool.acquire().await.unwrap()),
        }
    }

    /// Closes all connections.
    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Kept {
    /// Runs all statements in one transaction; each changes exactly one row.
    pub(crate) async fn transact(&mut self, statements: &[Statement]) {
        match self {
            Self::Sqlite(connection) => {
                raw_sql("BEGIN IMMEDIATE").execute(&mut **connection).await.unwrap();
                for statement in statements {
                    let done = bound!(statement).execute(&mut **connection).await.unwrap();
                    assert_eq!(done.rows_affected(), 1, "{}", statement.0);
                }
                raw_sql("COMMIT").execute(&mut **connection).await.unwrap();
            }
            Self::Postgres(connection) => {
                raw_sql("BEGIN").execute(&mut **connection).await.unwrap();
                for statement in statements {
                    let done = bound!(statement).execute(&mut **connection).await.unwrap();
                    assert_eq!(done.rows_affected(), 1, "{}", statement.0);
                }
                raw_sql("COMMIT").execute(&mut **connection).await.unwrap();
            }
        }
    }
}
