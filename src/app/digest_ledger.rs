//! The job that writes down once a day what ledger and audit log were: to the log, and to a file where one is named. Whoever
//! can change the database cannot change these.

use std::path::Path;

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use super::{App, AppError, Step};
use crate::store::{JobKind, LedgerDigest, Reporter};

const EVERY: Duration = Duration::DAY;
/// Whatever is older than this has been committed.
const SETTLED_AFTER: Duration = Duration::HOUR;

/// Runs one step.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn digest_ledger(app: &App) -> Result<Step, AppError> {
    let now = app.clock.now();
    let last = app.store.get_reporter().await?.digested_at;
    if let Some(next) = last.map(|last| last + EVERY).filter(|next| *next > now) {
        return Ok(Step::Again(next - now));
    }
    let digest = app.store.digest_ledger(now - SETTLED_AFTER).await?;
    let line = to_line(&digest)?;
    tracing::info!(target: "seatkey::ledger_digest", line, "the heads of all chains: instant, subscriptions, SHA-256");
    if let Some(path) = &app.digest_file {
        let failed = |error| AppError::Internal(format!("{} ([audit] digest_file): {error}", path.display()));
        append(path, &line).await.map_err(failed)?;
    }
    let tx = app.store.begin().await?;
    tx.note_reporter(&Reporter { digested_at: Some(now), ..Reporter::default() }).await?;
    tx.commit().await?;
    Ok(Step::Again(EVERY))
}

/// As it is written: instant, number of subscriptions, digest.
fn to_line(digest: &LedgerDigest) -> Result<String, AppError> {
    let until = digest.until.format(&Rfc3339).map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(format!("{until} {} {}", digest.subscriptions, digest.digest))
}

/// Reads such a line; `None` when it is none.
pub(super) fn from_line(line: &str) -> Option<LedgerDigest> {
    let mut words = line.split_whitespace();
    let until = OffsetDateTime::parse(words.next()?, &Rfc3339).ok()?;
    let (subscriptions, digest) = (words.next()?.parse().ok()?, words.next()?.to_owned());
    words.next().is_none().then_some(LedgerDigest { until, subscriptions, digest })
}

async fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = tokio::fs::OpenOptions::new().create(true).append(true).open(path).await?;
    file.write_all(format!("{line}\n").as_bytes()).await?;
    file.sync_all().await
}

/// Asks for a step now; it goes on once a day.
///
/// # Errors
/// [`AppError::Store`].
pub async fn schedule_digest(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.schedule_job(JobKind::DigestLedger, Uuid::nil(), now, now).await?;
    Ok(tx.commit().await?)
}
