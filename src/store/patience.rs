//! How long the database is waited for, and which of its connections are used again.
//!
//! A server that vanishes without a word leaves connections on which nothing ever comes, for as long as the kernel goes on
//! sending (a quarter of an hour); one that has become a standby keeps those that it has. So an answer of PostgreSQL is waited
//! for only so long, and after such a trouble the connections from before it are closed instead of used.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::metrics::{counter::Counter, family::Family};
use sea_orm::{
    ConnAcquireErr, ConnectOptions, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    ExecResult, QueryResult, RuntimeErr, Statement, TransactionOptions, TransactionTrait as _,
    sqlx::{Connection as _, Executor as _, PgConnection, PgPool},
};

use super::error::{Outage, outage_of};
use crate::clock::Stopwatch;

/// For a connection, and for the word that there is none. With what follows, no answer of ours takes half a minute.
pub(super) const CONNECTED_WITHIN: Duration = Duration::from_secs(8);
/// For a statement, and for a transaction's begin and commit; with a connection for it, where it needs one. What reads whole tables
/// is not waited for here: the step that it belongs to says how long it may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(12);
/// For the shortest answer that there is.
const PONG_WITHIN: Duration = Duration::from_secs(2);
/// A connection that has rested for so long is tried before it is used. Trying it each time would be a second round trip
/// for every query.
pub(super) const TRIED_AFTER: Duration = Duration::from_secs(5);
/// What the server does with a transaction whose client has vanished without a word: no transaction of ours rests so long, and its
/// locks would last as long as the kernel goes on sending. Told on the connection, because poolers refuse it as a parameter of its
/// start.
const ABANDONED_AFTER: &str = "SET idle_in_transaction_session_timeout = '30s'";
/// Connections are given up at most once in this time, however many statements fail.
const GIVEN_UP_EVERY: Duration = Duration::from_secs(1);

/// What went wrong with the database, by reason.
pub(super) type Failures = Family<[(&'static str, &'static str); 1], Counter>;

/// Which connections may be used again.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Connections from before this are given up.
    given_up: Mutex<Option<Stopwatch>>,
    /// Somebody has not waited for an answer: the connection that it comes on may be silent.
    interrupted: Mutex<Option<Stopwatch>>,
}

impl Trust {
    /// Lets the pool of PostgreSQL ask before it gives out a connection, and when it gets one back; and the server forget what was
    /// left to it.
    pub(super) fn decide(self: &Arc<Self>, options: &mut ConnectOptions) {
        let trust = Arc::clone(self);
        options.test_before_acquire(false).map_sqlx_postgres_pool_opts(move |pool| {
            let (before, after) = (Arc::clone(&trust), Arc::clone(&trust));
            pool.before_acquire(move |connection, about| {
                let trust = Arc::clone(&before);
                Box::pin(async move {
                    let is_fresh = about.idle_for < TRIED_AFTER;
                    Ok(trust.has(about.age) && (is_fresh || trust.answers(connection).await))
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(ABANDONED_AFTER).await?;
                    Ok(())
                })
            })
            .after_release(move |connection, about| {
                let trust = Arc::clone(&after);
                Box::pin(async move {
                    // The pool tries it by itself, too, and waits for as long as it takes.
                    let is_fresh = !trust.was_interrupted();
                    Ok(trust.has(about.age) && (is_fresh || trust.answers(connection).await))
                })
            })
        });
    }

    /// Gives up all connections that there are now.
    pub(super) fn give_up(&self) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        if given_up.is_none_or(|at| at.elapsed() >= GIVEN_UP_EVERY) {
            *given_up = Some(Stopwatch::start());
        }
    }

    fn has(&self, age: Duration) -> bool {
        let given_up = *self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        given_up.is_none_or(|at| age < at.elapsed())
    }

    fn interrupt(&self) {
        *self.interrupted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Stopwatch::start());
    }

    fn was_interrupted(&self) -> bool {
        let interrupted = *self.interrupted.lock().unwrap_or_else(PoisonError::into_inner);
        interrupted.is_some_and(|at| at.elapsed() < PONG_WITHIN)
    }

    async fn answers(&self, connection: &mut PgConnection) -> bool {
        match tokio::time::timeout(PONG_WITHIN, connection.ping()).await {
            Ok(answer) => answer.is_ok(),
            Err(_) => {
                self.give_up();
                false
            }
        }
    }
}

/// Notes that an answer is not waited for any more, unless it came.
struct Waiting<'a>(Option<&'a Trust>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(trust) = self.0 {
            trust.interrupt();
        }
    }
}

#[derive(Debug)]
struct Watch {
    trust: Arc<Trust>,
    failures: Failures,
    /// None = whatever answers may take its time: SQLite, which is a part of this process, and what reads whole tables.
    pool: Option<PgPool>,
    /// Why there was no connection, and when that was asked.
    no_connection: tokio::sync::Mutex<Option<(Stopwatch, DbErr)>>,
}

