//! The job that reports due charges to Microsoft (`product.md` §4, *Reporting*).
//!
//! Each round takes from the desk a batch of at most 25 events: first those that were sent before and have no clear answer
//! (the same bytes again), then due charges, which take their slots in a transaction that is committed before the first
//! byte leaves. Several batches are on their way at once; as soon as one meets trouble, no further one sets out.
//!
//! Owns: when what is sent. Does not own: which slot, and what an answer means (`domain/usage.rs`).

mod answers;
mod desk;
mod pace;
mod send;
mod settle;

use std::sync::atomic::{AtomicBool, Ordering};

use time::{Duration, OffsetDateTime};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{
    App, AppError, Step,
    check_usage::{Check, check_usage},
};
use crate::{
    clock::{Stopwatch, new_id},
    store::{JobKind, Reporter},
};

pub use pace::Pace;

use answers::Answers;
use desk::Desk;

/// A sender owns its events for so long. A batch that would set out later than [`SETS_OUT_WITHIN`] of it does not: its
/// answer could come when somebody else has taken over.
const OWNED_FOR: Duration = Duration::minutes(2);
const SETS_OUT_WITHIN: Duration = Duration::minutes(1);
/// A step hands the job back after so long; its lease is longer.
const STEP_MAY_TAKE: std::time::Duration = std::time::Duration::from_secs(15);
/// How often it is looked without being told.
const LOOK: Duration = Duration::minutes(1);
const SOON: Duration = Duration::seconds(1);

/// A step of the job: the circumstances of all its batches.
struct Round<'a> {
    app: &'a App,
    owner: Uuid,
    started_at: OffsetDateTime,
    watch: Stopwatch,
    desk: Desk,
    on_their_way: Semaphore,
    answers: Answers,
    /// Something was not well; what is not on its way yet stays.
    trouble: AtomicBool,
}

impl Round<'_> {
    /// Whether anything else may be begun.
    fn has_time(&self) -> bool {
        self.watch.elapsed() < STEP_MAY_TAKE
    }
}

/// Runs one step.
///
/// # Errors
/// [`AppError`]; the step can be run again.
pub async fn report_usage(app: &App) -> Result<Step, AppError> {
    let now = app.clock.now();
    super::release_charges::ask_for_releases(app, now).await?;
    if app.store.get_reporter().await?.lock.is_some() {
        return Ok(Step::Again(LOOK));
    }
    if let Some(until) = app.pace.pause_until(now) {
        return Ok(Step::Again(until - now));
    }
    if check_usage(app).await? == Check::MustWait {
        return Ok(Step::Again(LOOK));
    }
    let round = Round {
        app,
        owner: new_id(now),
        started_at: now,
        watch: Stopwatch::start(),
        desk: Desk::new(app.pace.is_careful()),
        on_their_way: Semaphore::new(app.pace.batches()),
        answers: Answers::default(),
        trouble: AtomicBool::new(false),
    };
    let lanes = (0..app.pace.lanes()).map(|_| lane(&round));
    let ended = futures::future::join_all(lanes).await;
    let is_out_of_time = !round.has_time();
    let left = round.desk.take_left();
    settle::give_back(&round, left).await?;
    ended.into_iter().collect::<Result<Vec<()>, AppError>>()?;
    let now = app.clock.now();
    if round.trouble.into_inner() {
        return Ok(Step::Again(app.pace.pause_until(now).map_or(SOON, |until| until - now)));
    }
    note_success(app).await?;
    if is_out_of_time {
        return Ok(Step::Again(Duration::ZERO));
    }
    let next = app.store.find_next_attempt().await?;
    Ok(Step::Again(next.map_or(LOOK, |at| (at - now).clamp(SOON, LOOK))))
}

/// One after the other, until there is nothing left or something is not well.
async fn lane(round: &Round<'_>) -> Result<(), AppError> {
    while !round.trouble.load(Ordering::SeqCst) {
        let batch = match round.desk.next_batch(round).await {
            Ok(batch) => batch,
            Err(error) => {
                round.trouble.store(true, Ordering::SeqCst);
                return Err(error);
            }
        };
        if batch.is_empty() {
            return Ok(());
        }
        send::send(round, batch).await?;
    }
    Ok(())
}

async fn note_success(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.note_reporter(&Reporter { last_success_at: Some(now), ..Reporter::default() }).await?;
    Ok(tx.commit().await?)
}

/// Asks for a step now; it goes on every minute.
///
/// # Errors
/// [`AppError::Store`].
pub async fn schedule_reporting(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.schedule_job(JobKind::ReportUsage, Uuid::nil(), now, now).await?;
    Ok(tx.commit().await?)
}
