//! What came of attempts, written: one transaction for each batch.

use std::collections::{BTreeMap, BTreeSet};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::send::Heard;
use crate::{
    app::{App, AppError},
    domain::{
        charge::State,
        subscription::{Stage, Subscription},
        usage::{Said, Verdict, WINDOW, decide_closed, decide_verdict},
    },
    store::{Finding, JobKind, Settled, Tx, UsageEvent},
};

/// Why a charge expires.
pub(super) const TOO_LATE: &str = "the subscription has ended, and Microsoft takes nothing for it any more";

const FIRST_PAUSE: Duration = Duration::seconds(10);
const LONGEST_PAUSE: Duration = Duration::minutes(30);

/// Keeps what was heard of a batch.
pub(super) async fn settle(app: &App, owner: Uuid, batch: &[UsageEvent], heard: &[Heard]) -> Result<(), AppError> {
    let verdict = |(event, heard): (&UsageEvent, &Heard)| decide_verdict(heard.said, event.quantity, event.in_doubt);
    let verdicts: Vec<Verdict> = batch.iter().zip(heard).map(verdict).collect();
    let words: Vec<&str> = heard.iter().map(|heard| heard.words.as_str()).collect();
    write(app, owner, batch, &verdicts, &words).await
}

/// What is not sent after all.
pub(super) async fn give_back(app: &App, owner: Uuid, events: &[UsageEvent]) -> Result<(), AppError> {
    let heard = vec![Heard::new(Said::NotProcessed, "not sent"); events.len()];
    settle(app, owner, events, &heard).await
}

/// Events whose window has closed.
pub(super) async fn close(app: &App, owner: Uuid, events: &[UsageEvent]) -> Result<(), AppError> {
    let verdicts: Vec<Verdict> = events.iter().map(|event| decide_closed(event.in_doubt)).collect();
    let words = vec!["Microsoft does not take its hour any more"; events.len()];
    write(app, owner, events, &verdicts, &words).await
}

async fn write(
    app: &App,
    owner: Uuid,
    events: &[UsageEvent],
    verdicts: &[Verdict],
    words: &[&str],
) -> Result<(), AppError> {
    if events.is_empty() {
        return Ok(());
    }
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    // Before the charges: whoever changes a subscription locks in this order, too.
    let subscriptions = tx.lock_subscriptions(events.iter().map(|event| event.subscription_id)).await?;
    let mut outcomes: BTreeMap<Outcome, Vec<usize>> = BTreeMap::new();
    for (index, (event, verdict)) in events.iter().zip(verdicts).enumerate() {
        let outcome = outcome(event, *verdict, subscriptions.get(&event.subscription_id), now);
        outcomes.entry(outcome).or_default().push(index);
    }
    for (outcome, indices) in outcomes {
        let chosen: Vec<(&UsageEvent, &str)> =
            indices.iter().filter_map(|&index| Some((events.get(index)?, *words.get(index)?))).collect();
        write_outcome(&tx, owner, outcome, &chosen, now).await?;
    }
    tx.commit().await?;
    app.wake.notify_one();
    Ok(())
}

/// What is written for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// The charge moves on; the event is over.
    Over(Over),
    /// The same bytes again.
    Again { at: OffsetDateTime, in_doubt: bool },
}

/// Where the charge goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Over {
    Accepted,
    Due,
    Held,
    Expired,
    Unknown,
    Conflict,
    Rejected,
}

impl Over {
    fn state(self) -> State {
        match self {
            Self::Accepted => State::Accepted,
            Self::Due => State::Due,
            Self::Held => State::Held,
            Self::Expired => State::Expired,
            Self::Unknown => State::Unknown,
            Self::Conflict => State::Conflict,
            Self::Rejected => State::Rejected,
        }
    }
}

fn outcome(event: &UsageEvent, verdict: Verdict, subscription: Option<&Subscription>, now: OffsetDateTime) -> Outcome {
    let ended = subscription.is_some_and(|subscription| matches!(subscription.stage, Stage::Ended { .. }));
    Outcome::Over(match verdict {
        Verdict::TryAgain { in_doubt } => return Outcome::Again { at: again_at(event, now), in_doubt },
        Verdict::Accepted => Over::Accepted,
        Verdict::Conflict => Over::Conflict,
        Verdict::Rejected => Over::Rejected,
        Verdict::Unknown => Over::Unknown,
        Verdict::HoldAgain if ended => Over::Expired,
        Verdict::HoldAgain => Over::Held,
        Verdict::TakeAnotherSlot => Over::Due,
    })
}

