//! Where batches come from.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{OWNED_FOR, Round, settle};
use crate::{
    app::AppError,
    domain::{
        charge::State,
        subscription::Stage,
        usage::{SlotDecision, WINDOW, decide_slot, event_body},
    },
    marketplace::MAX_BATCH,
    store::{DueCharge, NewUsageEvent, Standing, StoreError, Tx, UsageEvent},
};

/// So many charges take their slots in one transaction.
const AT_ONCE: u64 = 8 * MAX_BATCH as u64;
/// When there are fewer on the desk, more is fetched.
const FETCHED_BELOW: usize = 4 * MAX_BATCH;
/// A charge that cannot take a slot for a reason that only an event ends is looked at again after so long.
const PUT_OFF: Duration = Duration::hours(1);

/// The events that this process owns and nobody has sent yet.
#[derive(Debug)]
pub(super) struct Desk {
    waiting: Mutex<VecDeque<UsageEvent>>,
    /// Whoever fetches more; nothing new takes a slot before something old has been answered.
    only_old: tokio::sync::Mutex<bool>,
}

impl Desk {
    pub(super) fn new(only_old: bool) -> Self {
        Self { waiting: Mutex::default(), only_old: tokio::sync::Mutex::new(only_old) }
    }

    /// At most 25 events; none when there is nothing to do. What has its slot sets out, also when the step's time is over.
    pub(super) async fn next_batch(&self, round: &Round<'_>) -> Result<Vec<UsageEvent>, AppError> {
        // More is fetched while there is something to send, so that Microsoft is not kept waiting for our database.
        if self.waiting().len() < FETCHED_BELOW
            && let Ok(mut only_old) = self.only_old.try_lock()
        {
            self.refill(round, &mut only_old).await?;
        }
        let batch = self.take_batch();
        if !batch.is_empty() {
            return Ok(batch);
        }
        let mut only_old = self.only_old.lock().await;
        if self.waiting().is_empty() {
            self.refill(round, &mut only_old).await?;
        }
        Ok(self.take_batch())
    }

    /// What was not sent.
    pub(super) fn take_left(&self) -> Vec<UsageEvent> {
        std::mem::take(&mut *self.waiting()).into()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<UsageEvent>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_batch(&self) -> Vec<UsageEvent> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(MAX_BATCH);
        waiting.drain(..count).collect()
    }