impl Watch {
    fn new(pool: Option<PgPool>, trust: Arc<Trust>, failures: Failures) -> Self {
        Self { trust, failures, pool, no_connection: tokio::sync::Mutex::default() }
    }

    async fn answered<T>(
        &self,
        within: Duration,
        call: impl Future<Output = Result<T, DbErr>> + Send,
    ) -> Result<T, DbErr> {
        let result = match &self.pool {
            None => call.await,
            Some(pool) => match self.bounded(within, call).await {
                Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) => Err(self.why_none(pool).await),
                result => result,
            },
        };
        if let Some(outage) = result.as_ref().err().and_then(outage_of) {
            self.failures.get_or_create(&[("reason", outage.word())]).inc();
            if outage == Outage::ReadOnly {
                self.trust.give_up();
            }
        }
        result
    }

    async fn bounded<T>(
        &self,
        within: Duration,
        call: impl Future<Output = Result<T, DbErr>> + Send,
    ) -> Result<T, DbErr> {
        let mut call = pin!(call);
        // Dropped before the call is, which gives its connection back.
        let mut waiting = Waiting(Some(&self.trust));
        match tokio::time::timeout(within, call.as_mut()).await {
            Ok(result) => {
                waiting.0 = None;
                result
            }
            Err(_) => {
                self.trust.give_up();
                Err(silent())
            }
        }
    }

    /// The pool says only that it had none in time. What a connection of its own is told says whether the server is away, or
    /// full, or whether it is ours that are all in use. One asks, whoever waits with it hears the same.
    async fn why_none(&self, pool: &PgPool) -> DbErr {
        let mut known = self.no_connection.lock().await;
        if let Some((_, error)) = known.as_ref().filter(|(asked, _)| asked.elapsed() < PONG_WITHIN) {
            return error.clone();
        }
        let options = pool.connect_options();
        let error = match tokio::time::timeout(PONG_WITHIN, PgConnection::connect_with(&options)).await {
            Ok(Ok(connection)) => {
                drop(connection.close().await);
                DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
            }
            Ok(Err(error)) => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
            Err(_) => silent(),
        };
        *known = Some((Stopwatch::start(), error.clone()));
        error
    }
}

fn silent() -> DbErr {
    DbErr::Conn(RuntimeErr::Internal("it does not answer in time".to_owned()))
}

/// A connection, a pool of them or a transaction that is waited for only so long.
#[derive(Debug, Clone)]
pub(super) struct Watched<C> {
    inner: C,
    watch: Arc<Watch>,
}

impl<C> Watched<C> {
    /// The same, waited for in vain where it comes to that.
    pub(super) fn inner(&self) -> &C {
        &self.inner
    }
}

impl Watched<DatabaseConnection> {
    /// `trust` is what its pool decides by.
    pub(super) fn new(inner: DatabaseConnection, trust: Arc<Trust>, failures: Failures) -> Self {
        let is_postgres = inner.get_database_backend() == DatabaseBackend::Postgres;
        let pool = is_postgres.then(|| inner.get_postgres_connection_pool().clone());
        Self { inner, watch: Arc::new(Watch::new(pool, trust, failures)) }
    }

    /// Gives up the connections that there are now.
    pub(super) fn give_up(&self) {
        self.watch.trust.give_up();
    }

    pub(super) fn failures(&self) -> Failures {
        self.watch.failures.clone()
    }

    #[cfg(feature = "crash-points")]
    pub(super) fn inner_mut(&mut self) -> &mut DatabaseConnection {
        &mut self.inner
    }

    pub(super) async fn begin(&self, options: TransactionOptions) -> Result<Watched<DatabaseTransaction>, DbErr> {
        let inner = self.watch.answered(ANSWERED_WITHIN, self.inner.begin_with_options(options)).await?;
        Ok(Watched { inner, watch: Arc::clone(&self.watch) })
    }

    /// For what reads whole tables.
    pub(super) async fn begin_patiently(
        &self,
        options: TransactionOptions,
    ) -> Result<Watched<DatabaseTransaction>, DbErr> {
        let begun = self.begin(options).await?;
        let (trust, failures) = (Arc::clone(&self.watch.trust), self.failures());
        Ok(Watched { inner: begun.inner, watch: Arc::new(Watch::new(None, trust, failures)) })
    }

    pub(super) async fn close(self) -> Result<(), DbErr> {
        self.inner.close().await
    }
}

impl Watched<DatabaseTransaction> {
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.watch.answered(ANSWERED_WITHIN, self.inner.commit()).await
    }
}

#[async_trait::async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Watched<C> {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.watch.answered(ANSWERED_WITHIN, self.inner.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.watch.answered(ANSWERED_WITHIN, self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.watch.answered(ANSWERED_WITHIN, self.inner.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.watch.answered(ANSWERED_WITHIN, self.inner.query_all_raw(statement)).await
    }

    fn support_returning(&self) -> bool {
        self.inner.support_returning()
    }
}