/// Pauses double; the last attempt is made before the window closes, and one look after it.
fn again_at(event: &UsageEvent, now: OffsetDateTime) -> OffsetDateTime {
    let doubled = FIRST_PAUSE * 2_i32.saturating_pow(event.attempts.saturating_sub(1).min(16));
    let closes = event.slot.effective_start + WINDOW;
    let last_call = closes - Duration::minutes(2);
    let at = now + doubled.min(LONGEST_PAUSE);
    if now < last_call { at.min(last_call) } else { at.max(closes) }
}

async fn write_outcome(
    tx: &Tx,
    owner: Uuid,
    outcome: Outcome,
    chosen: &[(&UsageEvent, &str)],
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let ids: Vec<Uuid> = chosen.iter().map(|(event, _)| event.id).collect();
    let answer = chosen.first().map_or("", |(_, words)| *words);
    let over = match outcome {
        Outcome::Again { at, in_doubt } => {
            let settled = Settled { ids: &ids, owner, is_proven: false, again_at: Some(at), in_doubt, answer };
            tx.settle_usage_events(settled, now).await?;
            return Ok(());
        }
        Outcome::Over(over) => over,
    };
    let is_proven = matches!(over, Over::Accepted | Over::Conflict);
    let settled = Settled { ids: &ids, owner, is_proven, again_at: None, in_doubt: false, answer };
    let settled: BTreeSet<Uuid> = tx.settle_usage_events(settled, now).await?.into_iter().collect();
    let told = chosen.iter().filter(|(event, _)| settled.contains(&event.id));
    let reasons: BTreeMap<Uuid, &str> = told.map(|(event, words)| (event.charge_id, *words)).collect();
    let moved = tx.move_charges_each(&reasons, (State::Sending, over.state()), now).await?;
    follow(tx, over.state(), &moved, now).await
}

/// What follows when charges have come into a state: keys after an acceptance, a look at Microsoft where it says that the
/// subscription is not active, a person where there is something to decide.
pub(super) async fn follow(tx: &Tx, state: State, charge_ids: &[Uuid], now: OffsetDateTime) -> Result<(), AppError> {
    if charge_ids.is_empty() || state == State::Due {
        return Ok(());
    }
    let charges = tx.list_charges_by_id(charge_ids).await?;
    let subscriptions: BTreeSet<Uuid> = charges.iter().map(|one| one.subscription_id).collect();
    match state {
        State::Accepted | State::Expired => {
            tx.schedule_jobs(JobKind::IssueKey, subscriptions, now, now).await?;
        }
        State::Held => tx.schedule_jobs(JobKind::ReconcileSubscription, subscriptions, now, now).await?,
        _ => {}
    }
    for one in charges.iter().filter(|_| state == State::Expired || state.needs_a_person()) {
        let charge = &one.charge;
        let finding = Finding {
            subscription_id: one.subscription_id,
            kind: format!("charge_{}", state.as_str()),
            cause: format!("{}/{}", charge.id, charge.since),
            detail: format!("{}, {} of {}: {}", charge.description, charge.quantity, charge.dimension, advice(state)),
            found_at: now,
        };
        tx.record_finding(&finding).await?;
    }
    Ok(())
}

fn advice(state: State) -> &'static str {
    match state {
        State::Unknown => {
            "it was sent, no answer came, and its hour is over. Look at Microsoft’s daily sums (`seatkey ledger explain`), then \
             say whether it arrived (`seatkey ledger resolve`)"
        }
        State::Conflict => {
            "Microsoft has another quantity in its hour. Somebody else reports for this offer; find out who, then decide \
             (`seatkey ledger resolve`)"
        }
        State::Rejected => {
            "Microsoft refuses it. See to offer, plan and dimension in Partner Center, then let it be reported again or write \
             it off (`seatkey ledger resolve`)"
        }
        State::Expired => "it became due too short before the end, and was never reported. The fee is lost",
        _ => "a person has to decide (`seatkey ledger resolve`)",
    }
}
