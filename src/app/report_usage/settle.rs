//! What came of attempts, written: one transaction for all that have come to their end.

use std::collections::{BTreeMap, BTreeSet};

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Round, send::Heard};
use crate::{
    app::AppError,
    domain::{
        charge::State,
        subscription::Stage,
        usage::{Said, Verdict, WINDOW, decide_closed},
    },
    store::{Finding, JobKind, Settled, Standing, Tx, UsageEvent},
};

/// Why a charge expires.
pub(super) const TOO_LATE: &str = "the subscription has ended, and Microsoft takes nothing for it any more";

const FIRST_PAUSE: Duration = Duration::seconds(10);
const LONGEST_PAUSE: Duration = Duration::minutes(30);

/// An attempt that is over.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) event: UsageEvent,
    pub(super) verdict: Verdict,
    /// Microsoft's words, or ours.
    pub(super) words: String,
}

/// What is not sent after all.
pub(super) async fn give_back(round: &Round<'_>, events: Vec<UsageEvent>) -> Result<(), AppError> {
    let heard = vec![Heard::new(Said::NotProcessed, "not sent"); events.len()];
    round.answers.keep(round, events, heard).await
}

/// Events whose window has closed.
pub(super) async fn close(round: &Round<'_>, events: Vec<UsageEvent>) -> Result<(), AppError> {
    let attempt = |event: UsageEvent| Attempt {
        verdict: decide_closed(event.in_doubt),
        words: "Microsoft does not take its hour any more".to_owned(),
        event,
    };
    let attempts: Vec<Attempt> = events.into_iter().map(attempt).collect();
    write(round, &attempts).await
}

/// Writes what came of attempts, in one transaction.
pub(super) async fn write(round: &Round<'_>, attempts: &[Attempt]) -> Result<(), AppError> {
    if attempts.is_empty() {
        return Ok(());
    }
    let app = round.app;
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    // Before the charges: whoever changes a subscription locks in this order, too.
    let standings = tx.lock_standings(attempts.iter().map(|attempt| attempt.event.subscription_id)).await?;
    let mut outcomes: BTreeMap<Outcome, Vec<&Attempt>> = BTreeMap::new();
    for attempt in attempts {
        let outcome = outcome(attempt, standings.get(&attempt.event.subscription_id), now);
        outcomes.entry(outcome).or_default().push(attempt);
    }
    for (outcome, chosen) in &outcomes {
        write_outcome(&tx, round.owner, *outcome, chosen, now).await?;
    }
    tx.commit().await?;
    for (outcome, chosen) in &outcomes {
        app.meters.usage(outcome.word(), chosen.len() as u64);
    }
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

impl Outcome {
    /// The word of the counters.
    fn word(self) -> &'static str {
        match self {
            Self::Over(over) => over.state().as_str(),
            Self::Again { .. } => "again",
        }
    }
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

fn outcome(attempt: &Attempt, standing: Option<&Standing>, now: OffsetDateTime) -> Outcome {
    let ended = standing.is_some_and(|standing| matches!(standing.stage, Stage::Ended { .. }));
    Outcome::Over(match attempt.verdict {
        Verdict::TryAgain { in_doubt } => return Outcome::Again { at: again_at(&attempt.event, now), in_doubt },
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
    chosen: &[&Attempt],
    now: OffsetDateTime,
) -> Result<(), AppError> {
    let answers: Vec<(Uuid, &str)> = chosen.iter().map(|one| (one.event.id, one.words.as_str())).collect();
    let settled = Settled { answers: &answers, owner, is_proven: false, again_at: None, in_doubt: false };
    let over = match outcome {
        Outcome::Again { at, in_doubt } => {
            tx.settle_usage_events(Settled { again_at: Some(at), in_doubt, ..settled }, now).await?;
            return Ok(());
        }
        Outcome::Over(over) => over,
    };
    let settled = Settled { is_proven: matches!(over, Over::Accepted | Over::Conflict), ..settled };
    let settled: BTreeSet<Uuid> = tx.settle_usage_events(settled, now).await?.into_iter().collect();
    let told = chosen.iter().filter(|one| settled.contains(&one.event.id));
    let reasons: BTreeMap<Uuid, &str> = told.map(|one| (one.event.charge_id, one.words.as_str())).collect();
    let moved = tx.move_charges_each(&reasons, (State::Sending, over.state()), now).await?;
    follow(tx, over.state(), &moved, now).await
}

/// What follows when charges, each with its subscription, have come into a state: keys after an acceptance, a look at
/// Microsoft where it says that the subscription is not active, a person where there is something to decide.
pub(super) async fn follow(tx: &Tx, state: State, moved: &[(Uuid, Uuid)], now: OffsetDateTime) -> Result<(), AppError> {
    let subscriptions: BTreeSet<Uuid> = moved.iter().map(|(_, subscription_id)| *subscription_id).collect();
    match state {
        State::Accepted | State::Expired => {
            tx.schedule_jobs(JobKind::IssueKey, subscriptions, now, now).await?;
        }
        State::Held => tx.schedule_jobs(JobKind::ReconcileSubscription, subscriptions, now, now).await?,
        _ => {}
    }
    if moved.is_empty() || !(state == State::Expired || state.needs_a_person()) {
        return Ok(());
    }
    let ids: Vec<Uuid> = moved.iter().map(|(id, _)| *id).collect();
    for (subscription_id, charge) in tx.list_charges_by_id(&ids).await? {
        let finding = Finding {
            subscription_id,
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
