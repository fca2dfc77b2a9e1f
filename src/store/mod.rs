//! The database: the only module that knows SQL. One set of queries for SQLite and PostgreSQL.
//!
//! Owns: tables, transactions, row versions, unique keys. Entities never leave it. Does not own: decisions.
//! Invariants: writes run in one transaction ([`Store::begin`]); instants are microseconds; nothing asks the database's
//! clock; a write that a retry could repeat has a unique key.

#![expect(unreachable_pub, reason = "sea-orm's derive wants public entities; their modules are private")]

mod access;
mod adopted_usage;
mod api_answers;
mod api_keys;
mod approvals;
mod audit;
mod audit_lists;
mod backup;
mod calls;
mod chain;
mod changes;
mod charge_lists;
mod charges;
mod checks;
mod credits;
mod digest;
mod due_charges;
mod enrolments;
mod erasure;
mod error;
mod figures;
mod findings;
mod given;
mod history;
mod house;
mod inspect;
mod job_lists;
mod jobs;
mod license_keys;
mod mail_lists;
mod mails;
mod notes;
mod number_sources;
mod patience;
mod pool;
mod quotes;
mod ranges;
mod reporter;
mod revocations;
mod rolled_up;
mod schema;
mod seal;
mod search;
mod search_old;
mod search_terms;
mod sessions;
mod sign_ins;
mod staff;
mod standings;
mod steps;
mod subscription_jobs;
mod subscription_lists;
mod subscriptions;
mod sweeps;
mod told_usage;
mod traces;
mod trial_grants;
mod trial_uses;
mod usage_attempts;
mod usage_events;
mod verify;
mod webhook_lists;
mod webhooks;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use access::Renewal;
use prometheus_client::metrics::histogram::Histogram;
use sea_orm::{
    AccessMode, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, IsolationLevel,
    SqliteTransactionMode, TransactionOptions,
};
use secrecy::ExposeSecret as _;

pub use access::{Access, NoPassword, Passwords};
pub use adopted_usage::AdoptedUsage;
pub use api_answers::StoredAnswer;
pub use audit::AuditEntry;
pub use audit_lists::{AuditFilter, ListedEntry, Who};
pub use calls::Call;
pub use changes::{ChangeState, NewChange, StoredChange};
pub use charge_lists::{ChargeFilter, LedgerLine};
pub use charges::NewCharges;
pub use checks::FailedCheck;
pub use credits::NewCredit;
pub use digest::LedgerDigest;
pub use due_charges::DueCharge;
pub use enrolments::Enrolment;
pub use error::StoreError;
pub use figures::Figures;
pub use findings::Finding;
pub use house::HOUSE;
pub use inspect::Setting;
pub use job_lists::ListedJob;
pub use jobs::{Claim, Job, JobKind, Lease};
pub use license_keys::{LicenseKey, NewestKey};
pub use mail_lists::ListedMail;
pub use mails::{Attachment, Mail, MailState, NewMail};
pub use notes::Note;
pub use number_sources::{FeeGroup, RenewalFees};
pub use pool::PoolFigures;
pub use quotes::StoredQuote;
pub use reporter::Reporter;
pub use revocations::Revocation;
pub use rolled_up::RolledUp;
pub use search::{Hit, Hits};
pub use search_terms::{Target, TermKind};
pub use sessions::{Arrival, Session};
pub use sign_ins::SignIn;
pub use staff::StaffSession;
pub use standings::Standing;
pub use subscription_lists::{Place, SubscriptionFilter};
pub use subscriptions::SubscriptionQuery;
pub use sweeps::Sweep;
pub use told_usage::ToldUsage;
pub use traces::{TracedJob, TracedStep, TracedUsage};
pub use usage_attempts::UsageAttempt;
pub use usage_events::{NewUsageEvent, Settled, UsageEvent};
pub use verify::{Flaw, VerifiedPage};
pub use webhook_lists::{ListedWebhook, WebhookFilter};
pub use webhooks::{NewWebhook, Webhook};

use crate::{
    clock::Stopwatch,
    crash::{Broken, failing_point},
    meters,
    trace::Step,
};
use patience::{CONNECTED_WITHIN, Failures, TRIED_AFTER, Trust, Watched};

/// How long a writer waits for another one on SQLite.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: u32 = 8;
/// What a connection of SQLite may hold in memory; a negative number is kibibytes.
const CACHE_KIBIBYTES: &str = "-8000";
/// The journal is copied into the database when it has so many pages (16 MiB): a page that many transactions write is
/// copied once.
const CHECKPOINT_PAGES: &str = "4000";

/// A result of the store.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The connection pool. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    db: Watched<DatabaseConnection>,
    /// Where write transactions run. SQLite has one writer at a time, so that they have one connection, and wait for it in a
    /// row instead of asleep in SQLite's own steps; and what it holds in memory stays good from one to the next.
    writer: Watched<DatabaseConnection>,
    /// How long writers wait until they may begin.
    begin_seconds: Histogram,
    /// Where the next password comes from, if it changes.
    renewal: Option<Arc<Renewal>>,
}

