//! Comparing with Microsoft without being told to: one subscription, or all of them, page by page. It repairs what lost
//! webhooks left behind and finds purchases that nobody configured.

use std::collections::HashMap;

use time::Duration;
use uuid::Uuid;

use super::{App, AppError, Step, converge::ask_and_converge, open_purchase::note_credential};
use crate::{
    clock::Stopwatch,
    domain::subscription::{Event, Snapshot, Subscription, observe},
    store::{JobKind, Lease, Sweep},
};

/// A step of a sweep hands the job back after so long; its lease is longer.
const STEP_MAY_TAKE: std::time::Duration = std::time::Duration::from_secs(20);
/// How often everything is compared.
const SWEEP_EVERY: Duration = Duration::minutes(15);

/// Something that a comparison found and mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The subscription.
    pub subscription_id: Uuid,
    /// What was done, or why it could not be done.
    pub result: Result<String, String>,
}

/// The job that compares one subscription.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn reconcile_subscription(app: &App, lease: Lease, id: Uuid) -> Result<Step, AppError> {
    ask_and_converge(app, id, None).await?;
    let tx = app.store.begin().await?;
    tx.finish_job(lease).await?;
    tx.commit().await?;
    Ok(Step::Done)
}

/// The job that compares everything, again and again. How far it is, is kept: after an error or a crash it goes on with
/// the page that it had come to.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn sweep_subscriptions(app: &App) -> Result<Step, AppError> {
    let watch = Stopwatch::start();
    let mut sweep = app.store.get_sweep().await?;
    if sweep.started_at.is_none() {
        sweep = Sweep { started_at: Some(app.clock.now()), finished_at: sweep.finished_at, ..Sweep::default() };
    }
    while watch.elapsed() < STEP_MAY_TAKE {
        let page = match reconcile_page(app, sweep.continuation.as_deref()).await {
            // A token that Microsoft does not take any more would never be taken: the listing begins anew.
            Err(AppError::Marketplace(error)) if sweep.continuation.is_some() && !error.is_retryable() => {
                app.store.record_sweep(&Sweep { continuation: None, ..sweep }).await?;
                return Err(error.into());
            }
            other => other?,
        };
        count(&mut sweep, &page);
        sweep.continuation = page.continuation;
        if sweep.continuation.is_none() {
            let finished_at = app.clock.now();
            tracing::info!(
                seen = sweep.seen,
                changed = sweep.changed,
                failed = sweep.failed,
                "compared with Microsoft"
            );
            app.store.record_sweep(&Sweep { started_at: None, finished_at: Some(finished_at), ..sweep }).await?;
            return Ok(Step::Again(SWEEP_EVERY));
        }
        app.store.record_sweep(&sweep).await?;
    }
    Ok(Step::Again(Duration::ZERO))
}

fn count(sweep: &mut Sweep, page: &ReconciledPage) {
    sweep.seen = sweep.seen.saturating_add(page.seen);
    for repair in &page.repairs {
        let counter = if repair.result.is_ok() { &mut sweep.changed } else { &mut sweep.failed };
        *counter = counter.saturating_add(1);
    }
}

/// A page of the listing, compared.
#[derive(Debug)]
pub struct ReconciledPage {
    /// Subscriptions on it; a page may be empty and yet not the last.
    pub seen: u32,
    /// What was mended, or could not be.
    pub repairs: Vec<Repair>,
    /// The token of the next page; `None` = this was the last one.
    pub continuation: Option<String>,
}

/// Compares one page of the listing. The listing itself is only a hint: what differs is asked for anew, one by one.
///
/// # Errors
/// [`AppError::Marketplace`] when the page cannot be read.
pub async fn reconcile_page(app: &App, continuation: Option<&str>) -> Result<ReconciledPage, AppError> {
    let answer = app.marketplace.list_subscriptions(continuation).await;
    note_credential(app, answer.as_ref().err());
    let page = answer?.value;
    let ids = page.subscriptions.iter().map(|snapshot| snapshot.id);
    let known = app.store.list_subscriptions_by_id(ids).await?;
    let known: HashMap<Uuid, Subscription> = known.into_iter().map(|one| (one.microsoft.id, one)).collect();
    let mut repairs = Vec::new();
    for snapshot in &page.subscriptions {
        let known = known.get(&snapshot.id);
        if differs(known, snapshot) {
            repairs.push(repair(app, snapshot.id).await);
        } else if known.is_some_and(|known| known.unwritten_renewal().is_some()) {
            ask_for_renewal(app, snapshot.id).await?;
        }
    }
    let seen = u32::try_from(page.subscriptions.len()).unwrap_or(u32::MAX);
    Ok(ReconciledPage { seen, repairs, continuation: page.continuation })
}

/// A renewal whose job came to nothing is found here, too.
async fn ask_for_renewal(app: &App, id: Uuid) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.schedule_job(JobKind::RenewSubscription, id, now, now).await?;
    Ok(tx.commit().await?)
}

fn differs(known: Option<&Subscription>, snapshot: &Snapshot) -> bool {
    known.is_none_or(|known| observe(known, snapshot).is_some())
}

/// One that cannot be compared does not keep the others from it; the next sweep tries again.
async fn repair(app: &App, id: Uuid) -> Repair {
    let result = match ask_and_converge(app, id, None).await {
        Ok(converged) if converged.is_new => Ok("was not known here".to_owned()),
        Ok(converged) if converged.events.is_empty() => Ok("details".to_owned()),
        Ok(converged) => Ok(converged.events.iter().copied().map(Event::name).collect::<Vec<_>>().join(", ")),
        Err(error) => {
            tracing::warn!(subscription = %id, %error, "a subscription could not be compared");
            Err(error.to_string())
        }
    };
    Repair { subscription_id: id, result }
}

/// Asks for a comparison of everything now; it goes on every quarter of an hour.
///
/// # Errors
/// [`AppError::Store`].
pub async fn schedule_sweep(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.schedule_job(JobKind::SweepSubscriptions, Uuid::nil(), now, now).await?;
    Ok(tx.commit().await?)
}
