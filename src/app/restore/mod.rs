//! A restored database is taken into use (`product.md` §4, *Reporting*; after a restore). `begin` locks the reporter. `finish`
//! adopts what Microsoft has already, and unlocks when nothing is left that could be told twice.
//!
//! Everything can be run again: what is adopted stays adopted, and what cannot be decided yet is looked at anew.

mod adopt;
mod rest;

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{
    App, AppError,
    check_usage::{AT_ONCE, by_resource, minus_days, read_sums},
    converge::audit,
};
use crate::{
    domain::{charge::Charge, restore::Restored, subscription::Subscription, usage_sums::Sums},
    store::{JobKind, Reporter, Tx},
};

/// A database that nobody ever checked is compared from so many days back.
const FIRST_LOOK_DAYS: u32 = 90;

/// Why it is locked.
const BEGUN: &str = "a restored database is taken into use (`seatkey restore begin`)";

/// What a person has decided about a restore.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FinishOptions<'a> {
    /// Usage that no charge can be is acknowledged, with this reason.
    pub accept_foreign: Option<&'a str>,
    /// What cannot be decided yet is frozen, and waits for a person, instead of keeping the lock.
    pub freeze: bool,
}

/// A charge or a sum, for a person to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The subscription.
    pub subscription_id: Uuid,
    /// The charge, where it is one.
    pub charge_id: Option<Uuid>,
    /// In words.
    pub words: String,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreReport {
    /// Charges that Microsoft has already.
    pub adopted: Vec<Named>,
    /// Charges that wait for a person from now on.
    pub frozen: Vec<Named>,
    /// Charges that are sent again in their own slot, where a repetition is a duplicate.
    pub sent_again: u32,
    /// Charges that Microsoft may have without showing them yet; they keep the lock.
    pub may_be_there: Vec<Named>,
    /// Usage that no charge can be and nobody has acknowledged; it keeps the lock.
    pub foreign: Vec<Named>,
    /// When the sums show everything, so that nothing has to be frozen.
    pub decidable_at: Option<OffsetDateTime>,
    /// Whether the reporter works again.
    pub is_finished: bool,
}

/// A look at one subscription.
struct Look<'a> {
    app: &'a App,
    id: Uuid,
    microsoft: &'a Sums,
    since: Date,
    restored: Restored,
    options: FinishOptions<'a>,
}

/// Locks the reporter from now on, whatever lock the backup had: that one may be older than what was told since. The words
/// keep it.
///
/// # Errors
/// [`AppError::Store`].
pub async fn begin_restore(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let reason = match tx.get_reporter().await?.lock {
        Some((_, reason)) if reason.starts_with(BEGUN) => reason,
        Some((at, reason)) => format!("{BEGUN}; locked before, since {at}: {reason}"),
        None => BEGUN.to_owned(),
    };
    tx.unlock_reporter().await?;
    tx.lock_reporter(&reason, now).await?;
    tx.commit().await?;
    tracing::warn!("nothing is reported any more, until `seatkey restore finish`");
    Ok(())
}

/// Adopts, freezes, and unlocks when nothing keeps the lock. The subscriptions have been compared with Microsoft before, and
/// the jobs that follow from that have run: renewals are written, and what could be released is due. `None` when nothing is
/// locked.
///
/// # Errors
/// [`AppError`]; it can be run again.
pub async fn finish_restore(app: &App, options: FinishOptions<'_>) -> Result<Option<RestoreReport>, AppError> {
    let reporter = app.store.get_reporter().await?;
    let Some((locked_at, _)) = reporter.lock else { return Ok(None) };
    let now = app.clock.now();
    let restored = Restored { locked_at, now };
    let since = reporter.confirmed_day.unwrap_or_else(|| minus_days(now, FIRST_LOOK_DAYS));
    let microsoft = by_resource(&read_sums(app, since).await?);
    let ids = known_ids(app, &microsoft).await?;
    let mut report = RestoreReport { decidable_at: Some(restored.decidable_at()), ..RestoreReport::default() };
    let nothing = Sums::new();
    let look = |id: &Uuid| {
        let microsoft = microsoft.get(id).unwrap_or(&nothing);
        Look { app, id: *id, microsoft, since, restored, options }
    };
    for id in &ids {
        adopt::adopt(&look(id), &mut report).await?;
        rest::keep_or_freeze(&look(id), &mut report).await?;
    }
    if !report.may_be_there.is_empty() || !report.foreign.is_empty() {
        return Ok(Some(report));
    }
    for id in &ids {
        report.sent_again += rest::take_own_slots(&look(id)).await?;
    }
    unlock(app, now).await?;
    report.is_finished = true;
    Ok(Some(report))
}

/// Subscriptions of ours that have something to compare.
async fn known_ids(app: &App, microsoft: &BTreeMap<Uuid, Sums>) -> Result<BTreeSet<Uuid>, AppError> {
    let mut known = BTreeSet::new();
    let theirs: Vec<Uuid> = microsoft.keys().copied().collect();
    for chunk in theirs.chunks(AT_ONCE) {
        let found = app.store.list_subscriptions_by_id(chunk.iter().copied()).await?;
        known.extend(billed(found));
    }
    let mut after = None;
    loop {
        let page = app.store.list_subscriptions_with_open_charges(after, AT_ONCE as u64).await?;
        let Some(last) = page.last() else { return Ok(known) };
        after = Some(*last);
        known.extend(billed(app.store.list_subscriptions_by_id(page).await?));
    }
}

/// Tests are billed to nobody, and Microsoft's sums of them are not read.
fn billed(subscriptions: Vec<Subscription>) -> impl Iterator<Item = Uuid> {
    subscriptions.into_iter().filter(|one| !one.microsoft.is_test).map(|one| one.microsoft.id)
}

async fn unlock(app: &App, now: OffsetDateTime) -> Result<(), AppError> {
    let tx = app.store.begin().await?;
    tx.note_reporter(&Reporter { restored_at: Some(now), ..Reporter::default() }).await?;
    tx.unlock_reporter().await?;
    tx.schedule_job(JobKind::ReportUsage, Uuid::nil(), now, now).await?;
    tx.commit().await?;
    app.wake.notify_one();
    tracing::warn!("the restored database is in use; what is due is reported");
    Ok(())
}

impl Named {
    fn charge(subscription_id: Uuid, charge: &Charge) -> Self {
        let Charge { description, quantity, dimension, reportable_from, .. } = charge;
        let words = format!("{description}, {quantity} of {dimension}, to be reported from {reportable_from}");
        Self { subscription_id, charge_id: Some(charge.id), words }
    }
}

fn note(tx: &Tx, look: &Look<'_>, action: &str, charges: &[Uuid]) {
    if !charges.is_empty() {
        audit(tx, look.id, "seatkey", action, &serde_json::json!({ "charges": charges }), look.restored.now);
    }
}