    async fn refill(&self, round: &Round<'_>, only_old: &mut bool) -> Result<(), AppError> {
        if !round.has_time() {
            return Ok(());
        }
        let app = round.app;
        let now = app.clock.now();
        let owned = (round.owner, now + OWNED_FOR);
        let limit = if *only_old { MAX_BATCH as u64 } else { AT_ONCE };
        loop {
            let old = app.store.claim_usage_events(owned, limit, now).await?;
            if old.is_empty() {
                break;
            }
            // Nothing can be sent where the window has closed.
            let (closed, open): (Vec<_>, Vec<_>) =
                old.into_iter().partition(|event| event.slot.effective_start + WINDOW <= now);
            settle::close(round, closed).await?;
            if !open.is_empty() {
                self.waiting().extend(open);
                return Ok(());
            }
        }
        // One batch tells whether Microsoft is well again.
        let limit = if std::mem::take(only_old) { MAX_BATCH as u64 } else { AT_ONCE };
        loop {
            let due = app.store.list_due_charges(limit, now).await?;
            if due.is_empty() {
                return Ok(());
            }
            match take_slots(round, &due, owned, now).await {
                Ok(events) if events.is_empty() => {}
                Ok(events) => {
                    self.waiting().extend(events);
                    return Ok(());
                }
                // Another reporter was faster: the next look shows what it has left.
                Err(AppError::Store(StoreError::Conflict(_))) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// What becomes of the charges that were looked at.
#[derive(Default)]
struct Sorted {
    events: Vec<NewUsageEvent>,
    nothing_to_report: Vec<Uuid>,
    too_late: Vec<Uuid>,
    suspended: Vec<Uuid>,
    put_off: BTreeMap<OffsetDateTime, Vec<Uuid>>,
}

/// One transaction: slots, bytes and time, before the first byte is sent.
async fn take_slots(
    round: &Round<'_>,
    due: &[DueCharge],
    owned: (Uuid, OffsetDateTime),
    now: OffsetDateTime,
) -> Result<Vec<UsageEvent>, AppError> {
    let tx = round.app.store.begin().await?;
    if tx.get_reporter().await?.lock.is_some() {
        return Err(StoreError::Conflict("reporter").into());
    }
    let standings = tx.lock_standings(due.iter().map(|one| one.subscription_id)).await?;
    let taken = tx.list_taken_slots(standings.keys().copied(), now - WINDOW * 2).await?;
    let mut taken: HashSet<(Uuid, String, OffsetDateTime)> = taken.into_iter().collect();
    let mut sorted = Sorted::default();
    for one in due {
        if let Some(standing) = standings.get(&one.subscription_id) {
            sort(&mut sorted, &mut taken, one, standing, now)?;
        }
    }
    let events = std::mem::take(&mut sorted.events);
    let events = tx.insert_usage_events(events, owned, now).await?;
    write_others(&tx, &sorted, now).await?;
    tx.commit().await?;
    Ok(events)
}

fn sort(
    sorted: &mut Sorted,
    taken: &mut HashSet<(Uuid, String, OffsetDateTime)>,
    charge: &DueCharge,
    standing: &Standing,
    now: OffsetDateTime,
) -> Result<(), AppError> {
    if charge.quantity.is_zero() {
        sorted.nothing_to_report.push(charge.id);
        return Ok(());
    }
    let ended_at = match standing.stage {
        Stage::Active(_) => None,
        Stage::Ended { ended_at, .. } => Some(ended_at),
        Stage::Suspended { .. } => {
            sorted.suspended.push(charge.id);
            return Ok(());
        }
        Stage::AwaitingEnrolment | Stage::Activating { .. } => {
            sorted.put_off.entry(now + PUT_OFF).or_default().push(charge.id);
            return Ok(());
        }
    };
    let is_taken = |hour| taken.contains(&(charge.subscription_id, charge.dimension.clone(), hour));
    match decide_slot(charge.reportable_from, ended_at, is_taken, now) {
        SlotDecision::Take(slot) => {
            taken.insert((charge.subscription_id, charge.dimension.clone(), slot.hour));
            let plan_id = charge.plan_id.as_deref().unwrap_or(&standing.plan_id);
            let body = event_body(charge.subscription_id, &charge.dimension, plan_id, charge.quantity, slot);
            sorted.events.push(NewUsageEvent {
                charge_id: charge.id,
                subscription_id: charge.subscription_id,
                dimension: charge.dimension.clone(),
                slot,
                quantity: charge.quantity,
                body: body.map_err(AppError::Internal)?,
            });
        }
        SlotDecision::WaitUntil(at) => sorted.put_off.entry(at).or_default().push(charge.id),
        SlotDecision::TooLate => sorted.too_late.push(charge.id),
    }
    Ok(())
}

async fn write_others(tx: &Tx, sorted: &Sorted, now: OffsetDateTime) -> Result<(), AppError> {
    for (at, ids) in &sorted.put_off {
        tx.put_off_charges(ids, *at).await?;
    }
    let nothing = (State::Due, State::Accepted);
    let accepted = tx.move_charges(&sorted.nothing_to_report, nothing, "there is nothing to report", now).await?;
    tx.move_charges(&sorted.suspended, (State::Due, State::Held), "the subscription is suspended", now).await?;
    let late = tx.move_charges(&sorted.too_late, (State::Due, State::Expired), settle::TOO_LATE, now).await?;
    settle::follow(tx, State::Accepted, &accepted, now).await?;
    settle::follow(tx, State::Expired, &late, now).await
}