/// A write transaction; dropped without [`Tx::commit`] it is rolled back.
#[derive(Debug)]
pub struct Tx {
    tx: Watched<DatabaseTransaction>,
    /// Entries of the hash chain, written at the commit.
    pending: Mutex<Vec<chain::Pending>>,
    /// What will be searched for, written at the commit.
    terms: Mutex<search_terms::Gathered>,
    /// Steps of what is being followed, written at the commit.
    steps: Mutex<Vec<Step>>,
}

impl Store {
    /// Opens `sqlite://path`, `sqlite::memory:` or `postgres://…`; a missing SQLite file is created.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when the database cannot be opened, [`StoreError::Refused`] when it does not let us in.
    pub async fn connect(access: impl Into<Access>) -> Result<Self> {
        let access = access.into();
        let url = access.url.expose_secret();
        let sqlite = url.starts_with("sqlite:");
        let created = if sqlite && !url.contains(":memory:") && !url.contains('?') {
            format!("{url}?mode=rwc")
        } else {
            url.to_owned()
        };
        let mut options = access.options(created).await?;
        let in_memory = url.contains(":memory:");
        options.max_connections(if in_memory { 1 } else { MAX_CONNECTIONS });
        options.acquire_timeout(if sqlite { BUSY_TIMEOUT } else { CONNECTED_WITHIN });
        let trust = Arc::<Trust>::default();
        if in_memory {
            // The database is gone with its one connection.
            options.idle_timeout(None).max_lifetime(None);
        }
        if sqlite {
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .pragma("journal_mode", "WAL")
                    .pragma("synchronous", "FULL")
                    .pragma("cache_size", CACHE_KIBIBYTES)
                    .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
                    .busy_timeout(BUSY_TIMEOUT)
                    .foreign_keys(true)
            });
            options.test_before_acquire_if_idle_for(TRIED_AFTER);
        } else {
            trust.decide(&mut options);
        }
        let failures = Failures::default();
        let watched = |db| Watched::new(db, Arc::clone(&trust), failures.clone());
        let db = watched(Database::connect(options.clone()).await.map_err(StoreError::not_opened)?);
        let writer = if sqlite && !in_memory {
            options.max_connections(1);
            watched(Database::connect(options).await.map_err(StoreError::not_opened)?)
        } else {
            db.clone()
        };
        Ok(Self { db, writer, begin_seconds: meters::seconds(), renewal: access.renewal() })
    }

    /// Starts a write transaction. On SQLite it takes the write lock at once: a reader that turns writer half-way could fail.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another writer holds the lock for too long, [`StoreError::Refused`] when the server lets nobody in.
    pub async fn begin(&self) -> Result<Tx> {
        let sqlite = self.db.get_database_backend() == DatabaseBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: sqlite.then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let watch = Stopwatch::start();
        let begun = self.admitted(|| self.writer.begin(options)).await;
        self.begin_seconds.observe(watch.elapsed().as_secs_f64());
        Ok(Tx::new(begun?))
    }

    /// Starts a transaction that reads one state of everything and keeps no writer waiting; it is dropped, never committed.
    async fn begin_reading(&self) -> Result<Tx> {
        let options = match self.db.get_database_backend() {
            DatabaseBackend::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
                ..TransactionOptions::default()
            },
            _ => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
        };
        Ok(Tx::new(self.db.begin_patiently(options).await?))
    }

    /// Closes all connections.
    pub async fn close(self) {
        // A failure to say good-bye loses nothing: every commit has been answered.
        drop(self.writer.close().await);
        drop(self.db.close().await);
    }
}

impl Tx {
    fn new(tx: Watched<DatabaseTransaction>) -> Self {
        Self { tx, pending: Mutex::default(), terms: Mutex::default(), steps: Mutex::default() }
    }

    /// Makes everything of this transaction durable.
    ///
    /// # Errors
    /// [`StoreError`]; whether it took effect is then unknown.
    pub async fn commit(self) -> Result<()> {
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        chain::seal(&self, pending).await?;
        self.write_terms().await?;
        let followed = self.write_steps().await?;
        failing_point("before a commit").map_err(broken)?;
        self.tx.commit().await?;
        if let Some(steps) = followed {
            steps.arrived();
        }
        failing_point("after a commit").map_err(broken)?;
        Ok(())
    }

    /// Continues a chain, at the commit.
    fn append(&self, entry: chain::Pending) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }
}

fn broken(_: Broken) -> StoreError {
    StoreError::Busy("the connection broke".to_owned())
}

/// Whoever can run queries: the pool for reads, a transaction for reads that decide.
pub trait Reader: Sync {
    /// The connection behind it.
    #[doc(hidden)]
    fn connection(&self) -> &(impl ConnectionTrait + 'static);
}

impl Reader for Store {
    fn connection(&self) -> &(impl ConnectionTrait + 'static) {
        &self.db
    }
}

impl Reader for Tx {
    fn connection(&self) -> &(impl ConnectionTrait + 'static) {
        &self.tx
    }
}
