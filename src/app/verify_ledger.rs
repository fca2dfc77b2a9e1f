//! Whether ledger and audit log are as they were written, subscription by subscription, and as the daily digests say.

use super::{AppError, digest_ledger::from_line};
use crate::store::{Flaw, Store};

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VerifiedLedger {
    /// Subscriptions.
    pub subscriptions: u64,
    /// Entries of their chains.
    pub entries: u64,
    /// Rows that are not as they were written.
    pub flaws: u64,
}

/// Verifies everything; each flaw is told as soon as it is found. Nothing is changed, and no writer waits.
///
/// # Errors
/// [`AppError::Store`].
pub async fn verify_ledger(store: &Store, mut tell: impl FnMut(&Flaw)) -> Result<VerifiedLedger, AppError> {
    let mut verified = VerifiedLedger::default();
    let mut count = |flaws: &[Flaw]| {
        flaws.iter().for_each(&mut tell);
        flaws.len() as u64
    };
    let mut after = None;
    loop {
        let page = store.verify_page(after).await?;
        verified.subscriptions += page.subscriptions;
        verified.entries += page.entries;
        verified.flaws += count(&page.flaws);
        after = page.last;
        if after.is_none() {
            break;
        }
    }
    let (entries, flaws) = store.verify_house().await?;
    verified.entries += entries;
    verified.flaws += count(&flaws);
    verified.flaws += count(&store.find_strays().await?);
    Ok(verified)
}

/// Computes a written digest anew; gives what is wrong in words, nothing when all is well.
///
/// # Errors
/// [`AppError::Store`].
pub async fn verify_digest(store: &Store, line: &str) -> Result<Option<String>, AppError> {
    let Some(written) = from_line(line) else { return Ok(Some(format!("\"{line}\" is no line of a digest file"))) };
    let found = store.digest_ledger(written.until).await?;
    if found == written {
        return Ok(None);
    }
    let (was, is) = (written.subscriptions, found.subscriptions);
    Ok(Some(format!(
        "the heads of all chains of {} are not what was written down: {was} subscriptions then, {is} now; \
         the database was changed or set back",
        written.until
    )))
}
