//! A batch on its way, and what its answer means for each event.

use std::sync::atomic::Ordering;

use time::OffsetDateTime;

use super::{Round, SETS_OUT_WITHIN, settle};
use crate::{
    app::{AppError, open_purchase::note_credential},
    domain::usage::Said,
    marketplace::{MarketplaceError, UsageItem, UsageOutcome},
    store::UsageEvent,
    trace::{self, Step, StepKind},
};

/// What was said of an event, with Microsoft's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) said: Said,
    pub(super) words: String,
}

impl Heard {
    pub(super) fn new(said: Said, words: impl Into<String>) -> Self {
        Self { said, words: words.into() }
    }
}

/// Sends a batch and keeps what came of it.
pub(super) async fn send(round: &Round<'_>, batch: Vec<UsageEvent>) -> Result<(), AppError> {
    let Ok(_permit) = round.on_their_way.acquire().await else { return Ok(()) };
    let app = round.app;
    let too_late = app.clock.now() - round.started_at > SETS_OUT_WITHIN;
    if too_late || round.trouble.load(Ordering::SeqCst) {
        return settle::give_back(round, batch).await;
    }
    let items: Vec<UsageItem<'_>> = batch.iter().map(item).collect();
    let answer = app.marketplace.report_usage_batch(&items).await;
    note_credential(app, answer.as_ref().err());
    let heard = match answer {
        Ok(answer) => {
            app.pace.went_well();
            let request = answer.request_id;
            note_batch(app.clock.now(), &request, &batch);
            answer.value.into_iter().map(|outcome| hear(outcome, &request)).collect()
        }
        // An event of the batch is at fault; by itself each says whether it is.
        Err(MarketplaceError::Refused { status: 400, .. }) => send_singly(round, &items).await,
        Err(error) => {
            note_trouble(round, &error);
            vec![hear_error(&error); batch.len()]
        }
    };
    drop(_permit);
    round.answers.keep(round, batch, heard).await
}

/// Which charges a request carried: Microsoft's id of it leads to them.
fn note_batch(now: OffsetDateTime, request_id: &str, batch: &[UsageEvent]) {
    let charges: Vec<String> = batch.iter().map(|event| event.charge_id.to_string()).collect();
    trace::note(Step {
        reference: Some(request_id.to_owned()),
        outcome: Some(charges.join(" ")),
        ..Step::new(now, StepKind::Batch, "charges")
    });
}

/// Of several, one that is refused without Microsoft's words for it is rejected only where another one is taken: if all are
/// refused, it is not they.
async fn send_singly(round: &Round<'_>, items: &[UsageItem<'_>]) -> Vec<Heard> {
    let mut heard = Vec::with_capacity(items.len());
    let mut taken = false;
    for item in items {
        if round.trouble.load(Ordering::SeqCst) {
            heard.push(Heard::new(Said::NotProcessed, "not sent"));
            continue;
        }
        heard.push(match round.app.marketplace.report_usage(*item).await {
            Ok(answer) => {
                taken = true;
                hear(Some(answer.value), &answer.request_id)
            }
            Err(error @ MarketplaceError::Refused { status: 400, .. }) => Heard::new(Said::Refused, error.to_string()),
            Err(error) => {
                note_trouble(round, &error);
                hear_error(&error)
            }
        });
    }
    if !taken && heard.len() > 1 && heard.iter().all(|one| one.said == Said::Refused) {
        round.trouble.store(true, Ordering::SeqCst);
        round.app.pace.met_trouble(round.app.clock.now());
        tracing::error!("every usage event is refused, and none for a reason of its own; they are tried again");
        for one in &mut heard {
            one.said = Said::NotProcessed;
        }
    }
    heard
}

fn item(event: &UsageEvent) -> UsageItem<'_> {
    UsageItem {
        resource_id: event.subscription_id,
        dimension: &event.dimension,
        effective_start: event.slot.effective_start,
        body: &event.body,
    }
}

fn note_trouble(round: &Round<'_>, error: &MarketplaceError) {
    round.trouble.store(true, Ordering::SeqCst);
    let now = round.app.clock.now();
    match error {
        MarketplaceError::Unavailable { status: 429, retry_after } => {
            round.app.pace.too_many(retry_after.and_then(|pause| pause.try_into().ok()), now);
        }
        _ => round.app.pace.met_trouble(now),
    }
    tracing::warn!(%error, "usage could not be reported; it is tried again");
}

fn hear_error(error: &MarketplaceError) -> Heard {
    let said = match error {
        error if error.is_certainly_unprocessed() => Said::NotProcessed,
        _ => Said::Unclear,
    };
    Heard::new(said, error.to_string())
}

fn hear(outcome: Option<UsageOutcome>, request_id: &str) -> Heard {
    use UsageOutcome as O;
    let Some(outcome) = outcome else {
        return Heard::new(Said::Unclear, format!("no answer for this event in request {request_id}"));
    };
    let id = |id: &Option<String>| id.as_deref().unwrap_or("without id").to_owned();
    match outcome {
        O::Accepted { usage_event_id, quantity } => {
            Heard::new(Said::Accepted(quantity), format!("usage event {}, request {request_id}", id(&usage_event_id)))
        }
        O::Duplicate { usage_event_id, quantity } => {
            let of = quantity.map_or_else(|| "an unknown quantity".to_owned(), |quantity| quantity.to_string());
            let words = format!("already there as {} with {of}, request {request_id}", id(&usage_event_id));
            Heard::new(Said::Duplicate(quantity), words)
        }
        O::Expired => Heard::new(Said::Expired, format!("too old for its hour, request {request_id}")),
        O::ResourceNotActive(words) => Heard::new(Said::NotActive, told("ResourceNotActive", &words, request_id)),
        O::ResourceNotFound(words) => Heard::new(Said::Refused, told("ResourceNotFound", &words, request_id)),
        O::ResourceNotAuthorized(words) => Heard::new(Said::Refused, told("ResourceNotAuthorized", &words, request_id)),
        O::InvalidDimension(words) => Heard::new(Said::Refused, told("InvalidDimension", &words, request_id)),
        O::InvalidQuantity(words) => Heard::new(Said::Refused, told("InvalidQuantity", &words, request_id)),
        O::BadArgument(words) => Heard::new(Said::Refused, told("BadArgument", &words, request_id)),
        O::Error(words) => Heard::new(Said::Unclear, told("Error", &words, request_id)),
        O::Unknown(status) => Heard::new(Said::Unclear, told("a status nobody knows", &status, request_id)),
    }
}

fn told(status: &str, words: &str, request_id: &str) -> String {
    format!("{status}: {words}, request {request_id}")
}
